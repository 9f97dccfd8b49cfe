// node pictures.mjs FOLDER: photographs the page for the README, on a desktop in light and on a phone in the dark; the
// views "Train", "Map" and "Break"; and the training as an animated picture.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launch } from "./chrome.mjs";
import { serve } from "./server.mjs";
import { draw, mouse, ready, said, shaky } from "./strokes.mjs";

const ROOT = join(import.meta.dirname, "..", "..");
const SERVER = ["python", join(ROOT, "tests", "browser", "static_server.py"), join(ROOT, "src", "study_keras", "page", "dist")];
const PICTURES = {
  "page.png": [8, { viewport: { width: 1120, height: 1000 } }],
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
  await page.screenshot({ path: join(process.argv[2], name) });
}
// The other views, with MNIST, which a server of static files lacks.
async function openView(view, number, height) {
  const page = await browser.newPage({ viewport: { width: 1120, height }, bypassCSP: true, serviceWorkers: "block" }); // it would answer for `route`
  await page.route("**/mnist.npz", (route) => route.fulfill({ path: join(ROOT, "src", "study_keras", "data", "mnist.npz") }));
  await page.goto(`${server.url}#${view}`);
  await page.addStyleTag({ content: "#other { display: none !important }" });
  await draw(page, number);
  return page;
}

const train = await openView("train", 3, 1130);
await train.locator("#train-run:enabled").waitFor();
await train.click("#train-run");
const frames = mkdtempSync(join(tmpdir(), "frames-"));
for (let frame = 0; frame < 30; frame++) {
  await train.screenshot({ path: join(frames, `${String(frame).padStart(2, "0")}.png`) });
  await train.waitForTimeout(150);
}
execFileSync("python", [join(import.meta.dirname, "animate.py"), frames, join(process.argv[2], "train.webp")]);
rmSync(frames, { recursive: true });
await train.waitForFunction(() => document.getElementById("train-progress").textContent.startsWith("Pass 6"), null, { timeout: 120_000 });
await train.click("#train-run");
await train.screenshot({ path: join(process.argv[2], "train.png") });

const map = await openView("map", 4, 900);
await map.waitForFunction(() => document.getElementById("map-progress").textContent && document.querySelector("#neighbours li"), null, { timeout: 120_000 });
await map.screenshot({ path: join(process.argv[2], "map.png"), fullPage: true });

const broken = await openView("break", 4, 1400);
await broken.fill("#layer-1-bits", "0");
await broken.fill("#layer-2-noise", "4");
await broken.waitForFunction(() => document.getElementById("effect").ariaBusy === "false" && document.querySelector("#excites-images li"), null, { timeout: 120_000 });
await broken.screenshot({ path: join(process.argv[2], "break.png") });
const teach = await openView("teach", "Γ", 940);
await teach.locator("#labels button").first().waitFor();
const answered = () => teach.waitForFunction(() => document.getElementById("result").ariaBusy === "false" && document.getElementById("asked-digit").textContent);
const text = "ΓΓ3Γ1ΓΓ4ΓΓΓ8ΓΓ"; // of someone who writes a 7 as a Γ
for (const [i, character] of [...text].entries()) {
  await answered();
  await teach.locator("#labels button").nth(character === "Γ" ? 7 : Number(character)).click();
  await teach.waitForFunction(() => !document.getElementById("asked-digit").textContent);
  await draw(teach, text[i + 1] ?? "Γ", shaky(mouse(teach)));
}
await answered();
await teach.click("#lesson-run");
await teach.locator("#lesson-result").waitFor({ timeout: 60_000 });
await answered();
await teach.screenshot({ path: join(process.argv[2], "teach.png"), fullPage: true });
await browser.close();
await server.stop();
