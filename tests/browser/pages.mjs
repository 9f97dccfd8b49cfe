// What the scripts share that check a view: one browser whose errors and requests are kept, and checks by name.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { launch } from "./chrome.mjs";

export const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };

/** A browser; `open` opens a page in a context of its own. */
export async function openBrowser() {
  const browser = await launch();
  const [errors, requests] = [[], []];
  return {
    browser,
    errors,
    requests,
    async open(url, options = {}) {
      const context = await browser.newContext({ viewport: { width: 1100, height: 900 }, ...options });
      const page = await context.newPage();
      page.setDefaultTimeout(60_000);
      page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
      page.on("pageerror", (error) => errors.push(String(error)));
      page.on("request", (request) => requests.push(request.url()));
      await page.goto(url);
      return page;
    },
  };
}

/** Run each check, say how long it took, and print what came of them, the errors and the requests as JSON. */
export async function runChecks(checks, { browser, errors, requests }, end = () => {}) {
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
  await end();
  console.log(JSON.stringify({ ...results, errors, requests: [...new Set(requests.map((url) => url.replace(/^(blob:null).*/, "$1")))] }));
}

/** Press Tab until an element has the focus. */
export async function tabTo(page, selector) {
  for (let i = 0; i < 60 && !(await page.locator(selector).first().evaluate((e) => e === document.activeElement)); i++) await page.keyboard.press("Tab");
}

/** What axe-core finds, as texts. */
export async function violations(page) {
  await page.evaluate(await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"));
  return page.evaluate(async () => (await window.axe.run()).violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html}`)));
}
