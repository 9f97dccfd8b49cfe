// Reads a drawing or a picture with the open model: its lines of digits, each with its name.
import { pixelsOf } from "./photo.js";
import { rgbToGrey } from "./vision/image_io.js";
import { boundingBox, normalize } from "./vision/normalize.js";
import { asMnist, prepare } from "./vision/prepare.js";
import { detect } from "./vision/recognize.js";

/**
 * @typedef {object} Reading
 * @property {object[]} written the digits in reading order, as detect() returns them, each with its `name`: a ? if it
 *   could not be read
 * @property {string} separator between the names of a line
 * @property {string} text their names; a line feed between lines
 * @property {number} turned by how many degrees, counterclockwise, the picture was turned to be read
 * @property {number} width of the picture that was read, in the pixels of the boxes
 * @property {number} height
 * @property {number | null} milliseconds that the model took for an image
 */

/**
 * @param {object} pad as returned by createPad, not empty
 * @param {{model: object, entry: object, finder: object}} by the model, its entry in the list, and openShippedFinder()
 * @returns {Promise<Reading>}
 */
export async function read(pad, { model, entry, finder }) {
  const { grey, width, height } = pad.picture() ? greyOf(pad.picture()) : drawn(pad.ink(), entry.classes);
  const answer = { written: [], separator: "", text: "", turned: 0, width, height, milliseconds: null };
  if (Math.min(width, height) < 3 || grey.every((v) => v === grey[0])) return answer;
  const classify = async (images, count) => {
    const started = performance.now();
    const rows = await model.run(images, count);
    answer.milliseconds = (performance.now() - started) / count;
    return rows;
  };
  // Classes with names are not MNIST's digits: the picture goes to the network as a whole.
  const shipped = Boolean(entry.shipped) && !model.taught; // the reader of marks has not learnt what a taught one has
  const options = { classify, finder, shipped, unchanged: Boolean(entry.classes), upright: !pad.picture() };
  const found = await detect(grey, width, height, options);
  const isUnknown = model.taught && !entry.classes && !pad.picture() && !found.lines.length;
  const { lines, turned, candidates } = isUnknown ? await asOne(pad.ink(), options) : found;
  const names = Array.from({ length: model.classes }, (_, label) => entry.classes?.[label] ?? String(label));
  const shown = entry.classes ? [candidates.map((one) => ({ ...one, isDigit: true }))] : lines; // however unlikely it is
  const named = shown.map((line) => line.map((one) => ({ ...one, name: one.isDigit ? names[one.label] : "?" })));
  const separator = names.some((name) => name.length > 1) ? " " : "";
  const text = named.map((line) => line.map(({ name }) => name).join(separator)).join("\n");
  return { ...answer, written: named.flat(), separator, text, turned };
}

/**
 * The 28 x 28 image of one digit as MNIST's: the drawing as a whole, or the largest digit of a picture.
 * @param {object} pad as returned by createPad
 * @param {object | null} finder openShippedFinder(); without it only a picture that is MNIST's already has an image
 * @returns {Promise<Float32Array | null>} 784 numbers in [0, 1]; null if there is none
 */
export async function imageOf(pad, finder) {
  if (pad.isEmpty()) return null;
  if (!pad.picture()) return normalize(pad.ink());
  const { grey, width, height } = greyOf(pad.picture());
  if (!finder) return asMnist({ values: grey, width, height });
  return prepare(grey, width, height, finder).catch(() => null); // no digit was found
}

/** A drawing without a digit for the finder, as one: a taught network may know a shape that the finder does not. */
async function asOne(ink, options) {
  const found = await detect(normalize(ink), 28, 28, { ...options, unchanged: true });
  const [one] = found.candidates;
  return { ...found, lines: one.certain ? [[{ ...one, box: boundingBox(ink) }]] : [] };
}

function greyOf(picture) {
  const { colours, width, height } = pixelsOf(picture);
  return { grey: rgbToGrey(colours), width, height };
}

/** A drawing as dark ink on white paper; for classes with names as the image that a network like MNIST's expects. */
function drawn(ink, names) {
  if (names) return { grey: normalize(ink), width: 28, height: 28 };
  return { grey: new Float32Array(ink.values).map((v) => 1 - v), width: ink.width, height: ink.height };
}
