// One lesson: the images are gathered, the last layers learn, and what changed is counted.
import { mnist, someOf } from "../mnist.js";
import { featuresOf, labelsOf, learn } from "./learning.js";
import { varied } from "./varied.js";

const SLICE = 8; // milliseconds of work between two frames, so that drawing stays smooth
export const OTHERS = 3000; // images of MNIST to learn from
const TESTS = ONE_FILE ? 500 : 1000; // to be tested on

/** @typedef {{own: number, test: number}} Score how many of the own drawings, and of the test images, are read correctly */

/**
 * Teach copies of a network's last layers.
 * @param {{model: object, entry: object}} opened
 * @param {import("./learning.js").Taught} taught
 * @param {Float32Array[][]} weights of these layers before
 * @param {import("./own_set.js").Drawing[]} drawings
 * @param {{signal: AbortSignal, onProgress: (share: number) => void}} how
 * @returns {Promise<{weights: Float32Array[][], before: Score, after: Score, drawings: number, tests: number}>}
 * @throws {Error} the signal's own when it is aborted; or the images cannot be loaded
 */
export async function teach({ model, entry }, taught, weights, drawings, { signal, onProgress }) {
  const pause = createPause(signal);
  const { train, test } = await mnist();
  signal.throwIfAborted();
  const [own, others, tests] = [varied(drawings), someOf(train, OTHERS), someOf(test, TESTS)];
  const parts = [own, others, tests];
  const images = parts.reduce((sum, { labels }) => sum + labels.length, 0);
  const half = taught.before === null ? 0 : 0.5; // of the work; pixels need none
  let seen = 0;
  for (const part of parts) {
    const count = (more) => onProgress((half * (seen += more)) / images);
    part.inputs = await featuresOf(model.layers, taught, part.pixels, { pause, onProgress: count });
  }
  const how = { activation: taught.activation, pause };
  if (!readsDigits(model, entry)) for (const part of [others, tests]) part.labels = await labelsOf(weights, part.inputs, how);
  const score = async (now) => ({
    own: same(await labelsOf(now, own.inputs.subarray(0, drawings.length * (own.inputs.length / own.labels.length)), how), own.labels),
    test: same(await labelsOf(now, tests.inputs, how), tests.labels),
  });
  const before = await score(weights);
  const learnt = await learn(weights, own, others, { ...how, onProgress: (share) => onProgress(half + (1 - half) * share) });
  return { weights: learnt, before, after: await score(learnt), drawings: drawings.length, tests: tests.labels.length };
}

/** Whether MNIST's labels are classes of this network; if not, it should go on answering these images as it did. */
export function readsDigits({ classes }, { classes: names }) {
  return !names && classes >= 10;
}

/** A function that waits for the next frame whenever a slice of work is done, and throws when the signal is aborted. */
function createPause(signal) {
  let until = performance.now() + SLICE;
  return async () => {
    if (performance.now() < until) return;
    await new Promise(requestAnimationFrame);
    signal.throwIfAborted();
    until = performance.now() + SLICE;
  };
}

function same(found, labels) {
  return found.reduce((count, label, n) => count + (label === labels[n]), 0);
}
