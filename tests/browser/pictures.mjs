// node pictures.mjs FOLDER: photographs the page for the README, on a desktop in light and on a phone in the dark,
// and the view "Train" after some passes.
import { join } from "node:path";
import { launch } from "./chrome.mjs";
import { serve } from "./server.mjs";
import { draw, ready, said } from "./strokes.mjs";

const ROOT = join(import.meta.dirname, "..", "..");
const SERVER = ["python", join(ROOT, "tests", "browser", "static_server.py"), join(ROOT, "src", "study_keras", "page", "dist")];
const PICTURES = {
  "page.png": [8, { viewport: { width: 1120, height: 800 } }],
  "page_phone.png": [2026, { viewport: { width: 390, height: 800 }, isMobile: true, deviceScaleFactor: 1.5, colorScheme: "dark" }],
};

const server = await serve(SERVER);
const browser = await launch();
for (const [name, [number, options]] of Object.entries(PICTURES)) {
  const page = await browser.newPage({ ...options, bypassCSP: true }); // for addStyleTag
  await page.goto(server.url);
  await ready(page);
  await draw(page, number);
  await said(page);
  await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished)));
  await page.addStyleTag({ content: "#other { display: none !important }" }); // the packaged browser has no Chinese font
  await page.screenshot({ path: join(process.argv[2], name), fullPage: !options.isMobile });
}
const page = await browser.newPage({ viewport: { width: 1120, height: 1130 }, bypassCSP: true });
await page.route("**/mnist.npz", (route) => route.fulfill({ path: join(ROOT, "src", "study_keras", "data", "mnist.npz") }));
await page.goto(`${server.url}#train`);
await page.locator("#train-run:enabled").waitFor();
await draw(page, 3);
await page.click("#train-run");
await page.waitForFunction(() => document.getElementById("train-progress").textContent.startsWith("Pass 6"), null, { timeout: 120_000 });
await page.click("#train-run");
await page.addStyleTag({ content: "#other { display: none !important }" });
await page.screenshot({ path: join(process.argv[2], "train.png") });
await browser.close();
await server.stop();
