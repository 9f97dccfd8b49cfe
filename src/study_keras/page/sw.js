// The service worker: caches the page for offline use. build.mjs inserts FILES and VERSION; a changed file changes both.
const VERSION = "%VERSION%";
const FILES = "%FILES%";
const MODELS = "hello-mnist-models"; // kept across versions: the models are the user's

self.addEventListener("install", (event) => {
  event.waitUntil(Promise.all([cachePage(), cacheModels()]).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(deleteOldVersions().then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin || !url.pathname.startsWith(scope().pathname)) return;
  const name = url.pathname.slice(scope().pathname.length);
  if (name === "" || name === "index.html") event.respondWith(networkFirst(request, VERSION));
  else if (FILES.includes(name) || /^(litert[-/]|onnx-|ort-)/.test(name)) event.respondWith(cacheFirst(request));
  else if (name === "mnist.npz") event.respondWith(cacheFirst(request, MODELS)); // when the view "Train" is first opened
  else if (/^(models|shipped)(\/|$)/.test(name)) event.respondWith(networkFirst(request, MODELS));
});

async function cachePage() {
  const cache = await caches.open(VERSION);
  await cache.addAll(["./", ...FILES].map((name) => new Request(name, { cache: "no-cache" })));
}

/** Cache the list of models, the model that the page opens first, by the same rule as in model.js, and the finder's networks. */
async function cacheModels() {
  const cache = await caches.open(MODELS);
  const cached = async (url) => {
    const answer = await fetch(url);
    if (answer.ok) await cache.put(url, answer.clone());
    return answer;
  };
  const cacheTfjs = async (place) => {
    const url = new URL(place, scope());
    const { weightsManifest } = await (await cached(url)).json();
    await Promise.all(weightsManifest.flatMap((group) => group.paths).map((path) => cached(new URL(path, url))));
  };
  const entries = await (await cached(new URL("models", scope()))).json();
  const chosen = entries.find(({ name, format }) => name === entries[0].name && format === "tfjs");
  const finder = ["detector", "reader"].map((name) => `shipped/${name}.tfjs/model.json`);
  await Promise.all([...(chosen ? [chosen.url] : []), ...finder].map(cacheTfjs));
}

async function deleteOldVersions() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith("hello-mnist-") && name !== VERSION && name !== MODELS).map((name) => caches.delete(name)));
}

/** From the network, and then cached; from the cache if the network fails. */
async function networkFirst(request, name) {
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

/** From the cache: the files of a version never change. */
async function cacheFirst(request, name = VERSION) {
  const cache = await caches.open(name);
  const found = await cache.match(request);
  if (found) return found;
  const answer = await fetch(request);
  if (answer.ok) await cache.put(request, answer.clone());
  return answer;
}

function scope() {
  return new URL(self.registration.scope);
}
