// TensorFlow.js in Node, in place of what tfjs.js and model.js do in a page.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { reserve, startWatched } from './wasm_memory.js';

/** Start TensorFlow.js on the backend "wasm" or "cpu". */
export async function startNode(backend) {
  setWasmPaths(fileURLToPath(new URL('../node_modules/@tensorflow/tfjs-backend-wasm/dist/', import.meta.url)));
  await startWatched(() => tf.setBackend(backend)); // resolves to false, and says nothing, where the backend does not start
  if (tf.getBackend() !== backend) throw new Error(`asked for the backend ${backend}, got ${tf.getBackend()}`);
  reserve(2e9); // of addresses: the system gives memory where something is written
  console.warn = () => {}; // hints about speed
}

/** What a browser fetches of a model, read from a folder. */
export async function readModel(folder) {
  const json = JSON.parse(await readFile(join(folder, 'model.json'), 'utf8'));
  const shards = [];
  for (const group of json.weightsManifest) {
    for (const path of group.paths) shards.push(await readFile(join(folder, path)));
  }
  const bytes = Buffer.concat(shards);
  return { json, weights: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) };
}
