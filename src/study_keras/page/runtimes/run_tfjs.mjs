// Runs TF.js models, of layers or graphs, for Python: node run_tfjs.mjs wasm|cpu
// Each line of the standard input is a request, each line of the standard output that begins with { the answer to one:
//   {"open": FOLDER}                        -> {"inputs": [{name, shape, dtype}], "outputs": [...]}
//   {"run": FOLDER, "inputs": [{"file", "shape", "dtype"}], "folder": FOLDER, "batch_size": N}
//                                           -> {"outputs": [{shape, dtype}], "milliseconds": N}, the values in folder/0.bin, ...
//   {"train": FOLDER, "inputs": [...], "labels": {"file", "shape", "dtype"}} -> {"losses": [two numbers]}
// An answer {"error": TEXT} says what failed. A model stays open until another is asked for.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';
import * as tf from '@tensorflow/tfjs-core';
import { readModel, startNode } from './node.mjs';
import { openModel } from './tfjs_model.js';
import { checkMemory } from './wasm_memory.js';

const TYPES = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };
let opened = null; // {folder, model, inputs, outputs, predict}

async function readTensor({ file, shape, dtype }) {
  const bytes = await readFile(file);
  const data = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  return tf.tensor(new TYPES[dtype](data), shape, dtype);
}

async function open(folder) {
  if (opened?.folder !== folder) {
    opened?.model.dispose();
    opened = null;
    opened = { folder, ...(await openModel(await readModel(folder))) };
  }
  return opened;
}

async function run({ run: path, inputs, folder, batch_size: batchSize }) {
  const { predict } = await open(path);
  const tensors = await Promise.all(inputs.map(readTensor));
  const started = performance.now();
  const predicted = await predict(tensors, batchSize);
  const outputs = [];
  for (const [index, output] of predicted.entries()) {
    const data = TYPES[output.dtype].from(await output.data()); // the cpu backend may hold bools as bytes under another type
    outputs.push({ shape: output.shape, dtype: output.dtype });
    await writeFile(join(folder, `${index}.bin`), new Uint8Array(data.buffer));
  }
  const milliseconds = performance.now() - started;
  checkMemory();
  tf.dispose([tensors, predicted]);
  return { outputs, milliseconds };
}

async function train({ train: path, inputs, labels }) {
  const { model } = await open(path);
  const [tensors, truth] = [await Promise.all(inputs.map(readTensor)), await readTensor(labels)];
  const losses = [];
  for (let step = 0; step < 2; step += 1) losses.push([await model.trainOnBatch(tensors, truth)].flat()[0]);
  tf.dispose([tensors, truth]);
  return { losses };
}

async function answer(request) {
  if (request.run) return run(request);
  if (request.train) return train(request);
  const { inputs, outputs } = await open(request.open);
  return { inputs, outputs };
}

// Ends this process when Python is killed, also while a model computes.
const watch = "const { ppid } = process; setInterval(() => process.ppid === ppid || process.kill(process.pid, 'SIGKILL'), 500);";
new Worker(watch, { eval: true }).unref();

await startNode(process.argv[2]);
for await (const line of createInterface({ input: process.stdin })) {
  const reply = await answer(JSON.parse(line)).catch((error) => ({ error: String(error.message || error.stack || error) }));
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
