// Runs ONNX models in onnxruntime-web, on one thread of wasm as in the page, for Python: node run_onnx.mjs
// Each line of the standard input is a request, each line of the standard output that begins with { the answer to one:
//   {"open": FILE}                          -> {"inputs": [{name, shape, dtype}], "outputs": [...]}
//   {"run": FILE, "inputs": [{"file", "shape", "dtype"}], "folder": FOLDER}
//                                           -> {"outputs": [{shape, dtype}]}, the values in folder/0.bin, ...
// An answer {"error": TEXT} says what failed. A model stays open until another is asked for.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';
import * as ort from 'onnxruntime-web/wasm';

const TYPES = {
  float32: Float32Array, float64: Float64Array, float16: Uint16Array, bool: Uint8Array, int8: Int8Array, uint8: Uint8Array,
  int16: Int16Array, uint16: Uint16Array, int32: Int32Array, uint32: Uint32Array, int64: BigInt64Array, uint64: BigUint64Array,
};
let opened = null; // {file, session}

async function readTensor({ file, shape, dtype }) {
  const bytes = await readFile(file);
  const data = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  return new ort.Tensor(dtype, new TYPES[dtype](data), shape);
}

async function open(file) {
  if (opened?.file !== file) {
    await opened?.session.release();
    opened = null;
    const options = { executionProviders: ['wasm'], logSeverityLevel: 4 };
    opened = { file, session: await ort.InferenceSession.create(await readFile(file), options) };
  }
  return opened.session;
}

async function run({ run: file, inputs, folder }) {
  const session = await open(file);
  const tensors = await Promise.all(inputs.map(readTensor));
  const found = await session.run(Object.fromEntries(session.inputNames.map((name, index) => [name, tensors[index]])));
  const outputs = [];
  for (const [index, name] of session.outputNames.entries()) {
    const { data, dims, type } = found[name];
    outputs.push({ shape: dims, dtype: type });
    await writeFile(join(folder, `${index}.bin`), new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return { outputs };
}

async function answer(request) {
  if (request.run) return run(request);
  const { inputMetadata, outputMetadata } = await open(request.open);
  const spec = ({ name, shape, type }) => ({ name, shape: shape?.map((size) => (typeof size === 'number' ? size : null)) ?? null, dtype: type });
  return { inputs: inputMetadata.map(spec), outputs: outputMetadata.map(spec) };
}

// Ends this process when Python is killed, also while a model computes.
const watch = "const { ppid } = process; setInterval(() => process.ppid === ppid || process.kill(process.pid, 'SIGKILL'), 500);";
new Worker(watch, { eval: true }).unref();

ort.env.wasm.numThreads = 1;
for await (const line of createInterface({ input: process.stdin })) {
  const reply = await answer(JSON.parse(line)).catch((error) => ({ error: String(error?.message || error?.stack || error) }));
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
