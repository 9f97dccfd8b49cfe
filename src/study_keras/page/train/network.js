// A network of dense layers with a softmax at its end: forward, loss and backward, in plain loops over Float32Array.
//
// A kernel lies in memory as in Keras, (inputs, outputs) row by row. An input that is 0, as four of five pixels are and
// half of what ReLU gives, leaves out its whole row in both directions: the first layer costs a fifth.

/** @typedef {{inputs: number, outputs: number, kernel: Float32Array, bias: Float32Array, kernelGradient: Float32Array,
 *   biasGradient: Float32Array, values: Float32Array, deltas: Float32Array, kept: Float32Array | null}} Layer */

// Each with its slope, as a function of its result.
const ACTIVATIONS = {
  relu: [(sum) => (sum > 0 ? sum : 0), (value) => (value > 0 ? 1 : 0)],
  tanh: [Math.tanh, (value) => 1 - value * value],
  sigmoid: [(sum) => 1 / (1 + Math.exp(-sum)), (value) => value * (1 - value)],
  linear: [(sum) => sum, () => 1],
};

/**
 * A dense layer with Keras' first weights: Glorot's uniform ones, and biases of 0.
 * @param {() => number} random numbers in [0, 1)
 * @returns {Layer}
 */
export function createLayer(inputs, outputs, random) {
  const limit = Math.sqrt(6 / (inputs + outputs));
  return {
    inputs,
    outputs,
    kernel: Float32Array.from({ length: inputs * outputs }, () => limit * (2 * random() - 1)),
    bias: new Float32Array(outputs),
    kernelGradient: new Float32Array(inputs * outputs),
    biasGradient: new Float32Array(outputs),
    values: new Float32Array(0), // (count, outputs), of the last batch
    deltas: new Float32Array(0), // the slope of the loss by each sum, (count, outputs)
    kept: null, // what dropout multiplied each value with
  };
}

/**
 * @param {Layer[]} layers the last one's values become probabilities
 * @param {Float32Array} inputs (count, inputs of the first layer)
 * @param {{activation: string, dropout?: number, random?: () => number}} how dropout only while training
 * @returns {Float32Array} (count, classes), valid until the next call
 */
export function forward(layers, inputs, count, { activation, dropout = 0, random }) {
  let given = inputs;
  for (const layer of layers) {
    reserve(layer, count);
    sumUp(layer, given, count);
    layer.kept = null;
    if (layer === layers.at(-1)) softmax(layer.values, count, layer.outputs);
    else {
      activate(layer.values, count * layer.outputs, ACTIVATIONS[activation][0]);
      if (dropout) drop(layer, count, dropout, random);
    }
    given = layer.values;
  }
  return given.subarray(0, count * layers.at(-1).outputs);
}

/** The sum of the losses (sparse categorical crossentropy) of the last batch, and how many of its answers are right. */
export function score(layers, labels, count) {
  const { values, outputs } = layers.at(-1);
  let [loss, right] = [0, 0];
  for (let n = 0; n < count; n++) {
    const row = values.subarray(n * outputs, (n + 1) * outputs);
    loss -= Math.log(Math.max(row[labels[n]], 1e-7)); // Keras' own limit
    if (bestOf(row) === labels[n]) right++;
  }
  return { loss, right };
}

/** Set the gradients of the mean loss of the batch that `forward` has just seen. */
export function backward(layers, inputs, labels, count, { activation }) {
  const last = layers.at(-1);
  for (let i = 0; i < count * last.outputs; i++) last.deltas[i] = last.values[i] / count;
  for (let n = 0; n < count; n++) last.deltas[n * last.outputs + labels[n]] -= 1 / count;
  for (let l = layers.length - 1; l >= 0; l--) {
    setGradients(layers[l], l ? layers[l - 1].values : inputs, count);
    if (l) passBack(layers[l], layers[l - 1], count, ACTIVATIONS[activation][1]);
  }
}

