// Ink in a line that was not read, so that nothing is left out in silence; the twin of study_keras/vision/unread.py.
import { connectedComponents } from "./components.js";
import { IN_LINE, commonHeight } from "./lines.js";
import { crop, median } from "./plane.js";

const DARK_ENOUGH = 0.5; // of the difference between the line's digits and its paper; fainter is not their ink
const [LOWEST, TALLEST] = [0.5, 1.5]; // of their height; lower are commas and dashes, taller are frames
const [BESIDE, ABOVE] = [1.5, 0.4]; // heights around the line in which ink belongs to it

/** The numbers of a line's marks without those that are as low as its commas, whatever they look like. */
export function withoutLow(line, marks) {
  const heightOf = ({ box }) => box[3] - box[1];
  const least = LOWEST * median(line.map((at) => heightOf(marks[at])));
  return line.filter((at) => heightOf(marks[at]) >= least);
}

/**
 * The boxes of ink in a line of digits, as high as they are, that is neither theirs nor another mark's.
 * @param {object[]} line the digits' marks, from the left
 * @param {object[]} marks those of the page's other lines
 * @param {object[]} levels of the picture
 * @returns {number[][]} boxes in pixels of the picture, from the left
 */
export function unreadBoxes(line, marks, levels) {
  const { light, scale } = levels[Math.floor(median(line.map((mark) => mark.level)))];
  const boxes = line.map((mark) => mark.box.map((side) => side / scale));
  const height = median(boxes.map((box) => box[3] - box[1]));
  const most = (side) => Math.max(...boxes.map((box) => box[side]));
  const least = (side) => Math.min(...boxes.map((box) => box[side]));
  const left = Math.max(Math.trunc(least(0) - BESIDE * height), 0);
  const top = Math.max(Math.trunc(least(1) - ABOVE * height), 0);
  const right = Math.min(Math.ceil(most(2) + BESIDE * height), light.width);
  const bottom = Math.min(Math.ceil(most(3) + ABOVE * height), light.height);
  if (right <= left || bottom <= top) return [];
  const strip = crop(light, [left, top, right, bottom]);
  if (2 * line.filter((mark) => mark.dark).length > line.length) strip.values.forEach((v, i) => (strip.values[i] = -v));
  const placed = (box) => [box[0] - left, box[1] - top, box[2] - left, box[3] - top];
  const taken = marks.map((mark) => placed(mark.box.map((side) => side / scale)));
  return others(strip, boxes.map(placed), taken, height)
    .sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2] || a[3] - b[3])
    .map((box) => [scale * (box[0] + left), scale * (box[1] + top), scale * (box[2] + left), scale * (box[3] + top)]);
}

/** The components of a strip that are as high as its digits in `boxes`, but neither they nor `taken`. */
function others(strip, boxes, taken, height) {
  const { values, width } = strip;
  const paper = median(values); // it is most of a strip
  values.forEach((v, i) => (values[i] = v - paper));
  const own = new Uint8Array(values.length);
  const all = [...boxes, ...taken];
  const peaks = all.map((box) => {
    const [left, top] = [Math.max(Math.floor(box[0]) - 1, 0), Math.max(Math.floor(box[1]) - 1, 0)];
    const [right, bottom] = [Math.min(Math.ceil(box[2]) + 1, width), Math.min(Math.ceil(box[3]) + 1, strip.height)];
    let peak = 0;
    for (let row = top; row < bottom; row++) {
      for (let i = row * width + left; i < row * width + right; i++) {
        own[i] = 1;
        if (values[i] > peak) peak = values[i];
      }
    }
    return peak;
  });
  const limit = DARK_ENOUGH * median(peaks.slice(0, boxes.length));
  const mask = new Uint8Array(values.length);
  for (let i = 0; i < mask.length; i++) mask[i] = values[i] > limit && !own[i] ? 1 : 0;
  const found = connectedComponents({ values: mask, width, height: strip.height });
  return found
    .filter(({ box, area }) => isOther(box, area, strip, own, all, height) && isBeside(boxes, box))
    .map(({ box }) => box);
}

/** Whether a box is as high on the page as the nearest of a line: a line may rise or fall, and reach into others. */
function isBeside(boxes, box) {
  const away = boxes.map((one) => Math.abs(one[0] + one[2] - box[0] - box[2]));
  return commonHeight(boxes[away.indexOf(Math.min(...away))], box) >= IN_LINE;
}

function isOther([left, top, right, bottom], area, strip, own, boxes, height) {
  if (bottom - top < LOWEST * height || bottom - top > TALLEST * height || area < 0.03 * height * height) return false;
  if (!(left > 0 && top > 0 && right < strip.width && bottom < strip.height)) return false; // it goes on outside
  for (const box of boxes) {
    const [x, y] = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
    if (x > left && x < right && y > top && y < bottom) return false;
  }
  if (right - left >= 0.3 * height) return true;
  for (let row = top; row < bottom; row++) {
    for (let column = left - 1; column <= right; column++) if (own[row * strip.width + column]) return false;
  }
  return true;
}
