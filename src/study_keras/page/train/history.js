// What the curves show: the loss and the accuracy while learning, those on the test images, and when a setting changed.

const MOST = 240; // points of a curve; when there are more, each two become one

/**
 * @typedef {{images: number, loss: number, accuracy: number}} Point `images`: how many had been learnt from
 * @typedef {{learning: Point[], tests: Point[], changes: number[]}} Curves
 */

export function createHistory() {
  const stretches = []; // sums over the images of a few batches: {images, loss, right, end}
  const tests = [];
  const changes = [];
  let length = 32; // of a stretch, in images

  return {
    /** @param {number} end how many images have been learnt from, this batch's included */
    addBatch(images, loss, right, end) {
      const last = stretches.at(-1);
      if (last && last.images + images <= length) merge(last, { images, loss, right, end });
      else stretches.push({ images, loss, right, end });
      if (stretches.length <= MOST) return;
      halve(stretches, merge);
      length *= 2;
    },
    /** @param {Point} point */
    addTest(point) {
      tests.push(point);
      if (tests.length > MOST) halve(tests, Object.assign); // the later one of two stays
    },
    addChange(end) {
      if (changes.at(-1) !== end) changes.push(end);
    },
    /** @returns {Curves} */
    curves: () => ({
      learning: stretches.map(({ images, loss, right, end }) => ({ images: end, loss: loss / images, accuracy: right / images })),
      tests,
      changes,
    }),
  };
}

function merge(first, second) {
  first.images += second.images;
  first.loss += second.loss;
  first.right += second.right;
  first.end = second.end;
}

/** Make one of each two, in place; an odd one at the end stays. */
function halve(points, join) {
  const whole = points.splice(0);
  for (let i = 0; i < whole.length; i += 2) {
    if (i + 1 < whole.length) join(whole[i], whole[i + 1]);
    points.push(whole[i]);
  }
}
