// TensorFlow.js: the wasm backend, or the cpu backend if wasm does not start.
import * as tf from "@tensorflow/tfjs-core";
import { openLayers } from "./tfjs_layers.js";
import { openModel } from "./tfjs_model.js";
import { checkMemory, reserve } from "./wasm_memory.js";

let started = null;

/**
 * @param {{json: object, weights: ArrayBuffer}} files the content of model.json, and the concatenated weights
 * @returns {Promise<import("../model.js").Model>}
 */
export async function openTfjs({ json, weights }) {
  await startTfjs();
  reserve(64e6 + 16 * weights.byteLength); // as float32, and once more as XNNPACK packs them
  const { model, layers, inputs, outputs, predict } = await openModel({ json, weights });
  const [input, output] = [inputs[0].shape.slice(1), outputs[0].shape.slice(1)];
  checkShapes(inputs.length, input, outputs.length, output);
  const inside = layers ? openLayers(model, input) : null; // a graph shows no layers
  return {
    classes: output[0],
    run: async (pixels, count) => {
      const tensor = tf.tensor(pixels, [count, ...input]);
      const answers = await predict([tensor], 1024);
      const values = await answers[0].data();
      tf.dispose([tensor, answers]);
      checkMemory();
      return values;
    },
    look: inside?.look ?? null,
    layers: inside,
    json,
    close: () => model.dispose(),
  };
}

function checkShapes(inputs, input, outputs, output) {
  if (inputs > 1 || input.reduce((a, b) => a * b, 1) !== 784) throw new Error(`its input is ${input}; expected 28,28`);
  if (outputs > 1 || output.length !== 1) throw new Error(`its output is ${output}; expected one row of probabilities`);
}

/** Start TensorFlow.js, once. */
export function startTfjs() {
  return (started ??= startBackend());
}

async function startBackend() {
  if (await (await import("./wasm.js")).startWasm()) return;
  await import("@tensorflow/tfjs-backend-cpu");
  await tf.setBackend("cpu");
  if (tf.getBackend() !== "cpu") throw new Error("TensorFlow.js does not start");
}
