// node check_page.mjs SPEC.json: does with the page what people do, in one browser, and prints what came of it as JSON.
// SPEC.json names the commands of two servers, the one-file page, test images as bytes, a photo, and axe-core's script.
import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { launch } from "./chrome.mjs";
import { serve } from "./server.mjs";
import { draw, ready, said } from "./strokes.mjs";

const spec = JSON.parse(await readFile(process.argv[2], "utf8"));
const camera = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", `--use-file-for-fake-video-capture=${spec.video}`];
const browser = await launch({}, camera);
const errors = [];
const server = await serve(spec.server);

const CHECKS = {
  async digits() {
    const page = await open();
    const answers = [];
    for (let digit = 0; digit < 10; digit++) {
      await draw(page, digit);
      answers.push({ said: await said(page), shown: await page.textContent("#digit"), best: await page.textContent("#bars .best .name") });
      await page.click("#clear");
    }
    return answers;
  },
  async undo() {
    const page = await open();
    await draw(page, 1);
    const one = await said(page);
    await draw(page, 8);
    await page.click("#undo");
    const again = await said(page);
    await page.click("#clear");
    const cleared = await said(page);
    await page.click("#undo");
    return { one, again, cleared, back: await said(page), layers: await page.locator("#layers canvas").count() };
  },
  async images() {
    const page = await open({ serviceWorkers: "block" });
    await page.route("**/test-images", async (route) => route.fulfill({ body: await readFile(spec.images) }));
    const tfjs = await page.evaluate(classesOf, 10_000);
    await draw(page, 3); // read by TensorFlow.js, so that each model has a time
    await said(page);
    await page.locator("#models label", { hasText: "LiteRT" }).click();
    await page.waitForFunction(() => !document.querySelector("#models input:disabled")); // until it is open
    const drawn = await said(page);
    const layers = await page.locator("#layers canvas").count();
    const times = await page.locator(".time").allTextContents();
    return { tfjs, litert: await page.evaluate(classesOf, 1_000), drawn, layers, times };
  },
  async phone() {
    const context = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true, locale: "zh-CN", colorScheme: "dark" };
    const page = await open(context);
    await touch(page, 7);
    const seen = async () => page.evaluate(() => ({
      language: document.documentElement.lang,
      status: document.getElementById("status").textContent,
      undo: document.getElementById("undo").textContent,
      overflow: document.documentElement.scrollWidth - innerWidth,
    }));
    await said(page);
    const chinese = await seen();
    await page.click("#language");
    await said(page);
    const english = await seen();
    await page.reload();
    await ready(page);
    return { chinese, english, remembered: await seen() };
  },
  async keyboard() {
    const page = await open();
    const press = async (...keys) => {
      for (const key of keys) await page.keyboard.press(key);
    };
    const tabTo = async (selector) => {
      for (let i = 0; i < 20 && !(await page.locator(selector).evaluate((e) => e === document.activeElement)); i++) await press("Tab");
    };
    await tabTo("#pad");
    await press("Space", ...Array(14).fill("ArrowDown"), "Space");
    const one = await said(page);
    await press("Backspace");
    const undone = await said(page);
    await press(...Array(14).fill("ArrowUp"), ...Array(5).fill("ArrowLeft"), "Space", ...Array(10).fill("ArrowRight"));
    await press(...Array(14).fill("ArrowDown"), "Space");
    const seven = await said(page);
    await tabTo("#clear");
    await press("Enter");
    const cleared = await said(page);
    await tabTo("#models input:checked");
    await press("ArrowUp");
    await page.waitForFunction(() => document.querySelector("#models label:has(:checked)").textContent.includes("LiteRT"));
    return { one, undone, seven, cleared, outline: await page.locator(":focus").evaluate((e) => getComputedStyle(e).outlineStyle) };
  },
  async axe() {
    const found = {};
    for (const colorScheme of ["light", "dark"]) {
      const page = await open({ colorScheme });
      const violations = async () => {
        await page.evaluate(await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"));
        const { violations } = await page.evaluate(() => window.axe.run());
        return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html}`));
      };
      found[`${colorScheme} empty`] = await violations();
      await draw(page, 5);
      await said(page);
      found[colorScheme] = await violations();
    }
    return found;
  },
  async pictures() {
    const page = await open();
    const answers = {};
    for (const [name, path] of Object.entries(spec.pictures)) {
      const [chooser] = await Promise.all([page.waitForEvent("filechooser"), page.click("#choose")]);
      await chooser.setFiles(path);
      await page.waitForFunction(() => document.getElementById("file").value === "");
      answers[name] = { said: await said(page), seen: await page.evaluate(seenPixels) };
    }
    await draw(page, 4); // begins anew
    const drawn = await said(page);
    await page.click("#clear");
    await page.click("#camera");
    await page.waitForFunction(() => document.getElementById("video").videoWidth > 0);
    await page.click("#take");
    const taken = await said(page);
    return { answers, drawn, taken, open: await page.locator("dialog[open]").count() };
  },
  async offline() {
    const own = await serve(spec.server);
    const page = await open({}, own.url);
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => null));
    await own.stop();
    await page.reload();
    await ready(page);
    await draw(page, 6);
    return said(page);
  },
  async update() {
    const own = await serve(spec.static);
    const page = await open({}, own.url);
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => null));
    const former = await page.evaluate(() => caches.keys());
    for (const [name, from, to] of [["index.html", "Hello MNIST</h1>", "Newer MNIST</h1>"], ["sw.js", 'VERSION = "hello-mnist-', 'VERSION = "hello-mnist-0']]) {
      const path = join(spec.folder, name);
      await writeFile(path, (await readFile(path, "utf8")).replace(from, to));
    }
    await page.reload();
    const updated = await page.textContent("h1");
    await page.waitForFunction((keys) => caches.keys().then((now) => now.length === keys.length && now.some((key) => !keys.includes(key))), former);
    await own.stop();
    await page.reload();
    await ready(page);
    await draw(page, 2);
    const installable = await page.context().newCDPSession(page).then((session) => session.send("Page.getInstallabilityErrors"));
    return { updated, title: await page.textContent("h1"), said: await said(page), installable: installable.installabilityErrors };
  },
  async oneFile() {
    const context = await browser.newContext();
    const requests = [];
    context.on("request", (request) => requests.push(request.url()));
    const page = watch(await context.newPage());
    await page.goto(pathToFileURL(spec.one_file).href);
    await ready(page);
    const answers = [];
    for (const digit of [2, 3, 7]) {
      await draw(page, digit);
      answers.push(await said(page));
      await page.click("#clear");
    }
    await page.setInputFiles("#file", spec.pictures.paper_8);
    await page.waitForFunction(() => document.getElementById("file").value === "");
    const picture = await said(page);
    return { requests, answers, picture, bars: await page.locator("#bars .name").allTextContents(), shown: await page.textContent("#digit"), name: await page.textContent(".model-name") };
  },
};

function watch(page) {
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(String(error)));
  return page;
}

async function open(options = {}, url = server.url) {
  const context = await browser.newContext({ viewport: { width: 1100, height: 900 }, ...options });
  const page = watch(await context.newPage());
  page.setDefaultTimeout(20_000);
  await page.goto(url);
  await ready(page);
  return page;
}

/** Draw with a finger. */
async function touch(page, digit) {
  const session = await page.context().newCDPSession(page);
  const send = (type, points) => session.send("Input.dispatchTouchEvent", { type, touchPoints: points.map(([x, y]) => ({ x, y })) });
  await draw(page, digit, { down: (x, y) => send("touchStart", [[x, y]]), move: (x, y) => send("touchMove", [[x, y]]), up: () => send("touchEnd", []) });
}

/** Runs in the page: the classes of so many test images by the page's own code. */
async function classesOf(count) {
  const page = await import(document.querySelector("script[type=module]").src);
  const bytes = new Uint8Array(await (await fetch("test-images")).arrayBuffer()).subarray(0, 784 * count);
  const answers = await page.currentModel().run(Float32Array.from(bytes, (v) => v / 255), count);
  return Array.from({ length: count }, (_, i) => {
    const row = answers.subarray(10 * i, 10 * i + 10);
    return row.indexOf(Math.max(...row));
  });
}

/** Runs in the page: the 28 x 28 that it shows. */
function seenPixels() {
  const { data } = document.getElementById("seen").getContext("2d").getImageData(0, 0, 28, 28);
  return Array.from({ length: 784 }, (_, i) => data[4 * i]);
}

const results = {};
for (const [name, check] of Object.entries(CHECKS)) {
  const started = performance.now();
  try {
    results[name] = await check();
  } catch (error) {
    results[name] = { error: String(error.message ?? error) };
  }
  for (const context of browser.contexts()) await context.close();
  console.error(`${name}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
}
await browser.close();
await server.stop();
console.log(JSON.stringify({ ...results, errors }));
