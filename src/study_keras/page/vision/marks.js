// A picture -> the marks in it that may be digits: where each is, what it is, and which ink is its own; the twin of
// study_keras/vision/marks.py, where it is written how the two networks do this.
import { SAME, partInCommon, placeOf } from "./overlaps.js";
import { withoutRivals } from "./rivals.js";
import { VIEW, view } from "./views.js";

const [ROWS, COLUMNS, SPAN] = [8, 4, 22]; // pixels a cell of the detector, and a unit of its distances
const LONGER = 22; // pixels of the longer side of the mark in it
export const NONE = 10; // the reader's class of what is no digit
const MOST = 400; // marks of a level that the reader looks at; more than that is texture
const FOUND = Math.fround(0.2); // a cell counts from this probability of a digit
export const IS_DIGIT = 0.25; // a mark counts as a digit from this likelihood
const LARGER = 0.7; // power of its size by which a mark is preferred: parts of digits look like digits, as the loop of a 9
const AGAIN = 0.75; // proposals of several levels that have so much in common are of one mark, and only one is read
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
 * The marks of a picture; of several that claim the same ink only the likeliest, and largest.
 * @param {object[]} levels as returned by levelsOf()
 * @param {object} finder as returned by openFinder()
 * @returns {Promise<Mark[]>}
 */
export async function findMarks(levels, finder) {
  const marks = await readMarks(await proposalsOf(levels, finder), levels, finder);
  return withoutRivals(marks, marks.map(({ likelihood, box }) => worth(likelihood, box)));
}

/** What the detector finds in all levels; of several for one mark only the likeliest, and largest. */
async function proposalsOf(levels, finder) {
  const found = [];
  for (const [level, { contrast, scale }] of levels.entries()) {
    for (const one of await propose(contrast, finder)) {
      if (!(one.score >= IS_DIGIT)) continue; // the reader makes it no likelier
      const box = one.box.map((side) => scale * side);
      found.push({ ...one, level, scale, place: placeOf(box), worth: worth(one.score, box) });
    }
  }
  found.sort((a, b) => b.worth - a.worth);
  const kept = [];
  for (const one of found) if (!kept.some((other) => partInCommon(one.place, other.place) > AGAIN)) kept.push(one);
  return kept;
}

/** By how much a mark is preferred to others of its ink; what is no digit is worth less than any digit. */
function worth(likelihood, [left, top, right, bottom]) {
  if (likelihood < IS_DIGIT) return likelihood; // a digit has more than a pixel
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
  if (!proposals.length) return [];
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
      if (!free[other] || !(partInCommon(places[at], places[other]) > SAME)) continue;
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
