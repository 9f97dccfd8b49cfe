// node check_break.mjs SPEC.json: breaks networks in the page as people do, and prints what came of it as JSON.
// SPEC.json names two one-file pages, one with names for the classes, and the command of a server with two models.
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { PHONE, barriers, open, run, tabTo } from "./pages.mjs";
import { serve } from "./server.mjs";
import { draw } from "./strokes.mjs";

const spec = JSON.parse(await readFile(process.argv[2], "utf8"));
const one_file = pathToFileURL(spec.one_file).href;
const server = await serve(spec.server);
const BITS = { 1: 0, 2: 1, 4: 2, 8: 3, 32: 4 }; // the places of the slider

const CHECKS = {
  async damage() {
    const page = await openBreaking(one_file);
    await draw(page, 3);
    const found = { whole: await seen(page) };
    const damaged = async (name, break_) => {
      await break_();
      await measured(page);
      found[name] = await seen(page);
      await page.click("#damage-undo");
      await measured(page);
    };
    await damaged("zero", () => page.check("#layer-1-zero"));
    await damaged("bit", () => page.fill("#layer-0-bits", String(BITS[1])));
    await damaged("bytes", () => page.fill("#layer-0-bits", String(BITS[8])));
    await damaged("noise", () => page.fill("#layer-0-noise", "9"));
    await damaged("units", () => page.fill("#layer-1-units", "2"));
    await damaged("bias", () => page.check("#layer-0-noBias"));
    await damaged("right", () => page.fill("#image-right", "20"));
    await damaged("turn", () => page.fill("#image-turn", "24"));
    await damaged("pen", () => page.fill("#image-pen", "0"));
    await damaged("grain", () => page.fill("#image-noise", "9"));
    return { ...found, undone: await seen(page) };
  },
  async weights() {
    const page = await openBreaking(server.url);
    const found = { whole: await answers(page) };
    await page.fill("#layer-0-noise", "3");
    await page.fill("#layer-4-bits", String(BITS[2]));
    await measured(page);
    found.damaged = await answers(page);
    await page.click("nav a[href='#read']");
    await page.waitForFunction(() => document.getElementById("result").checkVisibility());
    found.left = await answers(page);
    await page.goBack();
    await measured(page);
    found.back = await answers(page);
    found.kept = await page.locator("#layer-0-noise").inputValue();
    await page.click("#damage-undo");
    await measured(page);
    return { ...found, undone: await answers(page), said: await page.textContent("#effect-status") };
  },
  async hasty() {
    const page = await open(`${server.url}#break`);
    await page.fill("#layer-0-noise", "3"); // before the accuracy of the whole network is known
    await page.waitForFunction(() => document.getElementById("effect-accuracy").textContent === "…");
    await page.click("nav a[href='#read']");
    await page.waitForFunction(() => document.getElementById("result").checkVisibility());
    const left = await answers(page);
    await page.goBack();
    await measured(page);
    return { left, back: await answers(page), said: await page.textContent("#effect-status") };
  },
  async models() {
    const page = await openBreaking(server.url);
    const whole = await answers(page);
    await draw(page, 8);
    await page.check("#layer-4-zero");
    await page.fill("#image-down", "20");
    await chooseModel(page, "LiteRT", 0);
    const lite = { ...await seen(page), note: await page.textContent("#damage-note"), down: await page.locator("#image-down").inputValue() };
    await page.fill("#image-noise", "9"); // its accuracy is being measured when it is closed
    await chooseModel(page, "TensorFlow.js", 5);
    return { whole, lite, again: await answers(page), ...await seen(page) };
  },
  async excites() {
    const page = await openBreaking(one_file);
    const units = [];
    for (const unit of [0, 1, 7]) {
      await page.fill("#excites-unit", String(unit));
      units.push({ labels: await page.locator("#excites-images b").allTextContents(), said: await page.textContent("#excites-status") });
    }
    const hidden = page.locator("#layers li:nth-child(2) canvas");
    const box = await hidden.boundingBox();
    await hidden.click({ position: { x: box.width * 0.35, y: 9 } }); // of ten units in a row the fourth
    const clicked = await page.locator("#excites-choice output").textContent();
    const weights = await page.locator("#excites-weights canvas").evaluate(({ width, height }) => [width, height]);
    await page.check("#layer-0-zero");
    await measured(page);
    const dead = await page.textContent("#excites-said");
    await page.selectOption("#excites-layer", "1");
    await page.click("#damage-undo");
    await measured(page);
    const output = { weights: await page.locator("#excites-weights").isVisible(), images: await page.locator("#excites-images li").count() };
    return { units, clicked, weights, dead, output };
  },
  async convolutions() {
    const page = await openBreaking(server.url);
    const frames = [];
    for (const layer of [0, 4]) {
      await page.selectOption("#excites-layer", String(layer));
      await measured(page);
      frames.push(await page.locator(".excited-image i").evaluateAll((all) => all.map(({ style }) => Number.parseFloat(style.width) * 0.28)));
    }
    return { frames, about: await page.textContent("#excites-said"), count: await page.textContent("#effect-count") };
  },
  async smooth() {
    const page = await openBreaking(server.url);
    await page.evaluate(() => {
      window.frames_ = [];
      const frame = (now) => window.frames_.push(now) && requestAnimationFrame(frame);
      requestAnimationFrame(frame);
    });
    await page.fill("#layer-0-noise", "3");
    await measured(page);
    return page.evaluate(() => window.frames_.slice(1).map((now, i) => now - window.frames_[i]));
  },
  async named() {
    const page = await openBreaking(pathToFileURL(spec.named).href);
    await draw(page, 3);
    await page.check("#layer-1-zero");
    await measured(page);
    return { said: await page.textContent("#effect-said"), count: await page.textContent("#effect-count"), names: await page.locator("#effect-bars .name").allTextContents() };
  },
  async phone() {
    const page = await openBreaking(one_file, { ...PHONE, locale: "zh-CN", colorScheme: "dark" });
    await page.tap("#layer-1-zero");
    await measured(page);
    const shown = () => page.evaluate(() => ({
      overflow: document.documentElement.scrollWidth - innerWidth,
      titles: [...document.querySelectorAll("#damage-title, #excites-title, .damage legend")].map((title) => title.textContent),
      accuracy: document.getElementById("damage-accuracy").textContent,
      buttons: [...document.querySelectorAll(".breaking button, .tick")].map((button) => button.getBoundingClientRect().height),
    }));
    const chinese = await shown();
    await page.tap("#language");
    await page.waitForFunction(() => document.getElementById("damage-title").textContent === "Image and network");
    return { chinese, english: await shown() };
  },
  async keyboard() {
    const page = await open(one_file);
    await tabTo(page, "nav a[href='#break']");
    await page.keyboard.press("Enter");
    await measured(page);
    await tabTo(page, "#image-noise");
    await page.keyboard.press("End");
    await tabTo(page, "#layer-0-bits");
    const outline = await page.locator(":focus").evaluate((e) => getComputedStyle(e).outlineStyle);
    await page.keyboard.press("Home");
    await tabTo(page, "#layer-1-noBias");
    await page.keyboard.press("Space");
    await measured(page);
    const broken = await page.locator("#layer-0-bits, #layer-1-noBias:checked").count();
    const texts = await page.locator("#image-noise, #layer-0-bits").evaluateAll((all) => all.map((input) => input.ariaValueText));
    await tabTo(page, "#excites-layer");
    await page.keyboard.press("ArrowDown");
    await measured(page);
    await tabTo(page, "#excites-unit");
    await page.keyboard.press("End");
    const unit = await page.locator("#excites-unit").getAttribute("aria-valuetext");
    await tabTo(page, "#damage-undo");
    await page.keyboard.press("Enter");
    await measured(page);
    return { outline, broken, texts, unit, undone: await page.locator("#damage-undo").isDisabled() };
  },
  async axe() {
    const found = {};
    for (const colorScheme of ["light", "dark"]) {
      const page = await openBreaking(one_file, { colorScheme });
      found[`${colorScheme} new`] = await barriers(page);
      await draw(page, 5);
      await page.check("#layer-1-zero");
      await measured(page);
      found[colorScheme] = await barriers(page);
    }
    return found;
  },
};

