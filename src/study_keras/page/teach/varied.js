// A few drawings become many: a hand never meets the same pixels twice.

/**
 * The drawings as they are, and each moved by a pixel in eight directions, or in fewer if there are many.
 * @param {{label: number, image: Uint8Array}[]} drawings
 * @returns {{pixels: Float32Array, labels: Uint8Array}} the first ones are the drawings as they are
 */
export function varied(drawings, most = 2000) {
  const moves = [0, -1, 1, -28, 28, -29, -27, 27, 29].slice(0, Math.max(1, Math.floor(most / drawings.length)));
  const pixels = new Float32Array(784 * moves.length * drawings.length);
  moves.forEach((by, move) => drawings.forEach(({ image }, n) => {
    const at = 784 * (move * drawings.length + n);
    for (let i = Math.max(0, -by); i < Math.min(784, 784 - by); i++) pixels[at + i + by] = image[i] / 255;
  }));
  return { pixels, labels: Uint8Array.from({ length: pixels.length / 784 }, (_, n) => drawings[n % drawings.length].label) };
}
