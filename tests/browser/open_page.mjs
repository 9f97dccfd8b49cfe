// node open_page.mjs URL [SCREENSHOT] [dark]: opens a page and prints as JSON what a person and its developer see.
import { launch } from "./chrome.mjs";

const [url, screenshot, scheme] = process.argv.slice(2);
const browser = await launch();
const context = await browser.newContext({ viewport: { width: 1000, height: 800 }, colorScheme: scheme ?? "light" });
const page = await context.newPage();
const requests = [];
const errors = [];
page.on("request", (request) => requests.push(request.url().slice(0, 100)));
page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
page.on("pageerror", (error) => errors.push(String(error)));
await page.goto(url);
const seen = await page.evaluate(() => ({
  title: document.title,
  headings: [...document.querySelectorAll("h1, h2")].map((heading) => heading.textContent),
  pictures: [...document.images].map((image) => ({ alt: image.alt, width: image.naturalWidth })),
  text: document.body.innerText,
}));
if (screenshot) await page.screenshot({ path: screenshot, fullPage: screenshot.includes("full") });
await browser.close();
console.log(JSON.stringify({ ...seen, requests, errors }));
