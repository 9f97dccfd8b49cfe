// The picture of one digit -> the 28 x 28 image that a network trained on MNIST expects.
//
// The same contract as study_keras/vision/prepare.py; the golden vectors in the tests hold both to it.
import { binarize, checkGrey, dilate } from "./binarize.js";
import { connectedComponents, removeRuledLines } from "./components.js";
import { boundingBox, isMnist, normalize } from "./normalize.js";
import { crop, map } from "./plane.js";

export const CONTRACT = 1;
const MAX_SIDE = 140;

/**
 * Prepare the picture of one digit as the makers of MNIST would have done.
 * @param {Float32Array} grey width * height numbers from 0 (black) to 1 (white)
 * @returns {Float32Array} 784 multiples of 1/255, white ink on black
 * @throws {Error} it has another size, only one colour, or no ink
 */
export function prepare(grey, width, height) {
  const plane = { values: grey, width, height };
  if (width === 28 && height === 28) {
    checkGrey(plane);
    if (isMnist(plane)) return Float32Array.from(grey);
    const negative = grey.map((v) => Math.floor((1 - v) * 255 + 0.5) / 255);
    if (isMnist({ values: negative, width, height })) return negative;
  }
  const { strength, mask, scale } = binarize(plane, MAX_SIDE);
  const digit = keepDigit(mask);
  const [left, top, right, bottom] = boundingBox(digit).map((side) => scale * side);
  const margin = Math.max(right - left, bottom - top);
  if (scale > 1 && 4 * margin < Math.max(width, height)) { // a small digit in a large picture: zoom in
    const part = crop(plane, [left - margin, top - margin, right + margin, bottom + margin]);
    return prepare(part.values, part.width, part.height);
  }
  const softEdges = dilate(digit, 1 + Math.floor(Math.max(digit.width, digit.height) / 128)).values;
  return normalize(map(strength, (v, i) => (softEdges[i] ? v : 0)));
}

/** Remove ruled lines, and components smaller than a twentieth of the largest. */
function keepDigit(mask) {
  const cleaned = removeRuledLines(mask);
  const { labels, areas } = connectedComponents(cleaned);
  const largest = areas.reduce((a, b) => Math.max(a, b), 0);
  if (largest < 4) throw new Error(`no ink found but specks of ${largest} pixels; expected a digit`);
  return map(cleaned, (v, i) => (v && 20 * areas[labels[i]] >= largest ? 1 : 0));
}
