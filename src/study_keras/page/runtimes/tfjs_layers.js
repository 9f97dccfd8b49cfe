// A TF.js model of layers from inside: what each layer is, gives and weighs, and how to change its weights.
import * as tf from "@tensorflow/tfjs-core";
import { model as modelOf } from "@tensorflow/tfjs-layers";
import { checkMemory } from "./wasm_memory.js";

const REPEATING = ["InputLayer", "Flatten", "Reshape", "Dropout"]; // they only repeat their input
const BATCH = 250; // images

/**
 * @typedef {object} Layer
 * @property {string} name
 * @property {string} type its class in Keras, such as "Conv2D"
 * @property {object} config Keras' arguments, in TF.js' own spelling: filters, kernelSize, strides, units, poolSize, activation
 * @property {number[]} shape of what it gives for one image
 * @property {{name: string, shape: number[]}[]} weights "kernel", "bias" and others
 */

/**
 * @param {tf.LayersModel} model
 * @param {number[]} input its input's shape, for one image
 */
export function openLayers(model, input) {
  const seen = model.layers.filter((layer) => !REPEATING.includes(layer.getClassName()) && layer.output.shape);
  const parts = new Map(); // a model up to each layer, by its name

  /** What the layer `name` gives: (count, its shape), for 784 * count numbers in [0, 1]. */
  async function outputs(name, pixels, count) {
    if (!parts.has(name)) parts.set(name, modelOf({ inputs: model.inputs, outputs: model.getLayer(name).output }));
    const tensor = tf.tensor(pixels, [count, ...input]);
    const answer = parts.get(name).predict(tensor, { batchSize: BATCH });
    const values = await answer.data();
    tf.dispose([tensor, answer]);
    checkMemory();
    return values;
  }

  return {
    /** @returns {Layer[]} those that do more than repeat their input, in the order of the model */
    list: () => seen.map((layer) => ({
      name: layer.name,
      type: layer.getClassName(),
      config: layer.getConfig(),
      shape: layer.output.shape.slice(1),
      weights: layer.weights.map(({ originalName, shape }) => ({ name: originalName.split("/").at(-1), shape })),
    })),
    /** @returns {Float32Array[]} copies of a layer's weights, in the order of `weights` */
    weights: (name) => model.getLayer(name).getWeights().map((weights) => weights.dataSync().slice()),
    /** @param {Float32Array[]} arrays in the order and with the shapes of `weights` */
    setWeights(name, arrays) {
      const layer = model.getLayer(name);
      tf.tidy(() => layer.setWeights(arrays.map((values, i) => tf.tensor(values, layer.weights[i].shape))));
    },
    /** @returns {Map<string, ArrayBufferView>} all weights, by their names in the manifest of model.json */
    allWeights: () => new Map(model.weights.map((weights) => [weights.originalName, weights.read().dataSync()])),
    outputs,
    /** The answer to one image, and what each layer of `list` gives. */
    look: watch(model, seen, [1, ...input]),
  };
}

/** A function from one image to the answer and the output of each layer. */
function watch(model, seen, shape) {
  const symbols = [...new Set([...seen.map((layer) => layer.output), model.outputs[0]])]; // TF.js rejects duplicates
  const watched = modelOf({ inputs: model.inputs, outputs: symbols });
  return (pixels) => tf.tidy(() => {
    const values = [watched.predict(tf.tensor(pixels, shape))].flat().map((output) => output.dataSync());
    checkMemory();
    const layers = seen.map(({ name, output }, i) => ({ name, shape: output.shape.slice(1), values: values[i] }));
    return { outputs: values[symbols.indexOf(model.outputs[0])].slice(), layers };
  });
}
