// node draw_digits.mjs URL: draws the ten digits on a page and prints as JSON what it reads.
import { launch } from "./chrome.mjs";
import { draw, ready, said } from "./strokes.mjs";

const browser = await launch();
const page = await (await browser.newContext({ viewport: { width: 1000, height: 800 } })).newPage();
const errors = [];
page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
page.on("pageerror", (error) => errors.push(String(error)));
await page.goto(process.argv[2]);
await ready(page);
const digits = [];
for (let digit = 0; digit < 10; digit++) {
  await draw(page, digit);
  await said(page);
  digits.push(await page.textContent("#digit"));
  await page.click("#clear");
}
const layers = await page.locator("#layers canvas").evaluateAll((all) => all.map(({ ariaLabel, width, height }) => [ariaLabel, width, height]));
await browser.close();
console.log(JSON.stringify({ digits, layers, errors }));
