// Principal components of many numbers, by random projections (Halko et al. 2011).
import { createRandom } from "../train/random.js";

const SEED = 1;
const ROUNDS = 3; // each brings the directions nearer to the components

/**
 * @param {Float32Array} rows (count, width)
 * @param {number} components fewer than `width`
 * @returns {{mean: Float32Array, directions: Float32Array}} (width,) and (components, width), orthonormal, the strongest first
 */
export function principalComponents(rows, count, components) {
  const width = rows.length / count;
  const mean = new Float32Array(width);
  for (let i = 0; i < rows.length; i++) mean[i % width] += rows[i] / count;
  const random = createRandom(SEED);
  const directions = Float32Array.from({ length: components * width }, () => random() - 0.5);
  for (let round = 0; round < ROUNDS; round++) {
    orthonormalize(directions, width);
    const places = project(rows, count, { mean, directions });
    directions.fill(0);
    for (let n = 0; n < count; n++) {
      for (let c = 0; c < components; c++) {
        const place = places[n * components + c];
        for (let i = 0; i < width; i++) directions[c * width + i] += place * (rows[n * width + i] - mean[i]);
      }
    }
  }
  orthonormalize(directions, width);
  return { mean, directions };
}

/** The places of rows along the directions: (count, components). */
export function project(rows, count, { mean, directions }) {
  const width = mean.length;
  const components = directions.length / width;
  const places = new Float32Array(count * components);
  const centred = new Float32Array(width);
  for (let n = 0; n < count; n++) {
    for (let i = 0; i < width; i++) centred[i] = rows[n * width + i] - mean[i];
    for (let c = 0; c < components; c++) {
      let sum = 0;
      for (let i = 0; i < width; i++) sum += centred[i] * directions[c * width + i];
      places[n * components + c] = sum;
    }
  }
  return places;
}

/** Make rows orthogonal and 1 long, in place (Gram and Schmidt); one that depends on those before it becomes 0. */
function orthonormalize(rows, width) {
  for (let start = 0; start < rows.length; start += width) {
    const row = rows.subarray(start, start + width);
    const before = length(row);
    for (let earlier = 0; earlier < start; earlier += width) {
      const other = rows.subarray(earlier, earlier + width);
      let common = 0;
      for (let i = 0; i < width; i++) common += row[i] * other[i];
      for (let i = 0; i < width; i++) row[i] -= common * other[i];
    }
    const long = length(row);
    for (let i = 0; i < width; i++) row[i] = long > 1e-5 * before ? row[i] / long : 0;
  }
}

function length(row) {
  let sum = 0;
  for (let i = 0; i < row.length; i++) sum += row[i] * row[i];
  return Math.sqrt(sum);
}
