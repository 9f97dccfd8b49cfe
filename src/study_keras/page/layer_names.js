// Names of layers that a learner understands.
import { strings } from "./strings.js";

const KINDS = {
  Conv2D: "convolution",
  DepthwiseConv2D: "convolution",
  SeparableConv2D: "convolution",
  MaxPooling2D: "maxPooling",
  AveragePooling2D: "averagePooling",
  GlobalMaxPooling2D: "maxPooling",
  GlobalAveragePooling2D: "averagePooling",
  BatchNormalization: "normalization",
  Dense: "dense",
};
const TIMES = "\u00a0×\u00a0"; // no line is broken at it
const ACTIVATIONS = { relu: "ReLU", tanh: "tanh", sigmoid: "sigmoid", softmax: "softmax" };

/**
 * @param {import("./runtimes/tfjs_layers.js").Layer} layer
 * @param {import("./runtimes/tfjs_layers.js").Layer[]} layers all of the model, to count those of its kind
 * @returns {string} such as "Second convolution: 32 filters, 3 × 3, ReLU", in the current language
 */
export function layerTitle(layer, layers) {
  return [nameOf(layer, layers), detailsOf(layer)].filter(Boolean).join(strings().layerColon);
}

/** What such a layer does, in one sentence; "" for a kind without one. */
export function layerNote(layer, layers) {
  const kind = kindOf(layer, layers);
  return strings().layerNotes[kind === "convolution" && isFirst(layer, layers) ? "firstConvolution" : kind] ?? "";
}

/** "convolution", "maxPooling", "dense", "output" ...; null for others. */
function kindOf(layer, layers) {
  const dense = layers.filter(({ type }) => type === "Dense");
  return layer === dense.at(-1) ? "output" : KINDS[layer.type] ?? null;
}

function nameOf(layer, layers) {
  const kind = kindOf(layer, layers);
  if (!kind) return layer.name;
  const same = layers.filter((other) => kindOf(other, layers) === kind);
  return strings().layerName(strings().layerKinds[kind], same.length > 1 ? same.indexOf(layer) + 1 : 0);
}

function isFirst(layer, layers) {
  return layers.find((other) => kindOf(other, layers) === "convolution") === layer;
}

function detailsOf({ type, config, shape }) {
  const parts = [];
  if (type === "Dense") parts.push(strings().layerUnits(config.units));
  else if (KINDS[type] === "convolution") parts.push(strings().layerFilters(shape.at(-1)), config.kernelSize.join(TIMES));
  else if (config.poolSize) parts.push(config.poolSize.join(TIMES));
  if (ACTIVATIONS[config.activation]) parts.push(ACTIVATIONS[config.activation]);
  return parts.join(strings().layerComma);
}