export function bestOf(row) {
  let best = 0;
  for (let i = 1; i < row.length; i++) if (row[i] > row[best]) best = i;
  return best;
}

function reserve(layer, count) {
  if (layer.values.length >= count * layer.outputs) return;
  layer.values = new Float32Array(count * layer.outputs);
  layer.deltas = new Float32Array(count * layer.outputs);
}

const factors = new Float32Array(8192); // the most inputs of a layer, and the most images of a batch
const starts = new Int32Array(8192);

/** values = inputs @ kernel + bias */
function sumUp({ inputs, outputs, kernel, bias, values }, given, count) {
  for (let n = 0; n < count; n++) {
    let found = 0;
    for (let i = 0; i < inputs; i++) {
      const value = given[n * inputs + i];
      if (value === 0) continue;
      factors[found] = value;
      starts[found++] = i * outputs;
    }
    values.set(bias, n * outputs);
    addRows(values, n * outputs, outputs, kernel, found);
  }
}

/** kernelGradient = inputs.T @ deltas; biasGradient = the sum of the deltas */
function setGradients({ inputs, outputs, deltas, kernelGradient, biasGradient }, given, count) {
  kernelGradient.fill(0);
  for (let i = 0; i < inputs; i++) {
    let found = 0;
    for (let n = 0; n < count; n++) {
      const value = given[n * inputs + i];
      if (value === 0) continue;
      factors[found] = value;
      starts[found++] = n * outputs;
    }
    if (found) addRows(kernelGradient, i * outputs, outputs, deltas, found);
  }
  biasGradient.fill(0);
  for (let n = 0; n < count; n++) for (let j = 0; j < outputs; j++) biasGradient[j] += deltas[n * outputs + j];
}

/** Add `found` rows of a matrix, each times its factor. Four at a time, so that each sum is read and written less often. */
function addRows(sums, at, width, matrix, found) {
  let k = 0;
  for (; k + 3 < found; k += 4) {
    const [a, b, c, d] = [factors[k], factors[k + 1], factors[k + 2], factors[k + 3]];
    const [p, q, r, s] = [starts[k], starts[k + 1], starts[k + 2], starts[k + 3]];
    for (let j = 0; j < width; j++) sums[at + j] += a * matrix[p + j] + b * matrix[q + j] + c * matrix[r + j] + d * matrix[s + j];
  }
  for (; k < found; k++) {
    const [a, p] = [factors[k], starts[k]];
    for (let j = 0; j < width; j++) sums[at + j] += a * matrix[p + j];
  }
}

/** The deltas of the layer before: deltas @ kernel.T, through its dropout and its activation. */
function passBack({ inputs, outputs, kernel, deltas }, before, count, slope) {
  for (let n = 0; n < count; n++) {
    for (let i = 0; i < inputs; i++) {
      const at = n * inputs + i;
      const kept = before.kept ? before.kept[at] : 1;
      let sum = 0;
      if (kept) for (let j = 0; j < outputs; j++) sum += deltas[n * outputs + j] * kernel[i * outputs + j];
      before.deltas[at] = kept && sum * kept * slope(before.values[at] / kept);
    }
  }
}

function activate(values, length, activation) {
  for (let i = 0; i < length; i++) values[i] = activation(values[i]);
}

/** Forget the share `rate` of the values at random, and enlarge the others so that their sum is expected to stay. */
function drop(layer, count, rate, random) {
  const length = count * layer.outputs;
  layer.kept = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    layer.kept[i] = random() < rate ? 0 : 1 / (1 - rate);
    layer.values[i] *= layer.kept[i];
  }
}

function softmax(values, count, outputs) {
  for (let n = 0; n < count; n++) {
    const row = values.subarray(n * outputs, (n + 1) * outputs);
    const highest = row[bestOf(row)];
    let whole = 0;
    for (let j = 0; j < outputs; j++) whole += row[j] = Math.exp(row[j] - highest);
    for (let j = 0; j < outputs; j++) row[j] /= whole;
  }
}
