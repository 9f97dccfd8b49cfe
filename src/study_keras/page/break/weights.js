// The weights of the units whose input is the image, as pictures.

/**
 * Read the weights of a layer.
 * @param {import("../runtimes/tfjs_layers.js").Layer} layer
 * @param {NonNullable<import("../model.js").Model["layers"]>} inside
 * @returns {((unit: number) => {values: Float32Array, width: number, height: number}) | null} a picture of each unit's;
 *   null if the input of the layer is not the image
 */
export function readPictures({ name, type, weights }, inside) {
  const at = weights.findIndex((one) => one.name === "kernel");
  const shape = weights[at]?.shape ?? [];
  const isDense = type === "Dense" && shape[0] === 784;
  const isConvolution = type === "Conv2D" && shape[2] === 1;
  if (!isDense && !isConvolution) return null;
  const [height, width] = isDense ? [28, 28] : shape;
  const kernel = inside.weights(name)[at];
  return (unit) => ({ values: Float32Array.from({ length: width * height }, (_, i) => kernel[i * shape.at(-1) + unit]), width, height });
}
