// Opens a model with the runtime for its format, which is loaded only then.

/**
 * @typedef {object} Model
 * @property {number} classes the number of probabilities
 * @property {(pixels: Float32Array, count?: number) => Promise<Float32Array>} run
 *   count * 784 numbers in [0, 1], white ink on black -> count * classes probabilities
 * @property {((pixels: Float32Array) => {outputs: Float32Array, layers: Layer[]}) | null} look
 *   the same for one image, with the output of each layer; null if the runtime cannot
 * @property {object | null} [layers] what openLayers() of runtimes/tfjs_layers.js returns; null if the runtime shows none
 * @property {object} [json] the content of its model.json, if it has one
 * @property {boolean} [taught] whether the view "Teach" has changed its weights
 * @property {() => void} close
 */

/** @typedef {{name: string, shape: number[], values: Float32Array}} Layer */

/**
 * The models to choose from: the one inside a single-file page, otherwise those that the server lists.
 * @returns {Promise<{name: string, format: "tfjs" | "tflite" | "onnx", bytes: number, url?: string, classes?: string[], shipped?: boolean}[]>}
 */
export async function listModels() {
  const inside = document.getElementById("model");
  if (inside) return [JSON.parse(inside.textContent)];
  return (await get("models")).json();
}

/** The TensorFlow.js copy of the first model, if there is one: a smaller runtime, and it shows the layers. */
export function preferred(entries) {
  return entries.find(({ name, format }) => name === entries[0].name && format === "tfjs") ?? entries[0];
}

/**
 * @param {object} entry one of listModels()
 * @returns {Promise<Model>}
 * @throws {Error} it cannot be loaded, or its input is not one image of 28 x 28
 */
export async function openModel(entry) {
  if (entry.format === "tfjs") {
    const { openTfjs } = await import("./runtimes/tfjs.js");
    return withProbabilities(await openTfjs(await readTfjs(entry)));
  }
  if (!ONE_FILE && entry.format === "tflite") {
    const { openLiteRt } = await import("./runtimes/litert.js");
    return withProbabilities(await openLiteRt(new Uint8Array(await (await get(entry.url)).arrayBuffer())));
  }
  if (!ONE_FILE && entry.format === "onnx") {
    const { openOnnx } = await import("./runtimes/onnx.js");
    return withProbabilities(await openOnnx(new Uint8Array(await (await get(entry.url)).arrayBuffer())));
  }
  throw new Error(`the format ${entry.format} is not supported`);
}

/**
 * Open the two networks that find the digits of a picture: those inside a single-file page, otherwise the shipped ones.
 * @returns {Promise<import("./vision/finder.js").Finder>}
 * @throws {Error} they cannot be loaded
 */
export async function openShippedFinder() {
  const inside = document.getElementById("finder");
  const entries = inside && JSON.parse(inside.textContent);
  const read = (name) => readTfjs(entries ? entries[name] : { url: `shipped/${name}.tfjs/model.json` });
  const [{ startTfjs }, { openFinder }, detector, reader] = await Promise.all([
    import("./runtimes/tfjs.js"), import("./vision/finder.js"), read("detector"), read("reader"),
  ]);
  await startTfjs();
  return openFinder({ detector, reader });
}

async function get(url) {
  const answer = await fetch(new URL(url, document.baseURI));
  if (!answer.ok) throw new Error(`${answer.status} for ${url}`);
  return answer;
}

/** The content of model.json, and the bytes of its weights. */
async function readTfjs(entry) {
  if (entry.weights !== undefined) {
    const text = atob(entry.weights);
    return { json: entry.json, weights: Uint8Array.from(text, (letter) => letter.charCodeAt(0)).buffer };
  }
  const json = await (await get(entry.url)).json();
  const place = new URL(entry.url, document.baseURI);
  const paths = json.weightsManifest.flatMap((group) => group.paths);
  const parts = await Promise.all(paths.map(async (path) => (await get(new URL(path, place))).blob()));
  return { json, weights: await new Blob(parts).arrayBuffer() };
}

// Four arbitrary images, the same as in vision/classifier.py.
const PROBES = Float32Array.from({ length: 4 * 784 }, (_, i) => ((Math.floor(i / 784) + 1) * (i % 784) * 37 % 101) / 100);

/** Add a softmax to a model that ends without one, which its outputs for PROBES show: negative values, or sums other than 1. */
export async function withProbabilities(model) {
  const rowsOf = (outputs, count) =>
    Array.from({ length: count }, (_, i) => outputs.subarray(i * model.classes, (i + 1) * model.classes));
  const rows = rowsOf(await model.run(PROBES, 4), 4);
  // int8 rounds each probability to 1/256, so a sum may deviate by a few of these.
  if (rows.every((row) => row.every((v) => v >= 0) && Math.abs(sum(row) - 1) < 0.03)) {
    return { ...model, run: (pixels, count = 1) => model.run(pixels, count) };
  }
  const run = async (pixels, count = 1) => {
    const outputs = await model.run(pixels, count);
    rowsOf(outputs, count).forEach(softmax);
    return outputs;
  };
  const look = model.look && ((pixels) => {
    const { outputs, layers } = model.look(pixels);
    softmax(outputs);
    return { outputs, layers };
  });
  return { ...model, run, look };
}

function softmax(row) {
  const highest = Math.max(...row);
  row.forEach((v, i) => (row[i] = Math.exp(v - highest)));
  const whole = sum(row);
  row.forEach((v, i) => (row[i] = v / whole));
}

function sum(row) {
  return row.reduce((total, v) => total + v, 0);
}
