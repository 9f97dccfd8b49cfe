// Which digit a mark is: the votes of the reader and of the network for one digit; the twin of study_keras/vision/votes.py.
import { readAgain } from "./marks.js";
import { normalized } from "./prepare.js";

export const CERTAIN = 0.9; // below it an answer is marked as uncertain
const SCALES = [0.85, 1.3]; // of its box: the other views of an uncertain mark

/**
 * The marks' images, and the probabilities of their classes. The shipped network and the reader vote together, and if that
 * is uncertain, once more on a closer and on a wider view of the mark; a view counts by the reader's probability that it
 * shows a digit. Any other network is alone.
 */
export async function votes(marks, levels, { classify, finder, shipped }) {
  const images = marks.map(normalized);
  const rows = await rowsOf(images, classify);
  if (!shipped) return { images, rows };
  const voted = marks.map((mark, i) => vote(mark, rows[i]));
  const uncertain = [...marks.keys()].filter((i) => Math.max(...voted[i]) < CERTAIN);
  if (!uncertain.length) return { images, rows: voted };
  const views = await readAgain(uncertain.flatMap((i) => SCALES.map((scale) => [marks[i], scale])), levels, finder);
  const others = await rowsOf(views.map(normalized), classify);
  for (const [number, i] of uncertain.entries()) {
    const said = [[marks[i].digit, voted[i]]];
    for (let at = SCALES.length * number; at < SCALES.length * (number + 1); at++) {
      said.push([views[at].digit, vote(views[at], others[at])]);
    }
    const weights = said.reduce((sum, [weight]) => sum + weight, 0);
    voted[i] = voted[i].map((_, label) => said.reduce((sum, [weight, row]) => sum + weight * row[label], 0) / weights);
  }
  return { images, rows: voted };
}

/** What the network says of each image. */
async function rowsOf(images, classify) {
  const batch = new Float32Array(784 * images.length);
  images.forEach((image, i) => batch.set(image, 784 * i));
  const answers = await classify(batch, images.length);
  const classes = answers.length / images.length;
  return images.map((_, i) => answers.slice(i * classes, (i + 1) * classes));
}

/** The mean of what the network and the reader say of a view. */
function vote({ probabilities, digit }, row) {
  return row.map((v, i) => (v + Math.fround(probabilities[i] / Math.fround(digit))) / 2);
}
