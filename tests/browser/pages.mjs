// What the checks of the views share: pages in one browser, of which every error and every request is noted.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { launch } from "./chrome.mjs";

export const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };
const browser = await launch();
const errors = [];
const requests = [];

export async function open(url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1100, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("request", (request) => requests.push(request.url()));
  await page.goto(url);
  return page;
}

/** Press Tab until an element has the focus. */
export async function tabTo(page, selector) {
  for (let i = 0; i < 60 && !(await page.locator(selector).first().evaluate((e) => e === document.activeElement)); i++) await page.keyboard.press("Tab");
}

/** What axe-core finds in a page as it is now. */
export async function barriers(page) {
  await page.evaluate(await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"));
  return page.evaluate(async () => (await window.axe.run()).violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html}`)));
}

/** Run checks one after the other, close the browser, and print as JSON what they returned, the errors and the requests. */
export async function run(checks) {
  const results = {};
  for (const [name, check] of Object.entries(checks)) {
    const started = performance.now();
    try {
      results[name] = await check();
    } catch (error) {
      results[name] = { error: String(error.stack ?? error) };
    }
    for (const context of browser.contexts()) await context.close();
    console.error(`${name}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  }
  await browser.close();
  console.log(JSON.stringify({ ...results, errors, requests: [...new Set(requests.map((url) => url.replace(/^(blob:null).*/, "$1")))] }));
}
