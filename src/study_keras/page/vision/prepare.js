// The picture of one digit -> the 28 x 28 image that a network trained on MNIST expects.
//
// The same contract as study_keras/vision/prepare.py; the golden vectors in the tests hold both to it.
import { checkGrey, levelsOf } from "./levels.js";
import { IS_DIGIT, findMarks } from "./marks.js";
import { isMnist, normalize } from "./normalize.js";
import { withoutTraces } from "./traces.js";
import { VIEW } from "./views.js";

export const CONTRACT = 2;
const FAINT = Math.fround(0.15); // of the ink's range; fainter is the soft edge of nothing

/**
 * Prepare the picture of one digit, the largest in it, as the makers of MNIST would have done.
 * @param {Float32Array} grey width * height numbers from 0 (black) to 1 (white)
 * @param {import("./finder.js").Finder} finder
 * @returns {Promise<Float32Array>} 784 multiples of 1/255, white ink on black
 * @throws {Error} it has another size, only one colour, or no digit
 */
export async function prepare(grey, width, height, finder) {
  const plane = { values: grey, width, height };
  checkGrey(plane);
  const image = asMnist(plane);
  if (image) return image;
  const levels = levelsOf(plane);
  const marks = withoutTraces(await findMarks(levels, finder), levels);
  const digits = marks.filter(({ likelihood }) => likelihood >= IS_DIGIT);
  if (!digits.length) {
    throw new Error(`no digit found in a picture of ${width} x ${height} pixels; expected a digit that is clearly darker or clearly `
      + "lighter than its background, upright, and at least 10 pixels high");
  }
  return normalized(digits.reduce((largest, mark) => (mark.square[2] > largest.square[2] ? mark : largest)));
}

/** A picture that is normalized already, or whose negative is, as white on black; otherwise null. */
export function asMnist(plane) {
  const { values, width, height } = plane;
  if (width !== 28 || height !== 28) return null;
  if (isMnist(plane)) return Float32Array.from(values);
  const negative = Float32Array.from(values, (v) => Math.floor((1 - v) * 255 + 0.5) / 255);
  return isMnist({ values: negative, width, height }) ? negative : null;
}

/** A mark's own ink, normalized. */
export function normalized({ ink }) {
  const clear = ink.map((v) => (v < FAINT ? 0 : v));
  return normalize({ values: clear.some((v) => v > 0) ? clear : ink, width: VIEW, height: VIEW });
}
