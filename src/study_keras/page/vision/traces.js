// Traces of ink that look a little like digits: wiped off, shining through paper, stray strokes; the twin of
// study_keras/vision/traces.py.
import { VIEW, view } from "./views.js";
import { median } from "./plane.js";

export const CLEAR = 0.6; // a mark that is as likely a digit is none
const FAINT = 1 / 3; // of the strength of the page's clear marks; a fainter one that is less likely is a trace
const SHORT = 0.6; // of their longer side; as is a shorter one
const FAINTEST = 0.2; // of the strength of the strongest clear mark; a fainter one is a trace, however likely

/**
 * The marks of a picture without those that are doubtful, and much fainter or shorter than its clear ones. A mark that hardly
 * shows beside the strongest clear one is left out, too.
 * @param {import("./marks.js").Mark[]} marks
 * @param {object[]} levels of the picture
 */
export function withoutTraces(marks, levels) {
  const clear = [...marks.keys()].filter((at) => marks[at].likelihood >= CLEAR);
  if (!clear.length) return marks;
  const strengths = marks.map((mark) => strength(mark, levels));
  const faint = FAINT * median(clear.map((at) => strengths[at]));
  const faintest = FAINTEST * Math.max(...clear.map((at) => strengths[at]));
  const short = SHORT * median(clear.map((at) => longerSide(marks[at])));
  const isClear = (mark, at) => mark.likelihood >= CLEAR || (strengths[at] >= faint && longerSide(mark) >= short);
  return marks.filter((mark, at) => strengths[at] >= faintest && isClear(mark, at));
}

function longerSide({ box: [left, top, right, bottom] }) {
  return Math.max(right - left, bottom - top);
}

/** By how much the light of a mark's ink differs from that of the paper around it. */
function strength({ ink, square, level }, levels) {
  const { light, scale } = levels[level];
  const [left, top, side] = square.map((part) => part / scale);
  const seen = view(light, [left, top, side], 1);
  const isInside = (start, at, length) => { // of the picture; outside of it the light is 0
    const middle = start + ((at + 0.5) * side) / VIEW;
    return middle >= 0 && middle < length;
  };
  const sums = { own: 0, ink: 0, around: 0, paper: 0 };
  for (let i = 0; i < ink.length; i++) {
    if (!isInside(left, i % VIEW, light.width) || !isInside(top, Math.floor(i / VIEW), light.height)) continue;
    sums.own += ink[i] * seen[i];
    sums.ink += ink[i];
    sums.around += (1 - ink[i]) * seen[i];
    sums.paper += 1 - ink[i];
  }
  return Math.abs(sums.own / sums.ink - sums.around / sums.paper);
}
