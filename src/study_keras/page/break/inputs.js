// Changes to an image of 28 x 28, white ink on black. Beyond its edge is paper.
import { createNoise } from "./noise.js";

/**
 * @typedef {object} Change
 * @property {number} pen by how many pixels the strokes grow at either side; below 0 they shrink
 * @property {number} turn degrees, clockwise
 * @property {number} right pixels
 * @property {number} down pixels
 * @property {number} noise the standard deviation of what is added to each pixel
 */

export const NO_CHANGE = { pen: 0, turn: 0, right: 0, down: 0, noise: 0 };
const SIDE = 28;

/**
 * The changed image, always in this order: pen, turn and shift, noise.
 * @param {Float32Array} pixels 784 numbers in [0, 1]; they stay as they are
 * @param {Change} change
 * @param {number} seed of the noise
 * @returns {Float32Array} 784 numbers in [0, 1]
 */
export function changedImage(pixels, { pen, turn, right, down, noise }, seed) {
  let image = pixels;
  for (let i = 0; i < Math.abs(pen); i++) image = spread(image, pen > 0 ? Math.max : Math.min);
  if (turn || right || down) image = moved(image, turn, right, down);
  if (!noise) return image === pixels ? pixels.slice() : image;
  const normal = createNoise(seed);
  return image.map((value) => Math.min(Math.max(value + noise * normal(), 0), 1));
}

/** Grey dilation (with Math.max) or erosion (with Math.min): the extreme of each pixel and its four neighbours. */
function spread(image, extreme) {
  return image.map((value, i) => {
    const [x, y] = [i % SIDE, Math.floor(i / SIDE)];
    return extreme(value, at(image, x - 1, y), at(image, x + 1, y), at(image, x, y - 1), at(image, x, y + 1));
  });
}

/** Turned about the middle, then shifted; in between the pixels it is linear. */
function moved(image, turn, right, down) {
  const [sine, cosine] = [Math.sin((turn * Math.PI) / 180), Math.cos((turn * Math.PI) / 180)];
  const middle = (SIDE - 1) / 2;
  return image.map((_, i) => {
    const [x, y] = [(i % SIDE) - middle - right, Math.floor(i / SIDE) - middle - down];
    return between(image, cosine * x + sine * y + middle, cosine * y - sine * x + middle);
  });
}

function between(image, x, y) {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const row = (line) => at(image, left, line) * (left + 1 - x) + at(image, left + 1, line) * (x - left);
  return row(top) * (top + 1 - y) + row(top + 1) * (y - top);
}

function at(image, x, y) {
  return x < 0 || y < 0 || x >= SIDE || y >= SIDE ? 0 : image[y * SIDE + x];
}
