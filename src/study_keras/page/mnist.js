// The images of MNIST: all from the server, or the sample inside the one-file page.
import { bytesOf } from "./inflate.js";
import { readNpz } from "./npz.js";

let loaded = null; // a promise

/** Where the images are: in a file of the server, or inside the one file as a text in base64. */
export function imagesSource() {
  return ONE_FILE ? { text: document.getElementById("images").textContent } : { url: new URL("mnist.npz", document.baseURI).href };
}

/**
 * @param {{url?: string, text?: string}} source
 * @returns {Promise<{train: Part, test: Part}>}
 * @throws {Error} the file cannot be fetched, or is no such file
 */
export async function loadImages({ url, text }) {
  if (text !== undefined) return readImages(bytesOf(text).buffer);
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${answer.status} for ${url}`);
  return readImages(await answer.arrayBuffer());
}

/** The images, loaded once for all views but "Train", whose worker has its own. */
export async function mnist() {
  loaded ??= loadImages(imagesSource());
  try {
    return await loaded;
  } catch (error) {
    loaded = null; // the next call tries again
    throw error;
  }
}

/** Images as numbers in [0, 1], 784 each, with their labels: `count` of a part, from all over it. */
export function someOf({ images, labels, count: all }, count) {
  const places = Uint32Array.from({ length: Math.min(count, all) }, (_, i) => Math.floor(i * Math.max(1, all / count)));
  const pixels = new Float32Array(784 * places.length);
  places.forEach((place, n) => {
    for (let i = 0; i < 784; i++) pixels[784 * n + i] = images[784 * place + i] / 255;
  });
  return { pixels, labels: Uint8Array.from(places, (place) => labels[place]), places };
}

/** @typedef {{images: Uint8Array, labels: Uint8Array, count: number}} Part images from 0 (paper) to 255 (ink) */

/**
 * @param {ArrayBuffer} buffer the file, with the arrays x_train, y_train, x_test and y_test of bytes
 * @param {number} [most] bytes that it may unpack to
 * @returns {Promise<{train: Part, test: Part}>}
 */
export async function readImages(buffer, most = Infinity) {
  const arrays = await readNpz(buffer, most);
  const part = (name) => {
    const [images, labels] = [arrays.get(`x_${name}.npy`), arrays.get(`y_${name}.npy`)];
    if (!labels || images?.length !== 784 * labels.length) throw new Error(`no images of 28 x 28 with labels for "${name}"`);
    return { images, labels, count: labels.length };
  };
  return { train: part("train"), test: part("test") };
}
