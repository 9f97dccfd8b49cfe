// node check_page.mjs SPEC.json: does with the page what people do, in one browser, and prints what came of it as JSON.
// SPEC.json names the commands of two servers, the one-file page, test images as bytes, a photo, and axe-core's script.
import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { launch } from "./chrome.mjs";
import { serve } from "./server.mjs";
import { draw, finger, mouse, patient, ready, said } from "./strokes.mjs";

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
  async number() {
    const page = await open();
    await page.evaluate(timeAnswers);
    await draw(page, 2026, patient(page, mouse(page)));
    const answer = { said: await said(page), ...(await page.evaluate(shownNumber)) };
    const milliseconds = await page.evaluate(() => window.waited);
    await page.locator("#found [tabindex='0']").focus();
    const chosen = [];
    for (const key of ["Home", "ArrowRight", "ArrowRight", "End"]) {
      await page.keyboard.press(key);
      chosen.push({ ...(await page.evaluate(shownNumber)), seen: await page.evaluate(seenPixels), layers: await page.evaluate(layerPixels) });
    }
    await page.keyboard.press("Shift+Tab");
    const left = await page.evaluate(() => document.activeElement.id);
    await page.locator("#found button").first().click();
    const clicked = await page.evaluate(shownNumber);
    await page.click("#language");
    const chinese = { said: await said(page), ...(await page.evaluate(shownNumber)) };
    await page.click("#clear");
    await said(page);
    return { answer, milliseconds, chosen, left, clicked, chinese, cleared: await page.evaluate(shownNumber) };
  },
  async quickly() {
    const page = await open();
    await draw(page, 2026);
    return said(page);
  },
  async unread() {
    const page = await open();
    await draw(page, "20E6");
    const line = { said: await said(page), ...(await page.evaluate(shownNumber)) };
    await page.locator("#found .unread").click();
    const unread = { ...(await page.evaluate(shownNumber)), sure: await page.textContent("#sure") };
    await page.click("#clear");
    await draw(page, "-");
    const nothing = { said: await said(page), ...(await page.evaluate(shownNumber)), sure: await page.textContent("#sure") };
    await page.click("#language");
    return { line, unread, nothing, chinese: await said(page) };
  },
  async loading() {
    const page = watch(await (await browser.newContext({ serviceWorkers: "block" })).newPage(), []);
    let release;
    const released = new Promise((resolve) => (release = resolve));
    await page.route("**/reader.tfjs/model.json", (route) => released.then(() => route.continue()));
    await page.goto(server.url);
    await draw(page, 7);
    await page.waitForFunction(() => document.getElementById("status").textContent.includes("Loading"));
    const waiting = await page.textContent("#sure");
    release();
    const read = await said(page);
    await page.unroute("**/reader.tfjs/model.json");
    await page.route("**/reader.tfjs/model.json", (route) => route.fulfill({ status: 404 }));
    await page.reload();
    await draw(page, 7);
    return { waiting, read, failed: await said(page), problem: await page.textContent("#problem") };
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
    return { one, again, cleared, back: await said(page), layers: await page.locator("#layers b").allTextContents() };
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
    await draw(page, 7, await finger(page));
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
    const remembered = await seen();
    await page.evaluate(timeAnswers);
    await draw(page, 2026, patient(page, await finger(page)));
    const number = { said: await said(page), ...(await page.evaluate(shownNumber)), overflow: (await seen()).overflow };
    return { chinese, english, remembered, number, milliseconds: await page.evaluate(() => window.waited) };
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
      const barriersOf = async () => {
        await page.evaluate(await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"));
        const { violations } = await page.evaluate(() => window.axe.run());
        return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html}`));
      };
      found[`${colorScheme} empty`] = await barriersOf();
      await draw(page, 5);
      await said(page);
      found[colorScheme] = await barriersOf();
      await page.click("#clear");
      await draw(page, "20E6");
      await said(page);
      found[`${colorScheme} several`] = await barriersOf();
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
      answers[name] = { said: await said(page), seen: await page.evaluate(seenPixels), ...(await page.evaluate(shownNumber)) };
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
    for (const number of [3, 2026]) {
      await draw(page, number);
      answers.push(await said(page));
      await page.click("#clear");
    }
    await page.setInputFiles("#file", spec.pictures.paper_8);
    await page.waitForFunction(() => document.getElementById("file").value === "");
    return { requests, answers, picture: await said(page) };
  },
  async named() {
    const page = watch(await (await browser.newContext()).newPage());
    await page.goto(pathToFileURL(spec.named).href);
    await ready(page);
    const answers = [];
    for (const digit of [2, 3, 7]) {
      await draw(page, digit);
      answers.push(await said(page));
      if (digit !== 7) await page.click("#clear");
    }
    const [bars, shown] = [await page.locator("#bars .name").allTextContents(), await page.textContent("#digit")];
    await page.setInputFiles("#file", spec.pictures.mnist);
    await page.waitForFunction(() => document.getElementById("file").value === "");
    return { answers, picture: await said(page), bars, shown, name: await page.textContent(".model-name") };
  },
};

function watch(page, list = errors) {
  page.on("console", (message) => message.type() === "error" && list.push(message.text()));
  page.on("pageerror", (error) => list.push(String(error)));
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

/** Runs in the page: the picture of each layer. */
function layerPixels() {
  return [...document.querySelectorAll("#layers canvas")].map((canvas) => canvas.toDataURL());
}

/** Runs in the page: the number that it shows, its buttons and its boxes, and the bars of the chosen digit. */
function shownNumber() {
  const buttons = [...document.querySelectorAll("#found button")];
  const boxes = [...document.querySelectorAll("#boxes rect")];
  return {
    text: document.getElementById("digit").textContent,
    buttons: buttons.map((button) => button.ariaLabel),
    pressed: buttons.flatMap((button, i) => (button.ariaPressed === "true" ? [i] : [])),
    stops: buttons.flatMap((button, i) => (button.tabIndex === 0 ? [i] : [])),
    focus: buttons.indexOf(document.activeElement),
    boxes: boxes.map((box) => ["x", "y", "width", "height"].map((side) => Number(box.getAttribute(side)))),
    marked: boxes.flatMap((box, i) => (box.classList.contains("chosen") ? [i] : [])),
    best: [...document.querySelectorAll("#bars .best .name")].map((name) => name.textContent),
    turned: document.getElementById("turned").textContent,
  };
}

/** Runs in the page: collects in `waited` how many milliseconds after each pointer event its answer was there. */
function timeAnswers() {
  window.waited = [];
  let since = null;
  for (const type of ["pointerdown", "pointermove", "pointerup"]) {
    document.getElementById("pad").addEventListener(type, (event) => (since ??= event.timeStamp), true);
  }
  new MutationObserver(() => {
    if (since === null || document.getElementById("result").ariaBusy === "true") return;
    window.waited.push(performance.now() - since);
    since = null;
  }).observe(document.getElementById("result"), { attributeFilter: ["aria-busy"] });
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
