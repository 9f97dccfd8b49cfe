// What a value of a layer's feature maps has seen of the image: its receptive field.

// These compute each value from the one at the same place.
const IN_PLACE = ["BatchNormalization", "Activation", "ReLU", "LeakyReLU"];
const SLIDING = /^((Depthwise|Separable)?Conv|(Max|Average)Pooling)2D$/;

/**
 * @param {import("../runtimes/tfjs_layers.js").Layer[]} layers one after the other, up to the one that is asked about
 * @param {number} place of the value in its map, row by row
 * @returns {{left: number, top: number, width: number, height: number} | null} in pixels of the image, cut at its edge;
 *   null if a layer is of another kind
 */
export function fieldOf(layers, place) {
  const [down, across] = [0, 1].map((axis) => alongAxis(layers, axis));
  if (!down || !across) return null;
  const width = layers.at(-1).shape[1];
  const [left, right] = cut(across, place % width);
  const [top, bottom] = cut(down, Math.floor(place / width));
  return { left, top, width: right - left, height: bottom - top };
}

/** Along one axis: where the field of the first value starts, how long a field is, and how far it is to the next. */
function alongAxis(layers, axis) {
  let [start, length, stride] = [0, 1, 1];
  let before = 28; // values
  for (const { type, config, shape } of layers) {
    if (shape.length !== 3 || (!SLIDING.test(type) && !IN_PLACE.includes(type))) return null;
    if (SLIDING.test(type)) {
      const size = ((config.kernelSize ?? config.poolSize)[axis] - 1) * (config.dilationRate?.[axis] ?? 1) + 1;
      const step = config.strides[axis];
      const missing = config.padding === "same" ? Math.max((shape[axis] - 1) * step + size - before, 0) : 0;
      start -= Math.floor(missing / 2) * stride;
      length += (size - 1) * stride;
      stride *= step;
    }
    before = shape[axis];
  }
  return { start, length, stride };
}

function cut({ start, length, stride }, number) {
  const first = start + number * stride;
  return [Math.max(first, 0), Math.min(first + length, 28)];
}
