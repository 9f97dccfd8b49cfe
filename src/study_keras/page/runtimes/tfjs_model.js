// A TF.js model, of layers or a graph, in the page and in Node.
import { loadLayersModel } from "@tensorflow/tfjs-layers";

/**
 * @param {{json: object, weights: ArrayBuffer}} files the content of model.json, and the concatenated weights
 * @returns {Promise<{model: tf.LayersModel | tf.GraphModel, inputs: Spec[], outputs: Spec[],
 *   predict: (tensors: tf.Tensor[], batchSize: number) => Promise<tf.Tensor[]>}>} where a Spec is
 *   {name: string, shape: (number | null)[], dtype: string}, and `layers` tells whether the model has layers
 */
export async function openModel({ json, weights }) {
  if (json.format === "graph-model") return (await import("./graph_model.js")).openGraph({ json, weights });
  const model = await loadLayersModel({
    load: async () => ({
      modelTopology: json.modelTopology,
      trainingConfig: json.trainingConfig,
      weightSpecs: json.weightsManifest.flatMap((group) => group.weights),
      weightData: weights,
    }),
  });
  const spec = ({ name, shape, dtype }) => ({ name, shape, dtype });
  const predict = async (tensors, batchSize) => [model.predict(tensors.length === 1 ? tensors[0] : tensors, { batchSize })].flat();
  return { model, layers: true, inputs: model.inputs.map(spec), outputs: model.outputs.map(spec), predict };
}
