// node check_onnx.mjs SPEC.json: reads digits with an .onnx in the page, and prints what came of it as JSON.
// SPEC.json names the command of a server with a TensorFlow.js model beside the same as an .onnx, of any and of a fixed batch size.
import { readFile } from "node:fs/promises";
import { open, run } from "./pages.mjs";
import { serve } from "./server.mjs";
import { draw, ready, said } from "./strokes.mjs";

const spec = JSON.parse(await readFile(process.argv[2], "utf8"));

const CHECKS = {
  async reads() {
    const server = await serve(spec.server);
    const page = await open(server.url);
    const asked = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => null));
    await page.reload(); // from here on the service worker answers
    await ready(page);
    await draw(page, 7);
    const found = { tfjs: await said(page), before: [...asked] };
    found.onnx = await choose(page, 1);
    found.after = asked.slice(found.before.length);
    found.fixed = await choose(page, 2);
    found.names = await page.locator("#models .size").allTextContents();
    await server.stop();
    await page.reload();
    await ready(page);
    await draw(page, 7);
    await said(page);
    found.offline = await choose(page, 1);
    return found;
  },
};

/** Open one of the models that are ONNX, and return what it says of the drawing. */
async function choose(page, index) {
  await page.locator("#models label").nth(index).click();
  await page.waitForFunction((i) => {
    const inputs = [...document.querySelectorAll("#models input")];
    return inputs[i].checked && !inputs.some((input) => input.disabled);
  }, index);
  return said(page);
}

await run(CHECKS);
