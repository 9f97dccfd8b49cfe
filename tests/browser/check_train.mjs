// node check_train.mjs SPEC.json: trains in the page as people do, in one browser, and prints what came of it as JSON.
// SPEC.json names the one-file page, and the command of the server.
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { PHONE, barriers, open, run, tabTo } from "./pages.mjs";
import { serve } from "./server.mjs";
import { draw } from "./strokes.mjs";

const spec = JSON.parse(await readFile(process.argv[2], "utf8"));
let server = null;

const CHECKS = {
  async learns() {
    const page = await openTraining();
    const first = await accuracy(page);
    await page.focus("#knob-shift");
    await page.keyboard.press("ArrowRight");
    await page.click("#train-run");
    await page.waitForFunction(() => document.querySelector("#train-loss-chart polyline.learning").points.length > 20);
    const early = await curves(page);
    const reached = await page.waitForFunction(() => { // at that moment, for a later pass may be worse
      const [last, said] = ["train-accuracy", "train-status"].map((id) => document.getElementById(id).textContent);
      return Number.parseFloat(last) >= 95 && { last: Number.parseFloat(last), said };
    }, null, { timeout: 90_000 });
    await page.click("#train-run");
    return { first, ...await reached.jsonValue(), early, late: await curves(page), wrong: await page.locator("#wrong li").count(), about: await page.textContent("#train-data") };
  },
  async pause() {
    const page = await openTraining();
    await page.click("#train-run");
    await page.waitForFunction(() => Number.parseFloat(document.getElementById("train-accuracy").textContent) > 60);
    await page.click("#train-run");
    await page.waitForFunction(() => document.getElementById("train-run").textContent === "Go on");
    const paused = [await learnt(page)];
    await page.waitForTimeout(300);
    paused.push(await learnt(page));
    await page.click("#train-step");
    await page.waitForFunction((former) => document.getElementById("train-progress").textContent !== former, await page.textContent("#train-progress"));
    const stepped = await learnt(page);
    await page.click("#train-run");
    await page.waitForFunction(() => document.getElementById("train-run").textContent === "Pause");
    await page.click("#train-run");
    await page.waitForFunction(() => document.getElementById("train-run").textContent === "Go on");
    const gone = await learnt(page);
    const trained = await accuracy(page);
    await page.click("#train-restart");
    await page.waitForFunction(() => document.getElementById("train-run").textContent === "Start training");
    return { paused, stepped, gone, trained, anew: await accuracy(page), restarted: await learnt(page), points: (await curves(page)).learning };
  },
  async knobs() {
    const page = await openTraining();
    await page.click("#train-run");
    for (const [name, key] of [["rate", "ArrowRight"], ["batch", "ArrowLeft"], ["dropout", "ArrowRight"], ["shift", "ArrowRight"], ["units", "ArrowLeft"]]) {
      await page.focus(`#knob-${name}`);
      await turned(page, () => page.keyboard.press(key));
    }
    const shown = await page.locator("#knobs output").allTextContents();
    await turned(page, () => page.selectOption("#knob-activation", "tanh"));
    await turned(page, () => page.selectOption("#knob-optimizer", "momentum"));
    const { changes } = await curves(page);
    const result = { shown, changes, code: await page.textContent("#train-code"), units: await page.getAttribute("#units", "aria-label"), accuracy: await accuracy(page) };
    await page.click("#train-defaults");
    await page.click("#train-restart");
    return { ...result, defaults: await page.textContent("#train-code") };
  },
  async drawing() {
    const page = await openTraining();
    await draw(page, 3);
    await page.waitForFunction(() => document.querySelector("#yours-bars .best"));
    const before = await bars(page);
    await page.click("#train-run");
    const sure = await page.waitForFunction(() => {
      const said = /reads a 3, (99|100)/.test(document.getElementById("yours-said").textContent);
      return said && [...document.querySelectorAll("#yours-bars .share")].map((share) => share.textContent);
    });
    const after = await sure.jsonValue(); // of the same moment: the training goes on
    await page.click("#clear");
    await draw(page, 7);
    await page.waitForFunction(() => document.querySelector("#yours-bars .best .name")?.textContent === "7");
    await page.click("#clear");
    await page.waitForFunction(() => !document.querySelector("#yours-bars .best"));
    await page.click("nav a[href='#read']");
    await page.waitForFunction(() => document.getElementById("result").checkVisibility());
    await page.goBack();
    await page.waitForFunction(() => document.getElementById("train-run").textContent === "Go on"); // it paused
    return { before, after };
  },
  async phone() {
    const page = await open(one_file, { ...PHONE, locale: "zh-CN", colorScheme: "dark" });
    await page.tap("nav a[href='#train']");
    await page.locator("#train-run:enabled").waitFor();
    const inView = await page.locator("#train-run").evaluate((button) => button.getBoundingClientRect().bottom <= innerHeight);
    await page.tap("#train-run");
    await page.waitForFunction(() => Number.parseFloat(document.getElementById("train-accuracy").textContent) > 80);
    const seen = () => page.evaluate(() => ({
      overflow: document.documentElement.scrollWidth - innerWidth,
      title: document.getElementById("train-title").textContent,
      run: document.getElementById("train-run").textContent,
      knob: document.querySelector("#knobs label").textContent,
      wrong: document.getElementById("wrong-count").textContent,
    }));
    const chinese = await seen();
    await page.tap("#language");
    await page.waitForFunction(() => document.getElementById("train-run").textContent === "Pause");
    return { inView, chinese, english: await seen() };
  },
  async keyboard() {
    const page = await open(one_file);
    await tabTo(page, "nav a[href='#train']");
    await page.keyboard.press("Enter");
    await page.locator("#train-run:enabled").waitFor();
    await tabTo(page, "#train-run");
    const outline = await page.locator(":focus").evaluate((e) => getComputedStyle(e).outlineStyle);
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.getElementById("train-status").textContent);
    await tabTo(page, "#knob-batch");
    await page.keyboard.press("End");
    await tabTo(page, "#pad");
    await page.keyboard.press("Space");
    for (let i = 0; i < 14; i++) await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Space");
    await page.waitForFunction(() => document.querySelector("#yours-bars .best .name")?.textContent === "1");
    return { outline, batch: await page.locator("#knob-batch").getAttribute("aria-valuetext") };
  },
  async axe() {
    const found = {};
    for (const colorScheme of ["light", "dark"]) {
      const page = await openTraining({ colorScheme });
      found[`${colorScheme} new`] = await barriers(page);
      await page.click("summary");
      await page.click("#train-step");
      await draw(page, 5);
      await page.waitForFunction(() => document.querySelector("#yours-bars .best"));
      found[colorScheme] = await barriers(page);
    }
    return found;
  },
  async served() {
    server = await serve(spec.server);
    const page = await open(server.url);
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => null));
    await page.waitForFunction(() => navigator.serviceWorker.controller);
    await toTraining(page);
    const about = await page.textContent("#train-data");
    await page.click("#train-run");
    await page.waitForFunction(() => document.getElementById("train-status").textContent, null, { timeout: 60_000 });
    const learned = await accuracy(page);
    await server.stop();
    await page.reload();
    await page.locator("#train-run:enabled").waitFor();
    await page.click("#train-step");
    await page.waitForFunction(() => document.getElementById("train-progress").textContent.includes("image 32 of 60,000"));
    return { about, learned, offline: await page.textContent("#train-data"), url: server.url };
  },
};

