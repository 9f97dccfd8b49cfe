// A picture -> the marks in it that may be digits: where each is, what it is, and which ink is its own; the twin of
// study_keras/vision/marks.py, where it is written how the two networks do this.
import { isSame, placeOf, rivalsOf } from "./overlaps.js";
import { averaged } from "./plane.js";

const [ROWS, COLUMNS, SPAN] = [8, 4, 22]; // pixels a cell of the detector, and a unit of its distances
export const VIEW = 32; // pixels a side of what the reader sees
const LONGER = 22; // pixels of the longer side of the mark in it
export const NONE = 10; // the reader's class of what is no digit
const MOST = 400; // marks of a level that the reader looks at; more than that is texture
const FOUND = Math.fround(0.2); // a cell counts from this probability of a digit
export const IS_DIGIT = 0.25; // a mark counts as a digit from this likelihood
const LARGER = 0.7; // power of its size by which a digit is preferred: parts of digits look like digits, such as the loop of a 9
const SAME_INK = 0.5; // a mark is another's if so much of its ink, or of the other's, is in both
const [DOUBTFUL_SCORE, DOUBTFUL_DIGIT] = [0.5, 0.25];

/**
 * @typedef {object} Mark
 * @property {number[]} box left, top, right, bottom in pixels of the picture
 * @property {number} score the detector's probability that it is a digit
 * @property {Float32Array} probabilities the reader's of the ten digits, and of none
 * @property {Float32Array} ink 32 * 32 numbers in [0, 1]: its own ink, white on black, in the square at `square`
 * @property {number[]} square left, top and side in pixels of the picture
 * @property {boolean} dark whether its ink is darker than the paper
 * @property {number} level the number of the level in which it was found
 * @property {number} digit the reader's probability that it is a digit
 * @property {number} likelihood how likely it is a digit, by both networks
 * @property {boolean} doubtful whether the networks disagree: it may be a digit that cannot be read
 */

/**
 * The marks of a picture; of several in one place only the likeliest, and largest.
 * @param {object[]} levels as returned by levelsOf()
 * @param {object} finder as returned by openFinder()
 * @returns {Promise<Mark[]>}
 */
export async function findMarks(levels, finder) {
  const proposals = [];
  for (const [level, { contrast, scale }] of levels.entries()) {
    for (const one of await propose(contrast, finder)) {
      if (one.score >= IS_DIGIT) proposals.push({ ...one, level, scale }); // the reader makes it no likelier
    }
  }
  return preferred(proposals, (some) => readMarks(some, levels, finder));
}

/**
 * The marks that are preferred to all others in their places, the most preferred first. A mark is at most as likely as its
 * proposal, so that most proposals need not be read: those beside a mark that none of them can surpass.
 */
async function preferred(proposals, read) {
  const rivals = rivalsOf(proposals.map(({ box, scale }) => placeOf(box.map((side) => scale * side))));
  // At most; exactly once it is read; -1 if another is in its place.
  const ranks = proposals.map(({ score, box, scale }) => rank(score, box.map((side) => scale * side)));
  const precedes = (one, other) => ranks[one] > ranks[other] || (ranks[one] === ranks[other] && one < other);
  const marks = [];
  let waiting = proposals.map((_, at) => at);
  while (waiting.length) {
    const waits = new Set(waiting);
    const now = waiting.filter((at) => !rivals[at].some((other) => waits.has(other) && precedes(other, at)));
    for (const [i, mark] of (await read(now.map((at) => proposals[at]))).entries()) {
      marks[now[i]] = mark;
      ranks[now[i]] = rank(mark.likelihood, mark.box);
    }
    for (const at of marks.keys()) {
      if (!marks[at] || ranks[at] < 0 || !rivals[at].every((other) => precedes(at, other))) continue;
      for (const other of rivals[at]) ranks[other] = -1;
    }
    waiting = waiting.filter((at) => !marks[at] && ranks[at] >= 0);
  }
  const kept = new Set();
  const order = [...marks.keys()].filter((at) => marks[at] && ranks[at] >= 0).sort((a, b) => (precedes(a, b) ? -1 : 1));
  for (const at of order) if (!rivals[at].some((other) => kept.has(other))) kept.add(at);
  return distinct([...kept].map((at) => marks[at]));
}

/** Marks without those whose ink is mostly that of one before: a thin stroke may be framed in two ways. */
function distinct(marks) {
  const kept = [];
  for (const mark of marks) if (!kept.some((other) => inkInCommon(mark, other) > SAME_INK)) kept.push(mark);
  return kept;
}

/** The part of the ink of two marks, by that of the one with less, that is in both. */
function inkInCommon(one, other) {
  if (Math.min(one.box[2], other.box[2]) <= Math.max(one.box[0], other.box[0])) return 0;
  if (Math.min(one.box[3], other.box[3]) <= Math.max(one.box[1], other.box[1])) return 0;
  const [left, top, side] = one.square;
  const [x, y, otherSide] = other.square;
  const pixel = otherSide / VIEW;
  const plane = { values: other.ink, width: VIEW, height: VIEW };
  const seen = view(plane, [(left - x) / pixel, (top - y) / pixel, side / pixel], 1);
  const both = one.ink.reduce((sum, ink, i) => sum + Math.min(ink, seen[i]), 0);
  return both / Math.min(sumOf(one.ink), sumOf(other.ink) * (otherSide / side) ** 2);
}

function sumOf(values) {
  return values.reduce((sum, value) => sum + value, 0);
}

