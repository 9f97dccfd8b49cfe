// A picture -> the digits in it: find the marks, normalize, classify; the twin of study_keras/vision/recognize.py.
import { enlarged, inPlace, smallPart } from "./closer.js";
import { checkGrey, levelsOf } from "./levels.js";
import { linesOf } from "./lines.js";
import { IS_DIGIT, findMarks } from "./marks.js";
import { boundingBox, resample } from "./normalize.js";
import { edgeOf, median, quarterTurn } from "./plane.js";
import { asMnist } from "./prepare.js";
import { CLEAR, withoutTraces } from "./traces.js";
import { unreadBoxes, withoutLow } from "./unread.js";
import { CERTAIN, mayCount, votes } from "./votes.js";

const NO_DIGIT = 0.4; // a mark whose best class is below is not counted as a digit
const DOUBTFUL = 0.75; // a page that is read no surer than this is also looked at turned
const SURER = 0.15; // by how much a turned page must be surer
const ALONE = 0.3; // where no mark is clear, one counts as a digit from this likelihood
const TOGETHER = 0.45; // and several from this one: the strokes of a scribble look like digits, too
const WHOLE = 40; // pixels a side; a picture that is no larger may be one digit as a network sees it
const LIKELY = 0.5; // if nothing is found in it, its class counts from this probability: more than all others together
const EITHER_WAY = [0, 1, 6, 8, 9]; // digits that are digits upside down, too, and so do not tell which way is up

/**
 * @typedef {object} Candidate ink that may be a digit
 * @property {number[]} box left, top, right, bottom in pixels of the upright picture, the last two exclusive
 * @property {Float32Array} image 28 * 28 numbers in [0, 1], white ink on black; zeros for ink that is no digit
 * @property {Float32Array} probabilities of the classes
 * @property {number} label the most probable class, and its `probability`
 * @property {number} digit the likelihood that it is a digit at all
 * @property {boolean} isDigit whether it counts as a digit
 * @property {boolean} certain whether the answer is not marked as uncertain
 * @property {number} line the number of its line
 */

/**
 * Find all ink that may be a digit, and what the network says of it.
 * @param {Float32Array} grey width * height numbers from 0 (black) to 1 (white)
 * @param {object} options
 * @param {(images: Float32Array, count: number) => Promise<Float32Array>} options.classify the probabilities of the network
 *   for one digit
 * @param {import("./finder.js").Finder} options.finder
 * @param {boolean} options.shipped whether it is the shipped network, whose answers the reader of marks completes
 * @param {boolean} options.unchanged whether the picture goes to the network as it is, in 28 x 28 pixels
 * @param {boolean} options.upright whether the picture is known to be upright, as a drawing is
 * @returns {Promise<{lines: Candidate[][], unread: number[][], turned: number, candidates: Candidate[]}>} `lines`: what is
 *   written, line by line; `unread`: the boxes of what could not be read in them; `turned`: by how many degrees,
 *   counterclockwise, the picture was turned to be read
 * @throws {Error} it has the wrong size or values, or only one colour
 */
export async function detect(grey, width, height, { classify, finder, shipped = false, unchanged = false, upright = false }) {
  const plane = { values: grey, width, height };
  checkGrey(plane);
  const networks = { classify, finder, shipped };
  if (unchanged) return detection([await whole(shrunk(plane), plane, classify)], plane);
  const image = asMnist(plane);
  if (image) return detection([await whole(image, plane, classify)], plane);
  const found = await candidatesIn(plane, networks);
  if (Math.max(width, height) <= WHOLE) return detection(await withWhole(plane, found, classify), plane);
  return upright ? detection(found, plane) : surest(plane, found, networks);
}

function detection(found, plane, turned = 0) {
  const candidates = found.map((candidate) => placed(candidate, plane, turned));
  const lines = linesIn(candidates);
  const unread = lines.flat().filter(({ isDigit }) => !isDigit).map(({ box }) => box);
  return { lines, unread, turned, candidates };
}

