// Keras' optimizers with Keras' defaults: each moves the weights against their gradients.

const EPSILON = 1e-7;
const TINY = 1e-30; // an average that has faded below it becomes 0: processors are slow with numbers below 1e-38

/** Name -> Keras' default learning rate, how many numbers it remembers for each weight, and the step itself. */
export const OPTIMIZERS = {
  sgd: { rate: 0.01, slots: 0, update: descend },
  momentum: { rate: 0.01, slots: 1, update: roll },
  rmsprop: { rate: 0.001, slots: 1, update: scaleByRoot },
  adam: { rate: 0.001, slots: 2, update: adapt },
};

/**
 * @param {string} name one of OPTIMIZERS
 * @param {import("./network.js").Layer[]} layers their weights are changed in place
 * @returns {(rate: number) => void} takes one step
 */
export function createOptimizer(name, layers) {
  const { slots, update } = OPTIMIZERS[name];
  const parts = layers.flatMap((layer) => [[layer.kernel, layer.kernelGradient], [layer.bias, layer.biasGradient]]);
  const memory = parts.map(([weights]) => Array.from({ length: slots }, () => new Float32Array(weights.length)));
  let steps = 0;
  return (rate) => {
    steps++;
    parts.forEach(([weights, gradients], part) => update(weights, gradients, rate, steps, ...memory[part]));
    if (steps % 128 === 0) memory.flat().forEach(forgetTiny); // it takes 175 steps of 0.9 from 1e-30 to 1e-38
  };
}

function descend(weights, gradients, rate) {
  for (let i = 0; i < weights.length; i++) weights[i] -= rate * gradients[i];
}

/** SGD(momentum=0.9) */
function roll(weights, gradients, rate, _, velocity) {
  for (let i = 0; i < weights.length; i++) {
    velocity[i] = 0.9 * velocity[i] - rate * gradients[i];
    weights[i] += velocity[i];
  }
}

/** RMSprop: the steps become equally large, whatever the size of the gradients. */
function scaleByRoot(weights, gradients, rate, _, squares) {
  for (let i = 0; i < weights.length; i++) {
    const gradient = gradients[i];
    const square = 0.9 * squares[i] + 0.1 * gradient * gradient;
    squares[i] = square;
    weights[i] -= (rate * gradient) / Math.sqrt(square + EPSILON);
  }
}

/** Adam: both, and larger steps at the start, while the averages are still near the 0 that they begin with. */
function adapt(weights, gradients, rate, steps, averages, squares) {
  const scaled = (rate * Math.sqrt(1 - 0.999 ** steps)) / (1 - 0.9 ** steps);
  for (let i = 0; i < weights.length; i++) {
    const gradient = gradients[i];
    const average = 0.9 * averages[i] + 0.1 * gradient;
    const square = 0.999 * squares[i] + 0.001 * gradient * gradient;
    averages[i] = average;
    squares[i] = square;
    weights[i] -= (scaled * average) / (Math.sqrt(square) + EPSILON);
  }
}

function forgetTiny(averages) {
  for (let i = 0; i < averages.length; i++) if (Math.abs(averages[i]) < TINY) averages[i] = 0;
}
