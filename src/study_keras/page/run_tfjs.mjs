// Runs TF.js models, of layers or graphs, from disk over inputs from disk, all of them in this one process.
// Usage: node run_tfjs.mjs JOBS.json, where JOBS.json is
//   {"backend": "wasm" | "cpu", "jobs": [{"model": FOLDER, "inputs": [{"file", "shape", "dtype"}], "output": FOLDER}]}
// Each job writes 0.bin, 1.bin, ... into its output folder. A job with "labels" ({"file", "shape", "dtype"}) also
// trains on them, two steps over all inputs at once, and reports the losses. The report goes to stdout, as one line of JSON.
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import '@tensorflow/tfjs-backend-cpu';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { openGraph } from './graph_model.js';
import { checkMemory, reserve, startWatched } from './wasm_memory.js';

const here = dirname(fileURLToPath(import.meta.url));
setWasmPaths(join(here, 'node_modules/@tensorflow/tfjs-backend-wasm/dist/'));
const TYPES = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };

// What a browser fetches, read from a folder.
async function readModel(folder) {
  const json = JSON.parse(await readFile(join(folder, 'model.json'), 'utf8'));
  const shards = [];
  for (const group of json.weightsManifest) {
    for (const path of group.paths) shards.push(await readFile(join(folder, path)));
  }
  const bytes = Buffer.concat(shards);
  return { json, weights: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) };
}

async function readTensor({ file, shape, dtype }) {
  const bytes = await readFile(file);
  const data = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  return tf.tensor(new TYPES[dtype](data), shape, dtype);
}

async function openLayers({ json, weights }) {
  const model = await loadLayersModel({
    load: async () => ({
      modelTopology: json.modelTopology,
      trainingConfig: json.trainingConfig,
      weightSpecs: json.weightsManifest.flatMap((group) => group.weights),
      weightData: weights,
    }),
  });
  const predict = async (tensors, batchSize) => [model.predict(tensors.length === 1 ? tensors[0] : tensors, { batchSize })].flat();
  return { model, predict };
}

async function run({ model: folder, inputs, output, labels, batch_size: batchSize }) {
  const files = await readModel(folder);
  const { model, predict } = await (files.json.format === 'graph-model' ? openGraph : openLayers)(files);
  const tensors = await Promise.all(inputs.map(readTensor));
  const started = performance.now();
  const answers = await predict(tensors, batchSize);
  const outputs = [];
  for (const [index, answer] of answers.entries()) {
    const data = TYPES[answer.dtype].from(await answer.data()); // the cpu backend may hold bools as bytes under another type
    outputs.push({ shape: answer.shape, dtype: answer.dtype });
    await writeFile(join(output, `${index}.bin`), new Uint8Array(data.buffer));
  }
  const milliseconds = performance.now() - started;
  checkMemory();
  const losses = [];
  for (let step = 0; labels && step < 2; step += 1) {
    losses.push([await model.trainOnBatch(tensors, await readTensor(labels))].flat()[0]);
  }
  tf.dispose([tensors, answers]);
  model.dispose();
  return { outputs, milliseconds, losses };
}

const { backend, jobs } = JSON.parse(await readFile(process.argv[2], 'utf8'));
await startWatched(() => tf.setBackend(backend)); // resolves to false, and says nothing, where the backend does not start
if (tf.getBackend() !== backend) throw new Error(`asked for the backend ${backend}, got ${tf.getBackend()}`);
reserve(2e9); // of addresses: the system gives memory where something is written
console.warn = () => {}; // hints about speed
const results = [];
for (const job of jobs) {
  try {
    results.push(await run(job));
  } catch (error) {
    results.push({ error: String(error.message || error.stack || error) });
  }
}
console.log(JSON.stringify({ backend: tf.getBackend(), version: tf.version_core, results }));
