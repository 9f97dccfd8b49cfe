// Reads many pictures in one process as the page does: node read_pictures.mjs wasm|cpu FOLDER. scenes.py writes the folder.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readModel, startNode } from "../../src/study_keras/page/runtimes/node.mjs";
import { openModel } from "../../src/study_keras/page/runtimes/tfjs_model.js";
import { openFinder } from "../../src/study_keras/page/vision/finder.js";
import { rgbToGrey } from "../../src/study_keras/page/vision/image_io.js";
import { CONTRACT, prepare } from "../../src/study_keras/page/vision/prepare.js";
import { detect } from "../../src/study_keras/page/vision/recognize.js";

const [backend, folder] = process.argv.slice(2);
const file = (name) => `${folder}/${name}`;
const shipped = (name) => readModel(fileURLToPath(new URL(`../../src/study_keras/shipped/${name}.tfjs`, import.meta.url)));

await startNode(backend);
const { tensor } = await import("../../src/study_keras/page/node_modules/@tensorflow/tfjs-core/dist/tf-core.node.js");
const finder = await openFinder({ detector: await shipped("detector"), reader: await shipped("reader") });
const network = await openModel(await shipped("digits"));
const classify = async (images, count) => {
  const [answers] = await network.predict([tensor(images, [count, ...network.inputs[0].shape.slice(1)])], 1024);
  return answers.data();
};

const bytes = readFileSync(file("greys.bin"));
const greys = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
const [pictures, images] = [[], []];
let at = 0;
for (const { shape: [height, width], unchanged } of JSON.parse(readFileSync(file("pictures.json")))) {
  const grey = greys.slice(at, at + width * height);
  at += width * height;
  const picture = { prepareError: null, error: null };
  images.push(await prepare(grey, width, height, finder).catch((error) => {
    picture.prepareError = error.message;
    return new Float32Array(784);
  }));
  const started = performance.now();
  await detect(grey, width, height, { classify, finder, shipped: true, unchanged }).then(
    (found) => Object.assign(picture, described(found)),
    (error) => (picture.error = error.message),
  );
  pictures.push({ ...picture, milliseconds: performance.now() - started });
}
writeFileSync(file("images.bin"), Buffer.concat(images.map((image) => Buffer.from(image.buffer))));
writeFileSync(file("colours.bin"), Buffer.from(rgbToGrey(readFileSync(file("rgba.bin"))).buffer));
console.log(JSON.stringify({ contract: CONTRACT, pictures }));

function described({ lines, unread, turned, candidates }) {
  const plain = (all) => all.map(({ box, probabilities, certain }) => ({ box, probabilities: [...probabilities], certain }));
  return {
    text: lines.map((line) => line.map(({ isDigit, label }) => (isDigit ? label : "?")).join("")).join("\n"),
    digits: plain(lines.flat().filter(({ isDigit }) => isDigit)),
    candidates: plain(candidates),
    unread,
    turned,
  };
}
