// Works around a silent fault in the allocator of TensorFlow.js' wasm backend.
//
// If it has no room for an aligned block of an odd size, it may request memory again and again until it fails at 4 GB.
// XNNPACK then cannot create its operator; the kernel only prints "XNN status ... is not successful" and returns
// uninitialized memory as its output. `node tests/formats/tfjs/wasm_memory.mjs bare` reproduces it.
import { backend } from '@tensorflow/tfjs-core';

let fault = '';

/** Start the wasm backend with `start`, and record operators that XNNPACK cannot create, for `checkMemory`. */
export async function startWatched(start) {
  const { warn } = console; // the backend keeps a reference to the function that is here now
  console.warn = (...words) => {
    if (String(words[0]).startsWith('XNN status')) fault ||= String(words[0]).trim();
    else warn(...words);
  };
  try {
    return await start();
  } finally {
    console.warn = warn;
  }
}

/** Let the allocator grow by `bytes` in one step before they are needed; does nothing if they are not available. */
export function reserve(bytes) {
  const { wasm } = backend();
  if (wasm) wasm._free(wasm._malloc(bytes));
}

/** @throws {Error} an operator could not be created since the last call, so the outputs are wrong */
export function checkMemory() {
  const found = fault;
  fault = '';
  if (found) throw new Error(`the wasm backend ran out of memory: ${found}`);
}
