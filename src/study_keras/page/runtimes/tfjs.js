// TensorFlow.js: the wasm backend, or the cpu backend if wasm does not start.
import * as tf from "@tensorflow/tfjs-core";
import { model as modelOf } from "@tensorflow/tfjs-layers";
import { openModel } from "./tfjs_model.js";
import { checkMemory, reserve } from "./wasm_memory.js";

const HIDDEN = ["InputLayer", "Flatten", "Reshape", "Dropout"]; // they only repeat their input
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
    look: layers ? watch(model, [1, ...input]) : null, // a graph shows no layers
    close: () => model.dispose(),
  };
}

function checkShapes(inputs, input, outputs, output) {
  if (inputs > 1 || input.reduce((a, b) => a * b, 1) !== 784) throw new Error(`its input is ${input}; expected 28,28`);
  if (outputs > 1 || output.length !== 1) throw new Error(`its output is ${output}; expected one row of probabilities`);
}

/** A function from one image to the answer and the output of each layer. */
function watch(model, shape) {
  const shown = model.layers.filter((layer) => !HIDDEN.includes(layer.getClassName()) && layer.output.shape);
  const symbols = [...new Set([...shown.map((layer) => layer.output), model.outputs[0]])]; // TF.js rejects duplicates
  const watched = modelOf({ inputs: model.inputs, outputs: symbols });
  return (pixels) => tf.tidy(() => {
    const values = [watched.predict(tf.tensor(pixels, shape))].flat().map((output) => output.dataSync());
    checkMemory();
    const layers = shown.map(({ name, output }, i) => ({ name, shape: output.shape.slice(1), values: values[i] }));
    return { outputs: values[symbols.indexOf(model.outputs[0])].slice(), layers };
  });
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
