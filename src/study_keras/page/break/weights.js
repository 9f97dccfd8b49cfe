// The weights of a unit whose input is the image, as a picture.

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

/** Draw weights in the colours of the view "Train": blue for positive ones, orange for negative ones. */
export function drawWeights(canvas, { values, width, height }, label) {
  const style = getComputedStyle(canvas);
  const highest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);
  Object.assign(canvas, { width, height });
  canvas.setAttribute("aria-label", label);
  const context = canvas.getContext("2d");
  values.forEach((value, i) => {
    context.globalAlpha = Math.abs(value) / highest;
    context.fillStyle = style.getPropertyValue(value > 0 ? "--more" : "--less");
    context.fillRect(i % width, Math.floor(i / width), 1, 1);
  });
}
