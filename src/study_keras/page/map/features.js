// What the map places: the output of the network's last hidden layer.
import { messages } from "../slices.js";
import { bestOf } from "../train/network.js";

const SLICE = 100; // images
const PASSIVE = ["Activation", "Softmax", "ReLU"];

/** The layer before the output; the output itself in a network without another layer. */
export function lastHidden(layers) {
  const weighing = layers.filter(({ type }) => !PASSIVE.includes(type));
  return weighing.at(-2) ?? weighing.at(-1);
}

/**
 * @param {import("../model.js").Model} model
 * @param {{pixels: Float32Array, labels: Uint8Array}} images
 * @param {() => boolean} isStale whether the result is no longer wanted
 * @returns {Promise<{features: Float32Array, said: Uint8Array} | null>} (count, size) and the most probable classes; null if
 *   it is no longer wanted
 */
export async function featuresOf(model, { pixels, labels }, isStale) {
  const { name } = lastHidden(model.layers.list());
  const said = new Uint8Array(labels.length);
  const parts = [];
  for (let start = 0; start < labels.length; start += SLICE) {
    const count = Math.min(SLICE, labels.length - start);
    const some = pixels.subarray(784 * start, 784 * (start + count));
    parts.push(await model.layers.outputs(name, some, count));
    const answers = await model.run(some, count);
    for (let n = 0; n < count; n++) said[start + n] = bestOf(answers.subarray(n * model.classes, (n + 1) * model.classes));
    await messages();
    if (isStale()) return null;
  }
  const features = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((at, part) => (features.set(part, at), at + part.length), 0);
  return { features, said };
}
