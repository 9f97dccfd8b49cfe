// LiteRT in the browser: runs the same .tflite as the phone.
import { Tensor, loadAndCompile, loadLiteRt } from "@litertjs/core";
import { fixBatch } from "./flatbuffer.js";

let started = null;

/**
 * @param {Uint8Array} bytes a .tflite
 * @returns {Promise<import("../model.js").Model>}
 */
export async function openLiteRt(bytes) {
  started ??= start();
  await started;
  const model = await loadAndCompile(fixBatch(bytes), { accelerator: "wasm" });
  const [input, output] = [model.getInputDetails()[0].shape, model.getOutputDetails()[0].shape];
  if (input.reduce((a, b) => a * b, 1) !== 784) throw new Error(`its input is ${input}; expected 1,28,28`);
  const classes = output.at(-1);
  return {
    classes,
    look: null,
    async run(pixels, count) {
      const answers = new Float32Array(count * classes);
      for (let i = 0; i < count; i++) answers.set(await one(model, pixels.slice(i * 784, (i + 1) * 784), input), i * classes);
      return answers;
    },
    close: () => model.delete(),
  };
}

function start() {
  // LiteRT also prints information as errors; real errors start differently or are thrown.
  self.Module = { printErr: (line) => /^(INFO|WARNING): /.test(line) || console.error(line) };
  return loadLiteRt(new URL("litert/litert_wasm_compat_internal.js", document.baseURI).href);
}

async function one(model, pixels, shape) {
  const picture = new Tensor(pixels, [...shape]);
  const [answer] = await model.run(picture);
  const numbers = answer.toTypedArray().slice();
  picture.delete();
  answer.delete();
  return numbers;
}
