// Long work goes in slices, so that drawing stays smooth.
const SLICE = 10; // images
const BUDGET = 12; // milliseconds between two frames

/** Let the messages that have arrived be answered; a timer would wait longer. */
export function messages() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/**
 * Work on many images; the page shows a frame in between.
 * @param {number} count of all images
 * @param {(start: number, end: number) => void | Promise<void>} work on some of them
 * @param {() => boolean} isWanted asked before each slice
 * @returns {Promise<boolean>} whether the work has been done, since it was wanted to its end
 */
export async function inSlices(count, work, isWanted) {
  let until = 0;
  for (let start = 0; start < count; start += SLICE) {
    if (performance.now() >= until) {
      await new Promise(requestAnimationFrame);
      until = performance.now() + BUDGET;
    }
    if (!isWanted()) return false;
    await work(start, Math.min(start + SLICE, count));
  }
  return isWanted();
}
