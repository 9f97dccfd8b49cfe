// The two networks that find marks, as functions of arrays. TensorFlow.js must have started.
import * as tf from "@tensorflow/tfjs-core";
import { openModel } from "../runtimes/tfjs_model.js";
import { checkMemory, reserve } from "../runtimes/wasm_memory.js";
import { VIEW } from "./views.js";

const MEMORY = 96e6; // bytes; what the detector needs for a level of 1024 x 1024
const BATCH = 64; // views; more at once take more memory and are no faster

/**
 * @typedef {object} Finder
 * @property {(plane: Float32Array, height: number, width: number) => Promise<Float32Array>} detect
 *   a level, its sides multiples of 8 -> 6 numbers for each cell of 8 x 4 pixels
 * @property {(views: Float32Array) => Promise<{classes: Float32Array, ink: Float32Array}>} read
 *   any number of views of 32 x 32 -> 11 logits and 32 * 32 logits for each
 */

/**
 * @param {{detector: {json, weights}, reader: {json, weights}}} networks as openModel of tfjs_model.js takes them
 * @returns {Promise<Finder>}
 */
export async function openFinder({ detector, reader }) {
  reserve(MEMORY);
  const [cells, marks] = await Promise.all([openModel(detector), openModel(reader)]);
  const inkAt = marks.outputs.findIndex(({ shape }) => shape.length === 4);
  return {
    async detect(plane, height, width) {
      const [found] = await run(cells, plane, [1, height, width, 1]);
      return found;
    },
    async read(views) {
      const outputs = await run(marks, views, [views.length / (VIEW * VIEW), VIEW, VIEW, 1]);
      return { classes: outputs[1 - inkAt], ink: outputs[inkAt] };
    },
  };
}

async function run({ predict }, values, shape) {
  const input = tf.tensor(values, shape);
  const answers = await predict([input], BATCH);
  const outputs = await Promise.all(answers.map((answer) => answer.data()));
  tf.dispose([input, answers]);
  checkMemory();
  return outputs;
}
