// Marks that claim the same ink: which of them to keep; the twin of study_keras/vision/rivals.py.
import { areaInCommon, areaOf, partInCommon, placeOf } from "./overlaps.js";
import { VIEW, view } from "./views.js";

const SAME_INK = 0.6; // two marks are rivals if so much of the ink of one is the other's, too
const SAME_BOX = 0.5; // or if their boxes have so much in common
const AROUND = 0.7; // or if so much of a box is in the larger one of a mark that is worth less
const GIVES_WAY = 1.1; // a mark gives way to two of its rivals or more that are together worth so many times as much,
const EACH = 0.8; // and of which each is so many times as likely

/**
 * Marks of which no two are rivals: the worthiest of each place, but several before one.
 * @param {object[]} all the marks of a picture
 * @param {number[]} worths by how much each is preferred
 * @returns {object[]}
 */
export function withoutRivals(all, worths) {
  const order = [...all.keys()].sort((a, b) => worths[b] - worths[a]);
  const marks = order.map((at) => all[at]);
  const worthOf = (at) => worths[order[at]];
  const rivals = rivalsOf(marks);
  const kept = new Set();
  const keepFree = () => {
    for (const at of marks.keys()) if (!rivals[at].some((other) => kept.has(other))) kept.add(at);
  };
  keepFree();
  for (const one of [...kept].sort((a, b) => a - b)) {
    const least = EACH * marks[one].likelihood;
    const isFree = (at) => rivals[at].every((other) => other === one || !kept.has(other));
    const others = apart(rivals[one].filter((at) => marks[at].likelihood >= least && isFree(at)), rivals, worthOf);
    if (!(others.reduce((sum, at) => sum + worthOf(at), 0) > GIVES_WAY * worthOf(one))) continue;
    kept.delete(one);
    for (const at of others) kept.add(at);
    keepFree();
  }
  return [...kept].sort((a, b) => a - b).map((at) => marks[at]);
}

/** The worthiest two that are no rivals and, from the worthiest on, all that are no rivals of those before. */
function apart(free, rivals, worthOf) {
  let [chosen, most] = [[], 0];
  for (const [i, first] of free.entries()) {
    for (const second of free.slice(i + 1)) {
      const both = worthOf(first) + worthOf(second);
      if (both > most && !rivals[first].includes(second)) [chosen, most] = [[first, second], both];
    }
  }
  for (const at of chosen.length ? free : []) {
    if (!chosen.includes(at) && !rivals[at].some((other) => chosen.includes(other))) chosen.push(at);
  }
  return chosen;
}

/** For each mark the numbers of its rivals, from the first; the worthiest come first. */
function rivalsOf(marks) {
  const places = marks.map(({ box }) => placeOf(box));
  const rivals = marks.map(() => []);
  for (let one = 0; one < marks.length; one++) {
    for (let other = one + 1; other < marks.length; other++) {
      if (!areOfOnePlace(places[one], places[other]) && !claimSameInk(marks[one], marks[other])) continue;
      rivals[one].push(other);
      rivals[other].push(one);
    }
  }
  return rivals;
}

function areOfOnePlace(one, other) {
  const isAround = areaOf(other) > areaOf(one) && areaInCommon(one, other) / areaOf(one) > AROUND;
  return isAround || partInCommon(one, other) > SAME_BOX;
}

function claimSameInk(one, other) {
  if (Math.min(one.box[2], other.box[2]) <= Math.max(one.box[0], other.box[0])) return false;
  if (Math.min(one.box[3], other.box[3]) <= Math.max(one.box[1], other.box[1])) return false;
  return inkInCommon(one, other) > SAME_INK;
}

/** The part of the ink of two marks, by that of the one with less, that is in both. */
function inkInCommon(one, other) {
  const [left, top, side] = one.square;
  const [x, y, otherSide] = other.square;
  const pixel = otherSide / VIEW;
  const plane = { values: other.ink, width: VIEW, height: VIEW };
  const seen = view(plane, [(left - x) / pixel, (top - y) / pixel, side / pixel], 1);
  const both = one.ink.reduce((sum, ink, i) => sum + Math.min(ink, seen[i]), 0);
  return both / Math.max(Math.min(sumOf(one.ink), sumOf(other.ink) * (otherSide / side) ** 2), 1e-6); // there may be none
}

function sumOf(values) {
  return values.reduce((sum, value) => sum + value, 0);
}
