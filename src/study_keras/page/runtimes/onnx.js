// onnxruntime in the browser, on wasm: runs the .onnx that onnxruntime runs anywhere else.
import * as ort from "onnxruntime-web/wasm";
import file from "onnxruntime-web/ort-wasm-simd-threaded.wasm";

/**
 * @param {Uint8Array} bytes an .onnx, with its weights inside
 * @returns {Promise<import("../model.js").Model>}
 */
export async function openOnnx(bytes) {
  ort.env.wasm.numThreads = 1; // more would need a page that no other site may open, and cost more than they save
  ort.env.wasm.wasmPaths = { wasm: new URL(file, document.baseURI).href };
  const session = await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"], logSeverityLevel: 4 });
  const [input, output] = [session.inputMetadata[0].shape, session.outputMetadata[0].shape];
  const [shape, classes] = [input.slice(1), output.at(-1)];
  if (session.inputNames.length > 1 || shape.reduce((a, b) => a * b, 1) !== 784) throw new Error(`its input is ${shape}; expected 28,28`);
  if (session.outputNames.length > 1 || output.length !== 2) throw new Error(`its output is ${output}; expected one row of probabilities`);
  const fixed = typeof input[0] === "number" ? input[0] : null; // a size that is open has a name
  return {
    classes,
    look: null,
    async run(pixels, count = 1) {
      const size = fixed ?? count;
      const answers = new Float32Array(Math.ceil(count / size) * size * classes);
      for (let i = 0; i < count; i += size) {
        const batch = new Float32Array(size * 784); // the last is filled up with empty images
        batch.set(pixels.subarray(i * 784, (i + size) * 784));
        answers.set(await one(session, batch, [size, ...shape]), i * classes);
      }
      return answers.subarray(0, count * classes);
    },
    close: () => session.release(),
  };
}

async function one(session, pixels, shape) {
  const found = await session.run({ [session.inputNames[0]]: new ort.Tensor("float32", pixels, shape) });
  return found[session.outputNames[0]].data;
}
