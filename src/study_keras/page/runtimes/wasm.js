// The wasm backend of TensorFlow.js, in a chunk of its own.
import { env, getBackend, setBackend } from "@tensorflow/tfjs-core";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { bytesOf, inflate } from "../inflate.js";
import { startWatched } from "./wasm_memory.js";
import file from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm";

/** @returns {Promise<boolean>} whether it started */
export async function startWasm() {
  if (!(await env().getAsync("WASM_HAS_SIMD_SUPPORT"))) return false;
  env().set("WASM_HAS_MULTITHREAD_SUPPORT", false); // for such small images threads cost more than they save
  const url = ONE_FILE ? await unpacked() : new URL(file, document.baseURI).href;
  // All three names are required; only the SIMD build is fetched.
  setWasmPaths({ "tfjs-backend-wasm.wasm": url, "tfjs-backend-wasm-simd.wasm": url, "tfjs-backend-wasm-threaded-simd.wasm": url });
  await startWatched(() => setBackend("wasm")); // resolves to false, without an error, if it does not start
  return getBackend() === "wasm";
}

/** The address of the file inside the one-file page, where `file` is not its name but its bytes; see build.mjs. */
async function unpacked() {
  return URL.createObjectURL(new Blob([await inflate(bytesOf(file))], { type: "application/wasm" }));
}
