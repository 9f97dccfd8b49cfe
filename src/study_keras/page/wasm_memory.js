// The memory of TensorFlow.js' wasm backend, whose allocator has a fault that nobody is told of.
//
// Where it finds no room for an aligned block of an odd size, it may ask the system for more again and again, and stop at
// 4 GB with nothing. XNNPACK then cannot make its operator; the kernel prints "XNN status ... is not successful" and
// gives what lay in memory as its answer. ``node tests/formats/tfjs/wasm_memory.mjs bare`` shows it.
import { backend } from '@tensorflow/tfjs-core';

let fault = '';

/** Start the wasm backend by ``start`` so that it tells of an operator that XNNPACK did not make; see ``checkMemory``. */
export async function startWatched(start) {
  const { warn } = console; // the backend keeps the function that it finds here
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

/** Let the allocator have ``bytes`` in one piece before it needs them; where there are not as many, nothing happens. */
export function reserve(bytes) {
  const { wasm } = backend();
  if (wasm) wasm._free(wasm._malloc(bytes));
}

/** @throws {Error} an operator was not made since the last call: the answers are not the model's */
export function checkMemory() {
  const found = fault;
  fault = '';
  if (found) throw new Error(`the wasm backend ran out of memory: ${found}`);
}
