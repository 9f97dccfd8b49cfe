// Where digits are small in their picture, so that it is read once more in double size; the twin of
// study_keras/vision/closer.py.
import { MAX_SIDE, SMALL, doubled } from "./levels.js";
import { crop, median } from "./plane.js";

const SMALL_DIGITS = 22; // pixels of the longer side, as the middle one of the digits has; the detector finds them from 20 on
const AROUND = 6; // of their longer sides around them that are read, too: digits that were missed

/**
 * The part of a picture that has its small digits; null if they are not small, or the part is too large.
 * @param {number[][]} boxes of what may be digits
 * @returns {number[] | null} left, top, right, bottom in pixels, the last two exclusive
 */
export function smallPart({ width, height }, boxes) {
  const longest = Math.max(width, height);
  if (!boxes.length || longest <= SMALL) return null;
  const size = median(boxes.map((box) => Math.max(box[2] - box[0], box[3] - box[1])));
  if (size >= SMALL_DIGITS * Math.ceil(longest / MAX_SIDE)) return null;
  const sides = (at) => boxes.map((box) => box[at]);
  const [left, top] = [0, 1].map((at) => Math.max(Math.trunc(Math.min(...sides(at)) - AROUND * size), 0));
  const right = Math.min(Math.trunc(Math.max(...sides(2)) + AROUND * size), width);
  const bottom = Math.min(Math.trunc(Math.max(...sides(3)) + AROUND * size), height);
  return 2 * Math.max(right - left, bottom - top) <= MAX_SIDE ? [left, top, right, bottom] : null;
}

/** A part of a picture in double size. */
export function enlarged(plane, part) {
  return doubled(crop(plane, part));
}

/** What was found in an enlarged part as it is in the picture. */
export function inPlace(found, [left, top]) {
  return found.map((one) => ({ ...one, box: one.box.map((side, at) => side / 2 + (at % 2 ? top : left)) }));
}
