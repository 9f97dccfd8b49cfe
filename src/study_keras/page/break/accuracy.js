// How many of the test images are read correctly, by the whole network and by the damaged one.
import { inSlices } from "../slices.js";
import { bestOf } from "../train/network.js";
import { changedImage } from "./inputs.js";

/**
 * @param {{pixels: Float32Array, labels: Uint8Array}} images as someOf() returns them
 * @param {object} by
 * @param {(pixels: Float32Array, count: number) => Promise<Float32Array>} by.run the damaged network: probabilities
 * @param {((pixels: Float32Array, count: number) => Promise<Float32Array>) | null} by.runWhole null if its answers are known
 * @param {import("./inputs.js").Change} by.change to the images of the damaged network
 * @param {() => boolean} isWanted
 * @returns {Promise<{now: number, before: number} | null>} how many; `before` is 0 without runWhole, null if not wanted any more
 */
export async function countRight({ pixels, labels }, { run, runWhole, change }, isWanted) {
  const right = { now: 0, before: 0 };
  const done = await inSlices(labels.length, async (start, end) => {
    const own = pixels.subarray(784 * start, 784 * end);
    const known = labels.subarray(start, end);
    if (runWhole) right.before += rightOf(await runWhole(own, end - start), known);
    if (!isWanted()) return;
    right.now += rightOf(await run(changedImages(own, change, start), end - start), known);
  }, isWanted);
  return done ? right : null;
}

/** Each image has noise of its own. */
function changedImages(pixels, change, first) {
  const images = new Float32Array(pixels.length);
  for (let at = 0; at < pixels.length; at += 784) images.set(changedImage(pixels.subarray(at, at + 784), change, first + at / 784 + 1), at);
  return images;
}

function rightOf(answers, labels) {
  const classes = answers.length / labels.length;
  return labels.filter((label, i) => bestOf(answers.subarray(i * classes, (i + 1) * classes)) === label).length;
}
