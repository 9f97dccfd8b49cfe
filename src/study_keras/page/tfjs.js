// TensorFlow.js: wasm where the page is served, the cpu backend where it is one file or wasm does not start.
import * as tf from "@tensorflow/tfjs-core";
import { loadLayersModel, model as modelOf } from "@tensorflow/tfjs-layers";
import { checkMemory, reserve } from "./wasm_memory.js";

const SAME = ["InputLayer", "Flatten", "Reshape", "Dropout"]; // show nothing new
let started = null;

/**
 * @param {{json: object, weights: ArrayBuffer}} files what model.json holds, and the weights after one another
 * @returns {Promise<import("./model.js").Model>}
 */
export async function openTfjs({ json, weights }) {
  started ??= startBackend();
  await started;
  reserve(64e6 + 16 * weights.byteLength); // as float32, and packed once more
  if (json.format === "graph-model") return openDigits(await (await import("./graph_model.js")).openGraph({ json, weights }));
  const model = await loadLayersModel({
    load: async () => ({
      modelTopology: json.modelTopology,
      weightSpecs: json.weightsManifest.flatMap((group) => group.weights),
      weightData: weights,
    }),
  });
  const [input, output] = [model.inputs[0].shape.slice(1), model.outputs[0].shape.slice(1)];
  checkShapes(model.inputs.length, input, model.outputs.length, output);
  return {
    classes: output[0],
    run: async (pixels, count) => predict(model, pixels, [count, ...input]),
    look: watch(model, [1, ...input]),
    close: () => model.dispose(),
  };
}

/** A graph shows no layers. */
function openDigits({ model, inputs, outputs, predict: run }) {
  const [input, output] = [inputs, outputs].map(([first]) => first.tensorShape.dim.slice(1).map(({ size }) => Number(size)));
  checkShapes(inputs.length, input, outputs.length, output);
  return {
    classes: output[0],
    run: async (pixels, count) => {
      const tensor = tf.tensor(pixels, [count, ...input]);
      const answers = await run([tensor], 1024);
      const values = await answers[0].data();
      tf.dispose([tensor, answers]);
      checkMemory();
      return values;
    },
    look: null,
    close: () => model.dispose(),
  };
}

function checkShapes(inputs, input, outputs, output) {
  if (inputs > 1 || input.reduce((a, b) => a * b, 1) !== 784) throw new Error(`it takes ${input}, not 28,28`);
  if (outputs > 1 || output.length !== 1) throw new Error(`it gives ${output}, not one row of numbers`);
}

function predict(model, pixels, shape) {
  const values = tf.tidy(() => model.predict(tf.tensor(pixels, shape), { batchSize: 1024 }).dataSync());
  checkMemory();
  return values;
}

/** A function from one picture to the answer and what each layer makes of it. */
function watch(model, shape) {
  const shown = model.layers.filter((layer) => !SAME.includes(layer.getClassName()) && layer.output.shape);
  const symbols = [...new Set([...shown.map((layer) => layer.output), model.outputs[0]])]; // TF.js takes none twice
  const watched = modelOf({ inputs: model.inputs, outputs: symbols });
  return (pixels) => tf.tidy(() => {
    const values = [watched.predict(tf.tensor(pixels, shape))].flat().map((output) => output.dataSync());
    checkMemory();
    const layers = shown.map(({ name, output }, i) => ({ name, shape: output.shape.slice(1), values: values[i] }));
    return { outputs: values[symbols.indexOf(model.outputs[0])].slice(), layers };
  });
}

async function startBackend() {
  if (!ONE_FILE && (await (await import("./wasm.js")).startWasm())) return;
  await import("@tensorflow/tfjs-backend-cpu");
  await tf.setBackend("cpu");
  if (tf.getBackend() !== "cpu") throw new Error("TensorFlow.js does not start");
}
