// MNIST's normalization: scale the ink to 20 pixels and centre its mass in 28 x 28; the twin of study_keras/vision/normalize.py.
import { averaged, crop, highest } from "./plane.js";

/** Whether a picture is already normalized as MNIST's are; the rule is in normalize.py. */
export function isMnist(plane) {
  const { values, width, height } = plane;
  if (width !== 28 || height !== 28) return false;
  if (values[0] || values[27] || values[756] || values[783] || values.every((v) => v < 253.5 / 255)) return false;
  const [left, top, right, bottom] = boundingBox(plane);
  const longer = Math.max(right - left, bottom - top);
  const [y, x] = centreOfMass(plane);
  return longer >= 19 && longer <= 20 && Math.max(Math.abs(y - 14), Math.abs(x - 14)) < 0.53;
}

/** Crop, scale and centre ink: a plane of numbers in [0, 1], 0 for paper -> Float32Array(784). */
export function normalize(strength) {
  const ink = crop(strength, boundingBox(strength));
  const longer = Math.max(ink.width, ink.height);
  const side = (length) => Math.max(1, Math.floor((40 * length + longer) / (2 * longer)));
  const small = resample(ink, side(ink.width), side(ink.height));
  const { values, width, height } = small;
  const peak = highest(small);
  for (let i = 0; i < values.length; i++) values[i] = Math.floor((values[i] / peak) * 255 + 0.5);
  const [y, x] = centreOfMass(small);
  const top = Math.min(Math.max(Math.floor(14.5 - y), 0), 28 - height);
  const left = Math.min(Math.max(Math.floor(14.5 - x), 0), 28 - width);
  const image = new Float32Array(784);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      image[(top + row) * 28 + left + column] = values[row * width + column] / 255;
    }
  }
  return image;
}

/** Left, top, right and bottom, the last two exclusive, of what is above 0. */
export function boundingBox({ values, width, height }) {
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let i = 0; i < values.length; i++) {
    if (!(values[i] > 0)) continue;
    const [row, column] = [Math.floor(i / width), i % width];
    left = Math.min(left, column);
    top = Math.min(top, row);
    right = Math.max(right, column + 1);
    bottom = Math.max(bottom, row + 1);
  }
  if (right === 0) throw new Error("no ink; expected values above 0");
  return [left, top, right, bottom];
}

/** Its row and its column; rows first, then their sums, as NumPy adds them. */
function centreOfMass({ values, width, height }) {
  const rows = new Float64Array(height);
  const columns = new Float64Array(width);
  values.forEach((v, i) => {
    rows[Math.floor(i / width)] += v;
    columns[i % width] += v;
  });
  const mass = rows.reduce((sum, v) => sum + v, 0);
  return [rows, columns].map((sums) => sums.reduce((sum, v, place) => sum + v * place, 0) / mass);
}

/** Resample to `width` x `height` pixels, each the average of the area that it covers. */
export function resample(plane, width, height) {
  return averaged(averaged(plane, height), width);
}
