// node check_teach.mjs SPEC.json: teaches a network in the page as people do, and prints what came of it as JSON.
// SPEC.json names the one-file pages, the command of the server, files to open, and the folder for what is saved.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { PHONE, barriers, open, run, tabTo } from "./pages.mjs";
import { serve } from "./server.mjs";
import { draw, finger, mouse, shaky } from "./strokes.mjs";

const spec = JSON.parse(await readFile(process.argv[2], "utf8"));
let server = null;

const CHECKS = {
  async teaches() {
    const page = await openTeaching("digits");
    const before = await readsOf(page, ["Γ", 7]);
    const first = await bytes(page, "untaught.tfjs", "#lesson-save");
    const needs = [await needed(page)];
    for (let n = 0; n < 10; n++) {
      await drawn(page, "Γ");
      if (n % 2) await page.keyboard.press("7");
      else await page.click("#labels button >> nth=7");
      await cleared(page);
      if (n === 8) needs.push(await needed(page));
    }
    needs.push(await needed(page));
    const added = await page.textContent("#teach-status");
    await page.click("#lesson-run");
    await page.click("#lesson-run");
    const cancelled = await ended(page);
    const same = (await bytes(page, "cancelled.tfjs", "#lesson-save")) === first;
    const smooth = await lesson(page);
    const taught = await ended(page);
    const after = await readsOf(page, ["Γ", "Γ", "Γ", 7, 7, 1, 4]);
    const changed = await bytes(page, "taught.tfjs", "#lesson-save");
    const read = [await inRead(page, "Γ"), await inRead(page, 4)];
    const table = await page.locator("#lesson-result").isVisible(); // the lesson is still there
    await page.click("#lesson-undo");
    const undone = await page.textContent("#teach-status");
    const undo = (await bytes(page, "undone.tfjs", "#lesson-save")) === first;
    const again = await readsOf(page, ["Γ"]);
    read.push(await inRead(page, "Γ"));
    return { read, before, needs, added, cancelled, same, taught, table, after, smooth, changed: changed !== first, undone, undo, again };
  },
  async keeps() {
    const page = await openTeaching("digits");
    await fill(page, spec.files.stored);
    const before = await kinds(page);
    await page.reload();
    await ready(page);
    const after = await kinds(page);
    await page.click("#own button >> nth=1");
    const [one, said] = [await kinds(page), await page.textContent("#teach-status")];
    await page.click("#own-clear");
    const asked = await page.textContent("#own-question");
    await page.click("#own-keep");
    const kept = await kinds(page);
    await page.click("#own-clear");
    await page.click("#own-remove");
    const none = await kinds(page);
    await page.evaluate(() => localStorage.setItem("hello-mnist-drawings-10", '[[7,"broken"]]'));
    await page.reload();
    await ready(page);
    const damaged = await kinds(page);
    await page.evaluate(() => localStorage.setItem("hello-mnist-drawings-10", "{"));
    await page.reload();
    await ready(page);
    return { before, after, one, said, asked, kept, none, damaged, broken: await kinds(page), note: await page.locator("#own-stored").isVisible() };
  },
  async blocked() {
    const page = await open("about:blank");
    await page.addInitScript(() => Object.defineProperty(window, "localStorage", { get() { throw new DOMException("blocked", "SecurityError"); } }));
    await page.goto(`${url("digits")}#teach`);
    await ready(page);
    await fill(page, spec.files.stored);
    return { kinds: await kinds(page), note: await page.locator("#own-stored").isVisible() };
  },
  async files() {
    const page = await openTeaching("digits");
    await drawn(page, 5);
    await page.keyboard.press("5");
    await cleared(page);
    await save(page, "one.npz", "#own-save");
    const hostile = {};
    for (const [name, path] of Object.entries(spec.hostile)) {
      await page.setInputFiles("#own-file", path);
      await page.waitForFunction(() => document.getElementById("own-problem").textContent);
      hostile[name] = [await page.textContent("#own-problem"), await kinds(page)];
      await page.click("#language"); // the problem is said in the other language, too
      await page.waitForFunction((former) => document.getElementById("own-problem").textContent !== former, hostile[name][0]);
      await page.click("#language");
      await answered(page);
      await page.evaluate(() => (document.getElementById("own-problem").textContent = "")); // so that the next one is seen to come
    }
    const opened = [];
    for (const path of [spec.files.stored, spec.files.compressed, join(spec.folder, "one.npz")]) {
      await page.click("#own-clear");
      await page.click("#own-remove");
      await fill(page, path);
      opened.push([await kinds(page), await page.textContent("#teach-status"), await page.textContent("#own-problem")]);
    }
    await fill(page, spec.files.stored);
    await save(page, "all.npz", "#own-save");
    await fill(page, join(spec.folder, "all.npz"));
    return { hostile, opened, twice: [await kinds(page), await page.textContent("#teach-status")] };
  },
  async words() {
    const page = await openTeaching("words");
    await fill(page, spec.files.few);
    await drawn(page, 1);
    await page.focus("#pad");
    await page.keyboard.press("1"); // not a class of that name
    const labels = await page.locator("#labels button").allTextContents();
    await page.click("#labels button >> nth=2");
    await cleared(page);
    const [about, keys] = [await page.textContent("#lesson-about"), await page.locator("#asked-keys").isVisible()];
    await lesson(page);
    return { labels, kinds: await kinds(page), about, keys, taught: await ended(page), row: await page.textContent("#lesson-tests") };
  },
  async other() {
    const page = await openTeaching("other");
    return { about: await page.textContent("#lesson-about"), controls: await page.locator("#lesson").isVisible() };
  },
  async phone() {
    const page = await open(`${url("digits")}#teach`, { ...PHONE, locale: "zh-CN", colorScheme: "dark" });
    await ready(page);
    await fill(page, spec.files.stored);
    await drawn(page, 3, await finger(page));
    // Chromium makes no click of a tap that follows a stroke within some milliseconds.
    while (!(await page.textContent("#own-count")).includes("25")) await page.tap("#labels button >> nth=3");
    await cleared(page);
    await page.tap("#lesson-run");
    const said = await ended(page);
    const seen = () => page.evaluate(() => ({
      overflow: document.documentElement.scrollWidth - innerWidth,
      small: [...document.querySelectorAll(".teaching button")].filter((button) => button.checkVisibility() && Math.min(button.offsetHeight, button.offsetWidth) < 44).length,
      text: ["own-title", "own-count", "lesson-run", "lesson-title", "asked-said", "lesson-tests", "lesson-about"].map((id) => document.getElementById(id).textContent),
    }));
    const chinese = await seen();
    await page.tap("#language");
    await page.waitForFunction(() => document.getElementById("lesson-run").textContent === "Teach");
    return { said, chinese, english: await seen() };
  },
  async keyboard() {
    const page = await open(url("digits"));
    await tabTo(page, "nav a[href='#teach']");
    await page.keyboard.press("Enter");
    await ready(page);
    await tabTo(page, "#pad");
    for (let n = 0; n < 10; n++) {
      await page.keyboard.press("Space");
      for (let i = 0; i < 8 + n; i++) await page.keyboard.press("ArrowDown");
      for (let i = 0; i < 8; i++) await page.keyboard.press("ArrowRight");
      await answered(page);
      await page.keyboard.press("1"); // with the pen still down
      await cleared(page);
      for (let i = 0; i < 30; i++) await page.keyboard.press(i < 18 ? "ArrowUp" : "ArrowLeft");
    }
    await tabTo(page, "#own button");
    await page.keyboard.press("Enter");
    const focus = await page.evaluate(() => document.activeElement.getAttribute("aria-label"));
    const needs = await needed(page);
    await tabTo(page, "#pad");
    await page.keyboard.press("Space");
    for (let i = 0; i < 9; i++) await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Space");
    await answered(page);
    await tabTo(page, "#labels button:nth-child(2)");
    await page.keyboard.press("Enter");
    await cleared(page);
    await tabTo(page, "#lesson-run");
    await page.keyboard.press("Enter");
    const said = await ended(page);
    await tabTo(page, "#lesson-undo");
    await page.keyboard.press("Enter");
    const undone = await page.evaluate(() => document.activeElement.id);
    await tabTo(page, "#own-clear");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Escape");
    return { focus, needs, said, undone, kinds: await kinds(page) };
  },
  async axe() {
    const page = await openTeaching("digits");
    const found = { new: await barriers(page) };
    await fill(page, spec.files.stored);
    await page.click("#lesson-run");
    await ended(page);
    await drawn(page, 2);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      found[`${colorScheme} taught`] = await barriers(page);
      await page.click("#own-clear");
      found[`${colorScheme} asked`] = await barriers(page);
      await page.click("#own-keep");
    }
    return found;
  },
  async served() {
    server = await serve(spec.server);
    const page = await open(`${server.url}#teach`);
    await ready(page);
    await fill(page, spec.files.stored);
    await page.click("#lesson-run");
    const taught = await ended(page);
    await save(page, "served.tfjs", "#lesson-save");
    const images = [...(await readFile(spec.images))];
    const probabilities = await page.evaluate(async (values) => {
      const { currentModel } = await import(document.querySelector("script[type=module]").src);
      return [...(await currentModel().run(Float32Array.from(values, (value) => value / 255), values.length / 784))];
    }, images);
    const tests = await page.textContent("#lesson-tests");
    await page.locator("#models input >> nth=0").check();
    await page.waitForFunction(() => !document.getElementById("lesson").checkVisibility());
    const lite = { about: await page.textContent("#lesson-about"), kinds: await kinds(page) };
    return { taught, tests, probabilities, lite, url: server.url };
  },
};

