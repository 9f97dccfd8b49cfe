// What the map places: the output of the network's last hidden layer.
import { inSlices } from "../slices.js";
import { bestOf } from "../train/network.js";

const PASSIVE = ["Activation", "Softmax", "ReLU"];

/** The layer before the output; the output itself in a network without another layer. */
export function lastHidden(layers) {
  const weighing = layers.filter(({ type }) => !PASSIVE.includes(type));
  return weighing.at(-2) ?? weighing.at(-1);
}

/**
 * @param {import("../model.js").Model} model
 * @param {{pixels: Float32Array, labels: Uint8Array}} images
 * @param {() => boolean} isWanted whether the result is still wanted
 * @returns {Promise<{features: Float32Array, said: Uint8Array} | null>} (count, size) and the most probable classes; null if
 *   it is no longer wanted
 */
export async function featuresOf(model, { pixels, labels }, isWanted) {
  const { name } = lastHidden(model.layers.list());
  const said = new Uint8Array(labels.length);
  const parts = [];
  const done = await inSlices(labels.length, async (start, end) => {
    const some = pixels.subarray(784 * start, 784 * end);
    parts.push(await model.layers.outputs(name, some, end - start));
    const answers = await model.run(some, end - start);
    for (let n = start; n < end; n++) said[n] = bestOf(answers.subarray((n - start) * model.classes, (n - start + 1) * model.classes));
  }, isWanted);
  if (!done) return null;
  const features = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((at, part) => (features.set(part, at), at + part.length), 0);
  return { features, said };
}