/** A page with the view "Break" open, and all measured. */
async function openBreaking(url, options) {
  const page = await open(url, options);
  await page.click("nav a[href='#break']");
  await measured(page);
  return page;
}

/** Wait until the accuracy and what excites the units have been measured. */
async function measured(page) {
  await page.waitForFunction(() => document.getElementById("effect").ariaBusy === "false");
}

/** Choose a model whose layers have so many rows, and wait until it is measured. */
async function chooseModel(page, runtime, rows) {
  await page.locator("#models label", { hasText: runtime }).first().click();
  await page.waitForFunction((count) => document.querySelectorAll("#damage-layers fieldset").length === count, rows);
  await measured(page);
}

/** What the view says of the drawing and of the test images. */
function seen(page) {
  return page.evaluate(() => ({
    accuracy: Number.parseFloat(document.getElementById("effect-accuracy").textContent),
    status: document.getElementById("effect-status").textContent,
    said: document.getElementById("effect-said").textContent,
    shares: [...document.querySelectorAll("#effect-bars .share")].map((share) => share.textContent),
    image: document.getElementById("effect-image").toDataURL(),
  }));
}

/** The probabilities of the open model of the served page for 50 images, each number as its bits. */
function answers(page) {
  return page.evaluate(async () => {
    const { currentModel } = await import(document.querySelector("script[type=module]").src);
    const pixels = Float32Array.from({ length: 50 * 784 }, (_, i) => ((Math.floor(i / 784) + 1) * (i % 784) * 37 % 101) / 100);
    const numbers = await currentModel().run(pixels, 50);
    return [...new Uint32Array(Float32Array.from(numbers).buffer)].map((bits) => bits.toString(16)).join(" ");
  });
}

await run({ ...CHECKS, url: () => server.url });
await server.stop();
