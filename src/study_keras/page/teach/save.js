// What the page saves and opens: the drawings as NumPy's .npz, and the network as TF.js' files in one archive.
import { readImages } from "../mnist.js";
import { writeNpz } from "../npz.js";
import { join, writeZip } from "../zip.js";
import { MOST } from "./own_set.js";

const MOST_BYTES = 20e6; // of a file that is opened
const FIFTH = 5; // one drawing in five is to test on

/**
 * The drawings as `hello-mnist train --data` reads them. Of each label a fifth, but at least one of two, is to test on.
 * @param {{label: number, image: Uint8Array}[]} drawings at least one
 * @returns {Uint8Array}
 */
export function packDrawings(drawings) {
  const labels = [...new Set(drawings.map(({ label }) => label))];
  const groups = labels.map((label) => drawings.filter((one) => one.label === label));
  const forTest = (group) => (group.length > 1 ? Math.max(1, Math.round(group.length / FIFTH)) : 0);
  const train = groups.flatMap((group) => group.slice(forTest(group)));
  const test = groups.flatMap((group) => group.slice(0, forTest(group)));
  const parts = { train, test: test.length ? test : train }; // of one drawing each: the command needs something to test on
  const arrays = Object.entries(parts).flatMap(([name, part]) => [
    [`x_${name}`, { bytes: imagesOf(part), shape: [part.length, 28, 28] }],
    [`y_${name}`, { bytes: Uint8Array.from(part, ({ label }) => label), shape: [part.length] }],
  ]);
  return writeNpz(Object.fromEntries(arrays));
}

/**
 * Read both parts of such a file.
 * @param {Blob} file
 * @param {number} classes of the network
 * @returns {Promise<{drawings?: {label: number, image: Uint8Array}[], problem?: [string, ...number[]]}>}
 *   the drawings, or the name of the string that says why there are none, and what it takes
 */
export async function readDrawings(file, classes) {
  if (file.size > MOST_BYTES) return { problem: ["teachFileLarge", MOST_BYTES / 1e6] };
  let parts;
  try {
    parts = Object.values(await readImages(await file.arrayBuffer(), MOST_BYTES));
  } catch {
    return { problem: ["teachFileBroken"] };
  }
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  if (count > MOST) return { problem: ["teachFileMany", count, MOST] };
  const drawings = parts.flatMap(({ images, labels }) => Array.from(labels, (label, n) => ({ label, image: images.slice(784 * n, 784 * n + 784) })));
  const wrong = drawings.find(({ label }) => label >= classes);
  return wrong ? { problem: ["teachFileLabel", wrong.label, classes - 1] } : { drawings };
}

/**
 * The network with its present weights, in one archive that `hello-mnist convert` reads.
 * @param {object} json the content of its model.json; the topology stays as it is
 * @param {Map<string, ArrayBufferView>} weights by their names in the manifest
 * @returns {Uint8Array}
 */
export function packNetwork(json, weights) {
  const specs = json.weightsManifest.flatMap((group) => group.weights);
  const file = "group1-shard1of1.bin";
  const values = specs.map(({ name }) => weights.get(name));
  const bytes = values.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength));
  const manifest = [{ paths: [file], weights: specs.map(({ name, shape, dtype }) => ({ name, shape, dtype })) }];
  const text = JSON.stringify({ ...json, weightsManifest: manifest });
  return writeZip({ "model.json": new TextEncoder().encode(text), [file]: join(bytes) });
}

/** Let the browser download a file. */
export function download(name, bytes) {
  const url = URL.createObjectURL(new Blob([bytes]));
  Object.assign(document.createElement("a"), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // Safari reads it after the click
}

function imagesOf(drawings) {
  return join(drawings.map(({ image }) => image));
}