/** What is written, line by line; a line without a digit is left out. */
function linesIn(candidates) {
  const lines = [];
  for (const candidate of candidates) (lines[candidate.line] ??= []).push(candidate);
  return lines.filter((line) => line.some(({ isDigit }) => isDigit));
}

function toCandidate(box, image, probabilities, line, digit = 1) {
  const probability = probabilities.reduce((most, v) => Math.max(most, v), 0);
  return {
    box,
    image,
    probabilities,
    label: probabilities.indexOf(probability),
    probability,
    digit,
    isDigit: digit >= IS_DIGIT && probability >= NO_DIGIT,
    certain: probability >= CERTAIN,
    line,
  };
}

// A picture that goes to the network as it is

/** A whole picture, as 28 x 28, as one candidate. */
async function whole(image, { width, height }, classify) {
  const plane = { values: image, width: 28, height: 28 };
  const [left, top, right, bottom] = image.some((v) => v > 0) ? boundingBox(plane) : [0, 0, 28, 28];
  const [across, down] = [width / 28, height / 28];
  const box = [left * across, top * down, right * across, bottom * down];
  return toCandidate(box, image, await classify(image, 1), 0);
}

/** A picture in 28 x 28 pixels, the shorter side in the middle of paper as bright as its edge. */
function shrunk(plane) {
  if (plane.width === 28 && plane.height === 28) return Float32Array.from(plane.values);
  const longer = Math.max(plane.width, plane.height);
  const [width, height] = [plane.width, plane.height].map((side) => Math.max(1, roundHalfEven((28 * side) / longer)));
  const small = resample(plane, width, height);
  const image = new Float32Array(784).fill(median(edgeOf(small)));
  const [top, left] = [(28 - height) >> 1, (28 - width) >> 1];
  for (let row = 0; row < height; row++) {
    image.set(small.values.subarray(row * width, (row + 1) * width), (top + row) * 28 + left);
  }
  return image;
}

/** As Python rounds. */
function roundHalfEven(v) {
  const floor = Math.floor(v);
  return v - floor === 0.5 ? floor + (floor % 2) : Math.round(v);
}

/**
 * What was found in a picture of at most `WHOLE` pixels, and in the whole picture: it may be one digit as a network sees it,
 * but not normalized. If one digit is found, the probabilities of both views are averaged; if none is, the whole may be one.
 */
async function withWhole(grey, found, classify) {
  const digits = found.filter(({ isDigit }) => isDigit);
  if (digits.length > 1) return found;
  const inked = median(edgeOf(grey)) > 0.5 ? { ...grey, values: grey.values.map((v) => 1 - v) } : grey;
  const one = await whole(shrunk(inked), grey, classify);
  if (!digits.length) return one.probability >= LIKELY ? [one] : found;
  const [digit] = digits;
  const row = one.probabilities.map((v, i) => Math.fround(v + digit.probabilities[i]) / 2);
  const averaged = ({ box, image, line, digit: likelihood }) => toCandidate(box, image, row, line, likelihood);
  if (one.probability > digit.probability) return [averaged(one)];
  return found.map((candidate) => (candidate === digit ? averaged(digit) : candidate));
}

// A picture in which digits are found

/** What was found in a picture as it is, or turned, if it is read much surer so. */
async function surest(plane, found, networks) {
  const sureness = surenessOf(found);
  if (sureness > DOUBTFUL || isOneClear(found)) return detection(found, plane);
  let [best, degrees, least] = [found, 0, sureness + SURER];
  const half = quarterTurn(quarterTurn(plane));
  for (const [turned, angle] of [[half, 180], [quarterTurn(plane), 90], [quarterTurn(half), 270]]) {
    const candidates = await candidatesIn(turned, networks);
    const surer = surenessOf(candidates);
    if (showsItsTop(candidates) && surer > least) [best, degrees, least] = [candidates, angle, surer];
  }
  return detection(best, plane, degrees);
}