const one_file = pathToFileURL(spec.one_file).href;

/** The one-file page, with the view "Train" open and ready. */
async function openTraining(options) {
  const page = await open(one_file, options);
  await toTraining(page);
  return page;
}

async function toTraining(page) {
  await page.click("nav a[href='#train']");
  await page.locator("#train-run:enabled").waitFor();
}

const accuracy = async (page) => Number.parseFloat(await page.textContent("#train-accuracy"));

/** How many images it has learnt from. */
async function learnt(page) {
  const [pass, within, size] = (await page.textContent("#train-progress")).replaceAll(",", "").match(/\d+/g).map(Number);
  return (pass - 1) * size + within;
}

function curves(page) {
  return page.evaluate(() => ({
    learning: document.querySelector("#train-loss-chart polyline.learning").points.length,
    tests: document.querySelector("#train-accuracy-chart polyline.test").points.length,
    changes: document.querySelectorAll("#train-loss-chart .change").length,
    label: document.getElementById("train-loss-chart").getAttribute("aria-label"),
    picture: document.getElementById("units").toDataURL().length,
  }));
}

const bars = (page) => page.locator("#yours-bars .share").allTextContents();

/** Wait until another pass has been tested. */
/** Turn a knob, and wait until the chart shows it and a later test: two changes at one step would be one line. */
async function turned(page, turn) {
  const { changes } = await curves(page);
  await turn();
  await page.waitForFunction((former) => document.querySelectorAll("#train-loss-chart .change").length > former, changes);
  await nextTest(page);
}

async function nextTest(page) {
  await page.waitForFunction((former) => document.getElementById("train-status").textContent !== former, await page.textContent("#train-status"));
}

await run(CHECKS);
await server?.stop();
