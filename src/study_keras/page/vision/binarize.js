// Separate the ink of a picture from its paper; the twin of study_keras/vision/binarize.py, step by step and sum by sum in
// the same order, so that page and command see the same ink. How it works is written there.
import { boxFilter, highest, map, total } from "./plane.js";

const MIN_CONTRAST = 0.06;
const MIN_CONTRAST_TO_NOISE = 5;

/**
 * Separate ink from paper.
 * @returns {{strength: object, mask: object, scale: number}} two planes, of numbers in [0, 1] and of 0 and 1, of the
 *   picture downscaled by `scale` to at most `maxSide` pixels a side
 * @throws {Error} the picture has the wrong size or values, only one colour, or no ink
 */
export function binarize(picture, maxSide) {
  checkGrey(picture);
  const { small, scale } = downscale(picture, maxSide);
  const longest = Math.max(small.width, small.height);
  const radius = Math.max(2, Math.floor(longest / 6));
  const blur = Math.floor(longest / 256);
  let grey = small;
  const sums = boxFilter(grey, radius);
  const areas = boxFilter(map(grey, () => 1), radius);
  let difference = map(grey, (v, i) => v - sums.values[i] / areas.values[i]);
  if (total(map(difference, (d) => d * d * d)) < 0) {
    grey = map(grey, (v) => -v);
    difference = map(difference, (d) => -d);
  }
  let soft = smooth(difference, blur);
  let level = threshold(soft);
  for (let round = 0; round < 3; round++) {
    const inked = dilate(map(soft, (d) => (d > level * 0.7 ? 1 : 0)), 1);
    const means = background(grey, map(inked, (v) => 1 - v), radius);
    difference = map(grey, (v, i) => v - means.values[i]);
    soft = smooth(difference, blur);
    level = threshold(soft);
  }
  const mask = map(soft, (d) => (d > level ? 1 : 0));
  const contrast = total(map(difference, (d, i) => (mask.values[i] ? d : 0))) / Math.max(1, total(mask));
  const deviation = noise(difference);
  if (contrast < MIN_CONTRAST || contrast < MIN_CONTRAST_TO_NOISE * deviation) {
    throw new Error(`no ink found: the contrast is ${contrast.toFixed(3)}, the noise of the paper ${deviation.toFixed(3)}`);
  }
  return { strength: map(difference, (d) => Math.min(Math.max((d / contrast - 0.15) / 0.7, 0), 1)), mask, scale };
}

export function checkGrey({ values, width, height }) {
  if (!(width >= 3 && height >= 3) || values.length !== width * height) {
    throw new Error(`${values.length} values for ${width} x ${height} pixels; expected width * height, at least 3 x 3`);
  }
  let lowest = Infinity;
  let most = -Infinity;
  for (let i = 0; i < values.length; i++) {
    const v = values[i];
    if (!(v >= 0 && v <= 1)) throw new Error(`a value of ${v}; expected numbers from 0 (black) to 1 (white)`);
    if (v < lowest) lowest = v;
    if (v > most) most = v;
  }
  if (lowest === most) throw new Error(`every pixel is ${lowest.toFixed(3)}: a picture of one colour`);
}

function downscale({ values, width, height }, maxSide) {
  const k = Math.ceil(Math.max(width, height) / maxSide);
  const small = { values: null, width: Math.floor(width / k), height: Math.floor(height / k) };
  if (small.width === 0 || small.height === 0) throw new Error(`${width} x ${height} pixels: too narrow for a digit`);
  small.values = new Float64Array(small.width * small.height);
  for (let row = 0; row < small.height; row++) {
    for (let column = 0; column < small.width; column++) {
      let sum = 0;
      for (let dx = 0; dx < k; dx++) {
        let rows = 0;
        for (let dy = 0; dy < k; dy++) rows += values[(row * k + dy) * width + column * k + dx];
        sum += rows;
      }
      small.values[row * small.width + column] = sum / (k * k);
    }
  }
  return { small, scale: k };
}

/** Otsu's threshold of the positive differences, in 256 steps, or 3 standard deviations of the noise. */
function threshold(difference) {
  const top = highest(difference);
  if (top <= 0) return 0;
  const counts = new Float64Array(256);
  const size = difference.values.length;
  for (let i = 0; i < size; i++) counts[Math.floor((Math.max(difference.values[i], 0) / top) * 255)] += 1;
  const mean = counts.reduce((sum, count, bin) => sum + count * bin, 0) / size;
  let [best, most, below, moment] = [0, -1, 0, 0];
  for (let bin = 0; bin < 256; bin++) {
    below += counts[bin];
    moment += counts[bin] * bin;
    const apart = mean * below - moment;
    const variance = (apart * apart) / Math.max(below * (size - below), 1);
    if (variance > most) [best, most] = [bin, variance];
  }
  return Math.max(((best + 1) * top) / 255, 3 * noise(difference));
}

function background(grey, paper, radius) {
  const light = map(grey, (v, i) => (paper.values[i] ? v : 0));
  const overall = total(light) / Math.max(1, total(paper));
  const count = boxFilter(paper, radius).values;
  return map(boxFilter(light, radius), (sum, i) => (count[i] > 0 ? sum / Math.max(count[i], 1) : overall));
}

function smooth(plane, radius) {
  return radius ? map(boxFilter(plane, radius), (sum) => sum / (2 * radius + 1) ** 2) : plane;
}

/** The standard deviation of the paper, from the differences in the direction opposite to ink. */
function noise(difference) {
  let sum = 0;
  let count = 0;
  for (let i = 0; i < difference.values.length; i++) {
    const d = difference.values[i];
    if (d < 0) {
      sum += d * d;
      count += 1;
    }
  }
  return Math.sqrt(sum / Math.max(1, count));
}

/** For each pixel, whether any pixel of the (2 radius + 1) x (2 radius + 1) square around it is set. */
export function dilate(mask, radius) {
  return map(boxFilter(mask, radius), (sum) => (sum > 0 ? 1 : 0));
}