/** By how much a mark is preferred to others in its place; what is no digit takes the place of none. */
function rank(likelihood, [left, top, right, bottom]) {
  if (likelihood < IS_DIGIT) return likelihood; // less than of any digit, which has more than a pixel
  return likelihood * Math.max(right - left, bottom - top) ** LARGER;
}

/** Marks of the levels as the reader sees them in boxes as many times as large; `wanted`: pairs of a mark and a scale. */
export async function readAgain(wanted, levels, finder) {
  const proposals = wanted.map(([{ box, score, dark, level }, larger]) => {
    const { scale } = levels[level];
    const [left, top, right, bottom] = box.map((side) => side / scale);
    const [x, y] = [right - left, bottom - top].map((side) => ((1 - larger) / 2) * side);
    return { box: [left + x, top + y, right - x, bottom - y], score, dark, level, scale };
  });
  return readMarks(proposals, levels, finder);
}

/** Let the reader look at proposals, all in one call: each call has its price. */
async function readMarks(proposals, levels, finder) {
  const views = new Float32Array(proposals.length * VIEW * VIEW);
  for (const [i, { box, dark, level }] of proposals.entries()) {
    views.set(view(levels[level].contrast, squareAround(box), dark ? -1 : 1), i * VIEW * VIEW);
  }
  const { classes, ink } = await finder.read(views);
  const part = (values, i, size) => values.subarray(i * size, (i + 1) * size);
  return proposals.map((one, i) => toMark(one, part(classes, i, NONE + 1), part(ink, i, VIEW * VIEW)));
}

function toMark({ box, score, dark, level, scale }, classes, ink) {
  const probabilities = softmax(classes);
  const digit = 1 - probabilities[NONE];
  return {
    box: box.map((side) => scale * side),
    score,
    probabilities,
    ink: ink.map(sigmoid),
    square: squareAround(box).map((side) => scale * side),
    dark,
    level,
    digit,
    likelihood: score * digit,
    doubtful: score >= DOUBTFUL_SCORE && digit >= DOUBTFUL_DIGIT,
  };
}

/** What the detector finds in a level: boxes in its pixels, probabilities, and whether the ink is dark. */
async function propose({ values, width, height }, finder) {
  const [tall, wide] = [height, width].map((side) => Math.ceil(side / ROWS) * ROWS);
  const plane = new Float32Array(tall * wide);
  for (let row = 0; row < height; row++) plane.set(values.subarray(row * width, (row + 1) * width), row * wide);
  const cells = await finder.detect(plane, tall, wide);
  const found = [];
  for (let i = 0; i < cells.length; i += 6) {
    const score = sigmoid(cells[i]);
    if (!(score >= FOUND)) continue;
    const number = i / 6;
    const row = Math.floor((number * COLUMNS) / wide);
    const [x, y] = [(number - (row * wide) / COLUMNS + 0.5) * COLUMNS, (row + 0.5) * ROWS];
    const [left, top, right, bottom] = [1, 2, 3, 4].map((side) => Math.max(cells[i + side], 0.02) * SPAN);
    found.push({ box: [x - left, y - top, x + right, y + bottom], score, dark: cells[i + 5] > 0 });
  }
  return merged(found);
}

/** Replace boxes of one mark by their mean, weighted by their scores; the likeliest first. */
function merged(proposals) {
  proposals.sort((a, b) => b.score - a.score);
  const places = proposals.map(({ box }) => placeOf(box));
  const free = new Uint8Array(proposals.length).fill(1);
  const kept = [];
  for (let at = 0; at < proposals.length && kept.length < MOST; at++) {
    if (!free[at]) continue;
    const mean = [0, 0, 0, 0];
    let weights = 0;
    for (let other = at; other < proposals.length; other++) {
      if (!free[other] || !isSame(places[at], places[other])) continue;
      const { box, score } = proposals[other];
      free[other] = 0;
      weights += score;
      for (let side = 0; side < 4; side++) mean[side] += box[side] * score;
    }
    kept.push({ ...proposals[at], box: mean.map((side) => side / weights) });
  }
  return kept;
}

/** Left, top and side of what the reader sees of a box. */
function squareAround([left, top, right, bottom]) {
  const side = (Math.max(right - left, bottom - top) * VIEW) / LONGER;
  return [(left + right - side) / 2, (top + bottom - side) / 2, side];
}

/** Resample a square of a plane to 32 x 32 by area averages, times `sign`; outside of the plane is 0. */
export function view({ values, width, height }, [left, top, side], sign) {
  const [x0, y0] = [Math.floor(left), Math.floor(top)];
  const [wide, tall] = [Math.floor(left + side + 1) - x0, Math.floor(top + side + 1) - y0];
  const part = new Float64Array(wide * tall);
  const [first, last] = [Math.max(x0, 0), Math.min(x0 + wide, width)];
  for (let row = Math.max(y0, 0); row < Math.min(y0 + tall, height); row++) {
    const [from, to] = [row * width, (row - y0) * wide - x0];
    for (let column = first; column < last; column++) part[to + column] = sign * values[from + column];
  }
  const rows = averaged({ values: part, width: wide, height: tall }, VIEW, top - y0, side);
  return averaged(rows, VIEW, left - x0, side).values;
}

function softmax(logits) {
  const most = Math.max(...logits);
  const exponentials = logits.map((v) => Math.exp(Math.fround(v - most)));
  const sum = Math.fround(exponentials.reduce((total, v) => total + v, 0));
  return exponentials.map((v) => v / sum);
}

/** In float32, as Python. */
function sigmoid(logit) {
  return Math.fround(1 / Math.fround(1 + Math.fround(Math.exp(-logit))));
}
