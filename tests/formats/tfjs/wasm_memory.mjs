// What the wasm backend answers where its allocator fails. Usage: node wasm_memory.mjs reserved | bare | full
import { createRequire } from 'node:module';
import { checkMemory, reserve, startWatched } from '../../../src/study_keras/page/runtimes/wasm_memory.js';

const page = createRequire(new URL('../../../src/study_keras/page/package.json', import.meta.url));
const tf = page('@tensorflow/tfjs-core');
const { setWasmPaths } = page('@tensorflow/tfjs-backend-wasm');
setWasmPaths(new URL('../../../src/study_keras/page/node_modules/@tensorflow/tfjs-backend-wasm/dist/', import.meta.url).pathname);
const [, , how] = process.argv;
await startWatched(() => tf.setBackend('wasm'));
const { wasm } = tf.backend();
if (how === 'reserved') reserve(64e6);
// The sizes after which version 4.22 asks for memory without end; tensors as a graph model has them.
const [half] = [1, 3, 2, 9, 3].map((size) => tf.tensor(new Float32Array(size).fill(0.5), size === 1 ? [] : [size]));
const image = tf.tensor(new Float32Array(315).fill(1), [3, 7, 5, 3]);
if (how === 'full') for (let size = 2 ** 30; size >= 256; size /= 2) while (wasm._malloc(size));
const scaled = tf.mul(half, image);
const pooled = tf.avgPool(image, 3, 1, 'same');
const values = [...pooled.dataSync()].slice(0, 3);
let error = '';
try {
  checkMemory();
} catch ({ message }) {
  error = message;
}
console.log(JSON.stringify({ values, error, bytes: wasm.HEAPU8.length, kept: scaled.shape }));
