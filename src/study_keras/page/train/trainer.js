// The training: one batch after the other, in a new order in each pass, with settings that may change at any time.
import { createHistory } from "./history.js";
import { backward, bestOf, createLayer, forward, score } from "./network.js";
import { createOptimizer } from "./optimizers.js";
import { shuffle } from "./random.js";

/**
 * @typedef {{rate: number, batch: number, dropout: number, shift: number, units: number, activation: string, optimizer: string}} Settings
 *   `shift`: by how many pixels a training image is moved at most, at random and each time anew
 */

/** Those of the tutorial. */
export const TUTORIAL = { rate: 0.001, batch: 32, dropout: 0.2, shift: 0, units: 128, activation: "relu", optimizer: "adam" };
const TEST_SLICE = 250; // images: some 5 ms
const SHOWN = 24; // mistakes

/**
 * @param {{train: import("../mnist.js").Part, test: import("../mnist.js").Part}} data
 * @param {Settings} chosen
 * @param {() => number} random
 */
export function createTrainer({ train, test }, chosen, random) {
  let settings = { ...chosen };
  let layers = [createLayer(784, settings.units, random), createLayer(settings.units, 10, random)];
  let optimize = createOptimizer(settings.optimizer, layers);
  let [learnt, steps] = [0, 0]; // images and batches so far
  const history = createHistory();
  const order = Uint32Array.from({ length: train.count }, (_, i) => i);

  return {
    kernel: () => layers[0].kernel,
    progress: () => ({ learnt, steps, pass: Math.floor(learnt / train.count), within: learnt % train.count, ...history.curves() }),

    /** Learn from the next batch; the last one of a pass may be smaller. Returns whether a pass has ended. */
    step() {
      const start = learnt % train.count;
      if (start === 0) shuffle(order, random);
      const count = Math.min(settings.batch, train.count - start);
      const { inputs, labels } = gather(train, order.subarray(start, start + count), settings.shift, random);
      forward(layers, inputs, count, { ...settings, random });
      const { loss, right } = score(layers, labels, count);
      backward(layers, inputs, labels, count, settings);
      optimize(settings.rate);
      learnt += count;
      steps++;
      history.addBatch(count, loss, right, learnt);
      return learnt % train.count === 0;
    },

    /** The probabilities for one image of 784 numbers. */
    answer: (pixels) => forward(layers, pixels, 1, { activation: settings.activation }).slice(),

    /** Read the test images, and yield after each few; returns the loss, the accuracy and the mistakes. */
    *test() {
      let [loss, right] = [0, 0];
      const mistakes = [];
      for (let start = 0; start < test.count; start += TEST_SLICE) {
        const count = Math.min(TEST_SLICE, test.count - start);
        const { inputs, labels } = gather(test, Uint32Array.from({ length: count }, (_, i) => start + i));
        const answers = forward(layers, inputs, count, { activation: settings.activation });
        const found = score(layers, labels, count);
        loss += found.loss;
        right += found.right;
        for (let n = 0; n < count && mistakes.length < SHOWN; n++) {
          const said = bestOf(answers.subarray(10 * n, 10 * n + 10));
          if (said !== labels[n]) mistakes.push({ place: start + n, pixels: inputs.slice(784 * n, 784 * n + 784), label: labels[n], said });
        }
        yield;
      }
      const point = { images: learnt, loss: loss / test.count, accuracy: right / test.count };
      history.addTest(point);
      return { ...point, wrong: test.count - right, count: test.count, mistakes };
    },

    /** Go on with other settings; a new optimizer begins without memory, as after `compile`. */
    change(wanted) {
      const former = settings;
      settings = { ...settings, ...wanted };
      if (settings.units !== former.units) layers = resized(layers, settings.units, random);
      if (settings.units !== former.units || settings.optimizer !== former.optimizer) optimize = createOptimizer(settings.optimizer, layers);
      if (learnt) history.addChange(learnt);
    },
  };
}

/** Images as numbers in [0, 1], moved by up to `shift` pixels, with their labels. */
function gather({ images, labels }, places, shift = 0, random = null) {
  const inputs = new Float32Array(784 * places.length);
  for (let n = 0; n < places.length; n++) {
    const from = 784 * places[n];
    const by = shift && 28 * whole(shift, random) + whole(shift, random);
    const end = Math.min(784, 784 - by);
    for (let i = Math.max(0, -by); i < end; i++) inputs[784 * n + i + by] = images[from + i] / 255;
  }
  return { inputs, labels: Uint8Array.from(places, (place) => labels[place]) };
}

/** A whole number from -most to most. */
function whole(most, random) {
  return Math.floor(random() * (2 * most + 1)) - most;
}

/** The same hidden units without the last ones, or with new ones after them. */
function resized([first, second], units, random) {
  const [wide, tall] = [createLayer(784, units, random), createLayer(units, 10, random)];
  const kept = Math.min(units, first.outputs);
  for (let i = 0; i < 784; i++) wide.kernel.set(first.kernel.subarray(i * first.outputs, i * first.outputs + kept), i * units);
  wide.bias.set(first.bias.subarray(0, kept));
  tall.kernel.set(second.kernel.subarray(0, 10 * kept));
  tall.bias.set(second.bias);
  return [wide, tall];
}
