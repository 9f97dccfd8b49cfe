// Keeps the page for when there is no network. FILES and VERSION are put in by build.mjs; a changed file changes both.
const VERSION = "%VERSION%";
const FILES = "%FILES%";
const MODELS = "hello-mnist-models"; // outlives a version: the models are the user's

self.addEventListener("install", (event) => {
  event.waitUntil(Promise.all([keepPage(), keepFirstModel()]).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(dropFormerVersions().then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin || !url.pathname.startsWith(place().pathname)) return;
  const name = url.pathname.slice(place().pathname.length);
  if (name === "" || name === "index.html") event.respondWith(newest(request, VERSION));
  else if (FILES.includes(name) || /^litert[-/]/.test(name)) event.respondWith(kept(request));
  else if (/^(models|shipped)(\/|$)/.test(name)) event.respondWith(newest(request, MODELS));
});

async function keepPage() {
  const cache = await caches.open(VERSION);
  await cache.addAll(["./", ...FILES].map((name) => new Request(name, { cache: "no-cache" })));
}

/** The list of models, and the one that the page opens by itself: the same rule as in model.js. */
async function keepFirstModel() {
  const cache = await caches.open(MODELS);
  const keep = async (url) => {
    const answer = await fetch(url);
    if (answer.ok) await cache.put(url, answer.clone());
    return answer;
  };
  const entries = await (await keep(new URL("models", place()))).json();
  const chosen = entries.find(({ name, format }) => name === entries[0].name && format === "tfjs");
  if (!chosen) return;
  const url = new URL(chosen.url, place());
  const { weightsManifest } = await (await keep(url)).json();
  await Promise.all(weightsManifest.flatMap((group) => group.paths).map((path) => keep(new URL(path, url))));
}

async function dropFormerVersions() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith("hello-mnist-") && name !== VERSION && name !== MODELS).map((name) => caches.delete(name)));
}

/** From the network where there is one, and then kept; otherwise what was kept. */
async function newest(request, name) {
  const cache = await caches.open(name);
  try {
    const answer = await fetch(request);
    if (answer.ok) await cache.put(request, answer.clone());
    return answer;
  } catch (error) {
    const found = await cache.match(request, { ignoreSearch: true });
    if (found) return found;
    throw error;
  }
}

/** What was kept; the files of a version never change. */
async function kept(request) {
  const cache = await caches.open(VERSION);
  const found = await cache.match(request);
  if (found) return found;
  const answer = await fetch(request);
  if (answer.ok) await cache.put(request, answer.clone());
  return answer;
}

function place() {
  return new URL(self.registration.scope);
}