const url = (name) => pathToFileURL(spec.pages[name]).href;

/** A one-file page, with the view "Teach" open and ready. */
async function openTeaching(name, options) {
  const page = await open(`${url(name)}#teach`, options);
  await ready(page);
  return page;
}

async function ready(page) {
  await page.locator("#labels button").first().waitFor();
  await answered(page);
}

/** Wait until the view has answered the last stroke. */
const answered = (page) => page.waitForFunction(() => document.getElementById("result").ariaBusy === "false");

/** Draw a character, each time a little different, and wait for the answer. */
async function drawn(page, character, by = mouse(page)) {
  await draw(page, character, shaky(by));
  await answered(page);
  await page.focus("#pad");
}

async function cleared(page) {
  await page.waitForFunction(() => !document.getElementById("asked-digit").textContent);
  await answered(page);
}

/** What the network reads where these are drawn. */
async function readsOf(page, characters) {
  const said = [];
  for (const character of characters) {
    await drawn(page, character);
    said.push(await page.textContent("#asked-digit"));
    await page.click("#clear");
    await cleared(page);
  }
  return said;
}

/** What the view "Read" reads where this is drawn. */
async function inRead(page, character) {
  await page.click("nav a[href='#read']");
  await page.waitForFunction(() => document.getElementById("result").checkVisibility());
  await answered(page);
  await drawn(page, character);
  const read = await page.textContent("#digit");
  await page.click("#clear");
  await page.goBack();
  await page.locator("#labels").waitFor();
  return read;
}

