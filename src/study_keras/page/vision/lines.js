// Boxes -> lines, in reading order; the twin of study_keras/vision/lines.py.

export const IN_LINE = 1 / 3; // of the lower one's height that two neighbours in a line have in common

/**
 * The numbers of the boxes line by line from the top, each line from the left. A box joins the line of the nearest box to
 * its left with which it has at least a third of the lower one's height in common.
 * @param {number[][]} boxes left, top, right, bottom
 * @returns {number[][]}
 */
export function linesOf(boxes) {
  const lines = [];
  const middle = ([left, , right]) => left + right;
  for (const number of [...boxes.keys()].sort((a, b) => middle(boxes[a]) - middle(boxes[b]))) {
    let [best, most] = [null, 0];
    for (const line of lines) {
      const affinity = affinityOf(boxes[line.at(-1)], boxes[number]);
      if (affinity > most) [best, most] = [line, affinity];
    }
    if (best) best.push(number);
    else lines.push([number]);
  }
  const height = (line) => line.reduce((sum, number) => sum + (boxes[number][1] + boxes[number][3]), 0) / line.length;
  return lines.sort((a, b) => height(a) - height(b));
}

/** How likely `other` is the next one in the line of `one`; 0 if it is not. */
function affinityOf(one, other) {
  const [common, high] = [commonHeight(one, other), Math.max(one[3] - one[1], other[3] - other[1])];
  return common < IN_LINE ? 0 : common / (1 + Math.max(0, other[0] - one[2]) / high);
}

/** The part of the lower box's height that two boxes have in common; negative if one is above the other. */
export function commonHeight(one, other) {
  const lower = Math.min(one[3] - one[1], other[3] - other[1]);
  return (Math.min(one[3], other[3]) - Math.max(one[1], other[1])) / lower;
}
