// The wasm backend of TensorFlow.js, from a file of its own.
import { env, getBackend, setBackend } from "@tensorflow/tfjs-core";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { startWatched } from "./wasm_memory.js";
import file from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm";

/** @returns {Promise<boolean>} whether it runs */
export async function startWasm() {
  if (!(await env().getAsync("WASM_HAS_SIMD_SUPPORT"))) return false;
  env().set("WASM_HAS_MULTITHREAD_SUPPORT", false); // threads cost more than they bring for so small a picture
  const url = new URL(file, document.baseURI).href;
  // All three names must be given; the two others are never asked for.
  setWasmPaths({ "tfjs-backend-wasm.wasm": url, "tfjs-backend-wasm-simd.wasm": url, "tfjs-backend-wasm-threaded-simd.wasm": url });
  await startWatched(() => setBackend("wasm")); // resolves to false, and says nothing, where it does not start
  return getBackend() === "wasm";
}
