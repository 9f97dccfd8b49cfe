// A TF.js graph model, in the page and in Node.
import * as tf from "@tensorflow/tfjs-core";
import { loadGraphModel } from "@tensorflow/tfjs-converter";

const ASYNC = new Set(["Enter", "Merge", "NextIteration", "Switch", "While", "StatelessWhile", "If", "StatelessIf"]);

/**
 * @param {{json: object, weights: ArrayBuffer}} files what model.json holds, and the weights after one another
 * @returns {Promise<{model: tf.GraphModel, inputs: object[], outputs: object[],
 *   predict: (tensors: tf.Tensor[], batchSize: number) => Promise<tf.Tensor[]>}>} the tensors in the signature's order
 */
export async function openGraph({ json, weights }) {
  const signature = json.userDefinedMetadata?.signature ?? json.signature;
  const model = await loadGraphModel({
    load: async () => ({
      modelTopology: json.modelTopology,
      format: json.format,
      signature,
      userDefinedMetadata: json.userDefinedMetadata,
      weightSpecs: json.weightsManifest.flatMap((group) => group.weights),
      weightData: weights,
    }),
  });
  const [inputs, outputs] = [Object.values(signature.inputs), Object.values(signature.outputs)];
  const names = outputs.map(({ name }) => name);
  const loops = json.modelTopology.node.some(({ op }) => ASYNC.has(op));
  const once = async (tensors) => {
    const named = Object.fromEntries(inputs.map(({ name }, index) => [name, tensors[index]]));
    return [loops ? await model.executeAsync(named, names) : model.execute(named, names)].flat();
  };
  const predict = async (tensors, batchSize) => {
    const count = tensors[0].shape[0];
    if (count <= batchSize) return once(tensors);
    const parts = [];
    for (let start = 0; start < count; start += batchSize) {
      const piece = tensors.map((tensor) => tf.slice(tensor, start, Math.min(batchSize, count - start)));
      parts.push(await once(piece));
      tf.dispose(piece);
    }
    const whole = names.map((_, index) => tf.concat(parts.map((part) => part[index])));
    tf.dispose(parts);
    return whole;
  };
  return { model, inputs, outputs, predict };
}
