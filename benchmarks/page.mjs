// node page.mjs ROUNDS COMMAND...: trains in the page that COMMAND serves, and in TensorFlow.js; benchmarks/page.py prints it.
import { createRequire } from "node:module";
import { join } from "node:path";
import { launch } from "../tests/browser/chrome.mjs";
import { serve } from "../tests/browser/server.mjs";
import { draw } from "../tests/browser/strokes.mjs";

const PAGE = join(import.meta.dirname, "..", "src", "study_keras", "page");
const GOAL = 97; // % of the 10,000 test images
const STEPS = 300; // of TensorFlow.js, of the 1,875 of a pass
const PEER = `
  import * as tf from "@tensorflow/tfjs-core";
  import "@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops";
  import "@tensorflow/tfjs-core/dist/register_all_gradients";
  import { layers, sequential } from "@tensorflow/tfjs-layers";
  import "@tensorflow/tfjs-backend-cpu";
  import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
  import wasm from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm";
  import { readImages } from "./mnist.js";
  setWasmPaths(Object.fromEntries(["", "-simd", "-threaded-simd"].map((kind) => ["tfjs-backend-wasm" + kind + ".wasm", wasm])));
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  window.passOf = async (backend, steps) => {
    await tf.setBackend(backend);
    if (tf.getBackend() !== backend) throw new Error(backend + " does not start");
    const { train } = await readImages(await (await fetch("mnist.npz")).arrayBuffer());
    const inputs = tf.tensor2d(Float32Array.from(train.images.subarray(0, 784 * 32 * steps), (v) => v / 255), [32 * steps, 784]);
    const labels = tf.oneHot(tf.tensor1d(Array.from(train.labels.subarray(0, 32 * steps)), "int32"), 10);
    const model = sequential({ layers: [
      layers.dense({ inputShape: [784], units: 128, activation: "relu" }),
      layers.dropout({ rate: 0.2 }),
      layers.dense({ units: 10, activation: "softmax" }),
    ] });
    model.compile({ optimizer: "adam", loss: "categoricalCrossentropy", metrics: ["accuracy"] });
    await model.fit(inputs.slice([0, 0], [320, 784]), labels.slice([0, 0], [320, 10]), { batchSize: 32, yieldEvery: "never" });
    const started = performance.now();
    const { history } = await model.fit(inputs, labels, { batchSize: 32, yieldEvery: "never" });
    return { seconds: (performance.now() - started) / 1000, loss: history.loss[0] };
  };
`;

const [rounds, ...command] = process.argv.slice(2);
const server = await serve(command);
const browser = await launch();
const script = await bundle();
const results = { learn: [], idle: [], busy: [], wasm: [], cpu: [], browser: browser.version() };
try {
  for (let round = 0; round < Number(rounds); round++) {
    results.learn.push(await learn());
    results.idle.push(await frames(false));
    results.busy.push(await frames(true));
    for (const backend of ["wasm", "cpu"]) results[backend].push(await pass(backend));
  }
} finally {
  await browser.close();
  await server.stop();
}
console.log(JSON.stringify(results));

async function bundle() {
  const { build } = createRequire(join(PAGE, "package.json"))("esbuild");
  const options = { bundle: true, write: false, minify: true, format: "iife", loader: { ".wasm": "dataurl" } };
  return (await build({ ...options, stdin: { contents: PEER, resolveDir: PAGE } })).outputFiles[0].text;
}

async function open() {
  const page = await (await browser.newContext({ viewport: { width: 1100, height: 900 } })).newPage();
  page.setDefaultTimeout(120_000);
  await page.goto(`${server.url}#train`);
  await page.locator("#train-run:enabled").waitFor();
  return page;
}

/** Seconds from the click on Start until the page shows the goal, and the passes that took. */
async function learn() {
  const page = await open();
  const result = await page.evaluate(async (goal) => {
    const text = (id) => document.getElementById(id).textContent;
    const started = performance.now();
    document.getElementById("train-run").click();
    while (!(Number.parseFloat(text("train-accuracy")) >= goal)) await new Promise(requestAnimationFrame);
    return { seconds: (performance.now() - started) / 1000, accuracy: text("train-accuracy"), passes: Number(text("train-progress").match(/\d+/)[0]) - 1 };
  }, GOAL);
  await page.context().close();
  return result;
}

/** Frames a second, and the longest wait for one, while a digit is drawn, with or without a training. */
async function frames(training) {
  const page = await open();
  if (training) await page.click("#train-run");
  await page.waitForTimeout(1000);
  await page.evaluate(() => {
    window.times = [];
    const tick = (time) => {
      window.times.push(time);
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  });
  for (const digit of "3852") {
    await draw(page, digit);
    await page.click("#clear");
  }
  const times = await page.evaluate(() => window.times);
  await page.context().close();
  const waits = times.slice(1).map((time, i) => time - times[i]);
  return { perSecond: (1000 * waits.length) / (times.at(-1) - times[0]), longest: Math.max(...waits) };
}

/** Seconds that TensorFlow.js takes for a pass of 60,000 images: some of its steps, times what is left. */
async function pass(backend) {
  const page = await (await browser.newContext()).newPage();
  await page.route("**/peer.html", (route) => route.fulfill({ contentType: "text/html", body: "<script src=peer.js></script>" }));
  await page.route("**/peer.js", (route) => route.fulfill({ contentType: "text/javascript", body: script }));
  await page.goto(`${server.url}peer.html`);
  const { seconds, loss } = await page.evaluate(([name, steps]) => window.passOf(name, steps), [backend, STEPS]);
  if (!(loss < 1)) throw new Error(`${backend} does not learn: a loss of ${loss}`);
  await page.context().close();
  return (seconds * 1875) / STEPS;
}
