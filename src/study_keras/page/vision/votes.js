// Which digit a mark is, and whether it is one: the votes of the reader and of the network for one digit; the twin of
// study_keras/vision/votes.py.
import { IS_DIGIT, readAgain } from "./marks.js";
import { normalized } from "./prepare.js";

export const CERTAIN = 0.9; // below it an answer is marked as uncertain
const SCALES = [0.85, 1.3]; // of its box: the other views of an uncertain mark
const SHARE = 0.25; // of the network for one digit in whether a mark is one; the rest is the reader's

/** Whether a mark counts as a digit, or would if the network for one digit were sure of one. */
export function mayCount({ doubtful, score, digit }) {
  return doubtful || score * ((1 - SHARE) * digit + SHARE) >= IS_DIGIT;
}

/**
 * The marks' images, the probabilities of their classes, and how likely each is a digit. The shipped network and the
 * reader vote together, and if that is uncertain, once more on a closer and on a wider view of the mark; a view counts by
 * the reader's probability that it shows a digit. Of ink that is no digit the shipped network says about the same for all
 * classes, so it has a share in that, too. Any other network is alone.
 */
export async function votes(marks, levels, { classify, finder, shipped }) {
  const images = marks.map(normalized);
  const rows = await rowsOf(images, classify);
  if (!shipped) return { images, rows, likely: marks.map(({ likelihood }) => likelihood) };
  const likely = marks.map(({ score, digit }, i) => score * ((1 - SHARE) * digit + SHARE * surenessOf(rows[i])));
  const voted = marks.map((mark, i) => vote(mark, rows[i]));
  const uncertain = [...marks.keys()].filter((i) => Math.max(...voted[i]) < CERTAIN);
  if (!uncertain.length) return { images, rows: voted, likely };
  const views = await readAgain(uncertain.flatMap((i) => SCALES.map((scale) => [marks[i], scale])), levels, finder);
  const others = await rowsOf(views.map(normalized), classify);
  for (const [number, i] of uncertain.entries()) {
    const said = [[weightOf(marks[i]), voted[i]]];
    for (let at = SCALES.length * number; at < SCALES.length * (number + 1); at++) {
      said.push([weightOf(views[at]), vote(views[at], others[at])]);
    }
    const weights = said.reduce((sum, [weight]) => sum + weight, 0);
    voted[i] = voted[i].map((_, label) => said.reduce((sum, [weight, row]) => sum + weight * row[label], 0) / weights);
  }
  return { images, rows: voted, likely };
}

/** What the network says of each image. */
async function rowsOf(images, classify) {
  const batch = new Float32Array(784 * images.length);
  images.forEach((image, i) => batch.set(image, 784 * i));
  const answers = await classify(batch, images.length);
  const classes = answers.length / images.length;
  return images.map((_, i) => answers.slice(i * classes, (i + 1) * classes));
}

/** From 0, if all classes are as probable, to 1. */
function surenessOf(row) {
  return (Math.max(...row) - 0.1) / 0.9;
}

/** The mean of what the network and the reader say of a view. */
function vote(mark, row) {
  return row.map((v, i) => (v + Math.fround(mark.probabilities[i] / Math.fround(weightOf(mark)))) / 2);
}

function weightOf({ digit }) {
  return Math.max(digit, 1e-6); // the reader may be sure that a view shows none
}
