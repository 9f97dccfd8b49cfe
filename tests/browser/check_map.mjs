// node check_map.mjs SPEC.json: looks at the map as people do, and prints what came of it as JSON.
// SPEC.json names the one-file page, a photo of a 5, and the command of a server with a LiteRT model beside a TensorFlow.js model.
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { PHONE, barriers, open, run, tabTo } from "./pages.mjs";
import { serve } from "./server.mjs";
import { draw } from "./strokes.mjs";

const spec = JSON.parse(await readFile(process.argv[2], "utf8"));
const one_file = pathToFileURL(spec.one_file).href;
const server = await serve(spec.server);

const CHECKS = {
  async drawing() {
    const page = await openMap(one_file);
    const found = { note: await page.textContent("#map-note"), nothing: await page.textContent("#neighbours-said"), neighbours: {} };
    for (const digit of [0, 1, 7]) {
      await draw(page, digit);
      await moved(page, digit);
      found.neighbours[digit] = await neighbours(page);
      found.label = await page.getAttribute("#map", "aria-label");
      await page.click("#clear");
    }
    await page.waitForFunction(() => !document.querySelector("#neighbours li"));
    return found;
  },
  async moves() {
    const page = await openMap(one_file);
    await draw(page, 1);
    await moved(page, 1);
    const before = await picture(page);
    await page.click("#undo");
    await draw(page, 0);
    await moved(page, 0);
    return { before, after: await picture(page) };
  },
  async photo() {
    const page = await openMap(one_file);
    await page.setInputFiles("#file", spec.photo);
    await moved(page, 5);
    return neighbours(page);
  },
  async pointing() {
    const page = await openMap(one_file);
    const box = await page.locator("#map").boundingBox();
    const said = new Set();
    for (let y = 20; y < box.height; y += 40) {
      for (let x = 20; x < box.width; x += 40) {
        await page.mouse.move(box.x + x, box.y + y);
        said.add(await page.textContent("#map-chosen"));
      }
    }
    return { said: [...said], pictures: await page.locator("#map-chosen canvas").count() };
  },
  async models() {
    const page = await openMap(server.url);
    const note = await page.textContent("#map-note");
    await page.locator("#models label", { hasText: "LiteRT" }).click();
    await page.waitForFunction(() => document.getElementById("map").hidden);
    const lite = await page.textContent("#map-note");
    await page.locator("#models label", { hasText: "TensorFlow.js" }).click();
    await page.locator("#map[aria-label]").waitFor();
    await draw(page, 8);
    await moved(page, 8);
    await page.click("nav a[href='#read']");
    await page.waitForFunction(() => document.getElementById("digit").textContent === "8");
    await page.goBack();
    await page.waitForFunction(() => document.getElementById("map").checkVisibility());
    return { note, lite, neighbours: await neighbours(page), url: server.url };
  },
  async phone() {
    const page = await open(one_file, { ...PHONE, locale: "zh-CN", colorScheme: "dark" });
    await page.tap("nav a[href='#map']");
    await complete(page);
    await draw(page, 4);
    await moved(page, 4);
    const seen = () => page.evaluate(() => ({
      overflow: document.documentElement.scrollWidth - innerWidth,
      title: document.getElementById("map-title").textContent,
      said: document.getElementById("neighbours-said").textContent,
    }));
    const chinese = await seen();
    await page.tap("#language");
    return { chinese, english: await seen() };
  },
  async keyboard() {
    const page = await open(one_file);
    await tabTo(page, "nav a[href='#map']");
    await page.keyboard.press("Enter");
    await complete(page);
    await tabTo(page, "#pad");
    await page.keyboard.press("Space");
    for (let i = 0; i < 14; i++) await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Space");
    await moved(page, 1);
    return { neighbours: await neighbours(page), announced: await page.textContent("#map-progress") };
  },
  async axe() {
    const found = {};
    for (const colorScheme of ["light", "dark"]) {
      const page = await openMap(one_file, { colorScheme });
      await draw(page, 5);
      await moved(page, 5);
      found[colorScheme] = await barriers(page);
    }
    return found;
  },
};

async function openMap(url, options) {
  const page = await open(`${url}#map`, options);
  await complete(page);
  return page;
}

/** Wait until the map is complete. */
const complete = (page) => page.waitForFunction(() => document.getElementById("map-progress").textContent);

/** Wait until the drawing lies nearest to an image of a digit. */
async function moved(page, digit) {
  await page.waitForFunction((label) => document.querySelector("#neighbours li")?.textContent === String(label), digit);
}

const neighbours = (page) => page.locator("#neighbours li").allTextContents();
const picture = (page) => page.evaluate(() => document.getElementById("map").toDataURL());

await run(CHECKS);
await server.stop();