/** Whether a page has one digit, and clearly one, whichever it is: turned, it may look like two. */
function isOneClear(candidates) {
  const digits = candidates.filter(({ isDigit }) => isDigit);
  return digits.length === 1 && digits[0].digit >= CLEAR;
}

/** Whether a page has several digits, and a certain one that is none upside down. */
function showsItsTop(candidates) {
  const digits = candidates.filter(({ isDigit }) => isDigit);
  return digits.length > 1 && digits.some(({ certain, label }) => certain && !EITHER_WAY.includes(label));
}

/** How surely what is written is digits, and these: the mean, with 0 for what could not be read, or nothing. */
function surenessOf(candidates) {
  const written = linesIn(candidates).flat();
  return written.reduce((sum, one) => sum + one.digit * one.probability * one.isDigit, 0) / Math.max(1, written.length);
}

/** A candidate of a turned picture with its box in the upright one, and inside of it. */
function placed(candidate, { width, height }, degrees) {
  let [left, top, right, bottom] = candidate.box;
  let [wide, tall] = degrees % 180 ? [height, width] : [width, height];
  for (let turn = 0; turn < degrees; turn += 90) { // a quarter back, clockwise
    [left, top, right, bottom] = [tall - bottom, left, tall - top, right];
    [wide, tall] = [tall, wide];
  }
  const [x, y] = [width, height].map((most) => (side) => Math.min(Math.max(side, 0), most));
  return { ...candidate, box: [x(left), y(top), x(right), y(bottom)] };
}

/** What was found in a picture, or in its part with small digits, if that shows at least as many. */
async function candidatesIn(plane, networks) {
  const { found, boxes } = await foundIn(plane, networks);
  const part = smallPart(plane, boxes);
  if (!part) return found;
  const { found: closer } = await foundIn(enlarged(plane, part), networks);
  const [few, most] = [closer, found].map((all) => all.filter(({ isDigit }) => isDigit).length);
  return few < most ? found : inPlace(closer, part);
}

/** The likelihoods where none is clear: 0 for what does not count as a digit then. */
function clearEnough(chances) {
  const least = chances.filter((chance) => chance >= ALONE).length === 1 ? ALONE : TOGETHER;
  return chances.map((chance) => (chance >= least ? chance : 0));
}

/** What was found in a picture, and the boxes of all that may be digits, clearly or not. */
async function foundIn(plane, networks) {
  const levels = levelsOf(plane);
  const marks = withoutTraces((await findMarks(levels, networks.finder)).filter(mayCount), levels);
  if (!marks.length) return { found: [], boxes: [] };
  const { images, rows, likely: chances } = await votes(marks, levels, networks);
  const boxes = marks.filter((_, at) => chances[at] >= IS_DIGIT).map(({ box }) => box);
  const likely = Math.max(...chances) < CLEAR ? clearEnough(chances) : chances;
  const classes = rows[0].length;
  const counted = [...marks.keys()].filter((at) => likely[at] >= IS_DIGIT || marks[at].doubtful);
  const found = linesOf(counted.map((at) => marks[at].box)).flatMap((all, number) => {
    const line = withoutLow(all.map((at) => counted[at]), marks);
    const written = line.map((at) => toCandidate(marks[at].box, images[at], rows[at], number, likely[at]));
    if (written.some(({ isDigit }) => isDigit)) {
      const others = counted.filter((_, i) => !all.includes(i)).map((at) => marks[at]);
      for (const box of unreadBoxes(line.map((at) => marks[at]), others, levels)) {
        written.push(toCandidate(box, new Float32Array(784), new Float32Array(classes).fill(1 / classes), number, 0));
      }
    }
    return written.sort((a, b) => a.box[0] + a.box[2] - (b.box[0] + b.box[2]));
  });
  return { found, boxes };
}