const needed = async (page) => [await page.isEnabled("#lesson-run"), await page.textContent("#lesson-needs")];
const kinds = (page) => page.locator("#own h3").allTextContents();

/** Open a file, and wait until its drawings are there. */
async function fill(page, path) {
  await page.evaluate(() => (document.getElementById("teach-status").textContent = ""));
  await page.setInputFiles("#own-file", path);
  await page.waitForFunction(() => document.getElementById("teach-status").textContent);
}

/** Teach, and count the frames meanwhile: how long the longest took, in milliseconds. */
async function lesson(page) {
  await page.evaluate(() => (document.getElementById("teach-status").textContent = ""));
  await page.click("#lesson-run");
  return page.evaluate(async () => {
    const frames = [performance.now()];
    while (document.getElementById("lesson-progress").checkVisibility()) {
      await new Promise(requestAnimationFrame);
      frames.push(performance.now());
    }
    return frames.slice(1).map((now, i) => now - frames[i]);
  });
}

/** Wait until the lesson has ended, and return what is said then. */
async function ended(page) {
  await page.locator("#lesson-progress").waitFor({ state: "hidden" });
  await page.waitForFunction(() => /^(Taught|Cancelled|训练完成)/.test(document.getElementById("teach-status").textContent));
  return page.textContent("#teach-status");
}

async function save(page, name, button) {
  const [download] = await Promise.all([page.waitForEvent("download"), page.click(button)]);
  const path = join(spec.folder, name);
  await download.saveAs(path);
  return { path, suggested: download.suggestedFilename() };
}

async function bytes(page, name, button) {
  return (await readFile((await save(page, name, button)).path)).toString("base64");
}

await run(CHECKS);
await server?.stop();
