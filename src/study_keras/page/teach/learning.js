// The last layers of a network learn a person's own drawings beside images of MNIST, so that it forgets little.
import { backward, bestOf, createLayer, forward } from "../train/network.js";
import { createOptimizer } from "../train/optimizers.js";
import { createRandom } from "../train/random.js";

const ACTIVATIONS = ["relu", "tanh", "sigmoid", "linear"]; // those of train/network.js
const MOST_INPUTS = 8192; // of a layer: the room that train/network.js has for a sum
const MOST_CLASSES = 256; // labels are bytes
const AT_ONCE = 10; // images: some 4 ms of a network of convolutions
// `own`: of the images of a batch. Of eight settings, measured on drawings of six hands that were not in the lesson, the
// one that reads most of them. Of the test images, the shipped network loses at most 0.6 points and that of lesson 1
// at most 1.3, both where all ten digits are mirrored; smaller steps lose hardly less and read fewer drawings.
const SETTINGS = { steps: 800, rate: 0.001, own: 8, batch: 32 };

/** @typedef {{names: string[], before: string | null, activation: string}} Taught
 *   the dense layers at the end; the layer whose outputs they get, null for the pixels; the activation between them */

/**
 * @param {object} model its `layers` must not be null
 * @returns {Taught | null} null if its last layers are none that train/network.js can train
 */
export function taughtLayers({ layers, classes }) {
  const all = layers.list();
  const start = all.findLastIndex(({ type }) => type !== "Dense") + 1;
  const dense = all.slice(start);
  const between = dense.slice(0, -1).map(({ config }) => config.activation);
  const activation = between[0] ?? "linear";
  const fits = dense.length > 0 && classes <= MOST_CLASSES
    && dense.every(({ shape, weights }) => shape.length === 1 && weights.length === 2 && weights[0].shape[0] <= MOST_INPUTS)
    && ["softmax", "linear"].includes(dense.at(-1).config.activation) // model.js adds the softmax to a network without one
    && ACTIVATIONS.includes(activation) && between.every((one) => one === activation);
  return fits ? { names: dense.map(({ name }) => name), before: all[start - 1]?.name ?? null, activation } : null;
}

/**
 * What the first taught layer gets for images: computed once, since the layers before it stay as they are.
 * @param {Taught} taught
 * @param {Float32Array} pixels (count, 784)
 * @param {{pause: () => Promise<void>, onProgress: (images: number) => void}} how `pause` is called after each few
 * @returns {Promise<Float32Array>} (count, inputs)
 */
export async function featuresOf(layers, { before }, pixels, { pause, onProgress }) {
  if (before === null) return pixels;
  const count = pixels.length / 784;
  let all = null;
  for (let start = 0; start < count; start += AT_ONCE) {
    const size = Math.min(AT_ONCE, count - start);
    const part = await layers.outputs(before, pixels.subarray(784 * start, 784 * (start + size)), size);
    all ??= new Float32Array((part.length / size) * count);
    all.set(part, (part.length / size) * start);
    onProgress(size);
    await pause();
  }
  return all;
}

/**
 * Train copies of the layers.
 * @param {Float32Array[][]} weights kernel and bias of each layer
 * @param {{inputs: Float32Array, labels: Uint8Array}} own (count, inputs); a part of each batch
 * @param {{inputs: Float32Array, labels: Uint8Array}} others the rest of each batch
 * @param {{activation: string, pause: () => Promise<void>, onProgress: (share: number) => void}} how
 * @returns {Promise<Float32Array[][]>} the new weights
 */
export async function learn(weights, own, others, { activation, pause, onProgress, settings = SETTINGS }) {
  const layers = layersOf(weights);
  const optimize = createOptimizer("adam", layers);
  const random = createRandom(1);
  const { steps, rate, own: share, batch } = settings;
  for (let step = 0; step < steps; step++) {
    const { inputs, labels } = mix(own, others, share, batch, layers[0].inputs, random);
    forward(layers, inputs, batch, { activation });
    backward(layers, inputs, labels, batch, { activation });
    optimize(rate * (1 - step / steps)); // smaller and smaller steps: the last images would count more otherwise
    onProgress(step / steps);
    await pause();
  }
  return layers.map(({ kernel, bias }) => [kernel, bias]);
}

/**
 * The labels that these weights find.
 * @param {Float32Array} inputs (count, inputs)
 * @returns {Promise<Uint8Array>}
 */
export async function labelsOf(weights, inputs, { activation, pause }) {
  const layers = layersOf(weights);
  const [width, classes] = [layers[0].inputs, layers.at(-1).outputs];
  const found = new Uint8Array(inputs.length / width);
  for (let n = 0; n < found.length; n++) {
    found[n] = bestOf(forward(layers, inputs.subarray(n * width, (n + 1) * width), 1, { activation }).subarray(0, classes));
    await pause();
  }
  return found;
}

function layersOf(weights) {
  return weights.map(([kernel, bias]) => {
    const layer = createLayer(kernel.length / bias.length, bias.length, () => 0);
    layer.kernel.set(kernel);
    layer.bias.set(bias);
    return layer;
  });
}

/** A batch, drawn at random: `share` of the own images, the rest of the others. */
function mix(own, others, share, batch, width, random) {
  const inputs = new Float32Array(batch * width);
  const labels = new Uint8Array(batch);
  for (let n = 0; n < batch; n++) {
    const from = n < share ? own : others;
    const place = Math.floor(random() * from.labels.length);
    inputs.set(from.inputs.subarray(place * width, (place + 1) * width), n * width);
    labels[n] = from.labels[place];
  }
  return { inputs, labels };
}
