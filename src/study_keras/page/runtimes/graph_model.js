// A TF.js graph model, in the page and in Node.
import * as tf from "@tensorflow/tfjs-core";
import { loadGraphModel } from "@tensorflow/tfjs-converter";

const ASYNC = new Set(["Enter", "Merge", "NextIteration", "Switch", "While", "StatelessWhile", "If", "StatelessIf"]);

/**
 * What `openModel` of tfjs_model.js returns; the tensors are in the order of the signature.
 * @param {{json: object, weights: ArrayBuffer}} files the content of model.json, and the concatenated weights
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
  const [inputs, outputs] = [signature.inputs, signature.outputs].map((tensors) => Object.values(tensors));
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
  return { model, layers: false, inputs: inputs.map(describe), outputs: outputs.map(describe), predict };
}

function describe({ name, dtype, tensorShape }) {
  const sizes = (tensorShape?.dim ?? []).map(({ size }) => (Number(size) < 0 ? null : Number(size)));
  return { name, shape: sizes, dtype };
}
