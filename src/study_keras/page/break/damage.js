// Damage to a layer: from its weights and the settings to other weights. It never changes the arrays that it is given.
import { createNoise } from "./noise.js";

/**
 * @typedef {object} Damage
 * @property {number} noise the standard deviation of what is added to the weights, in shares of the weights' own
 * @property {number} bits how many each weight is rounded to; 32 leaves the weights as they are
 * @property {number} units how many stay, from the first; the others give 0. Infinity: all of them
 * @property {boolean} noBias
 * @property {boolean} zero whether all weights and biases are 0
 */

export const BITS = [1, 2, 4, 8, 32];
export const NO_DAMAGE = { noise: 0, bits: 32, units: Infinity, noBias: false, zero: false };
// In these kinds the last axes of each array are the units, so that number i of the array belongs to unit i % units.
const WITH_UNITS = ["Dense", "Conv1D", "Conv2D", "DepthwiseConv2D", "BatchNormalization"];

const isKernel = ({ name }) => /kernel$|^gamma$/.test(name);
const isBias = ({ name }) => /^(bias|beta)$/.test(name);

/** Whether a layer has weights that can be damaged; the means and variances of a normalization stay as they are. */
export const hasKernel = ({ weights }) => weights.some(isKernel);
export const hasBias = ({ weights }) => weights.some(isBias);

/** The number of units of which some can be kept; 0 for a kind of layer in which they cannot. */
export function unitsOf({ type, shape }) {
  return WITH_UNITS.includes(type) ? shape.at(-1) : 0;
}

/** @param {Damage} damage */
export const isWhole = (damage) => isSame(damage, NO_DAMAGE);

/** Whether two settings have the same values. */
export function isSame(one, other) {
  return Object.keys(other).every((name) => one[name] === other[name]);
}

/**
 * The weights of a damaged layer, always in this order: noise, rounding, units, bias, zero.
 * @param {import("../runtimes/tfjs_layers.js").Layer} layer
 * @param {Float32Array[]} weights its original ones
 * @param {Damage} damage
 * @param {number} seed of the noise
 * @returns {Float32Array[]}
 */
export function damaged(layer, weights, { noise, bits, units, noBias, zero }, seed) {
  const normal = createNoise(seed);
  const count = unitsOf(layer);
  return weights.map((original, i) => {
    const [kernel, bias] = [isKernel(layer.weights[i]), isBias(layer.weights[i])];
    if (!kernel && !bias) return original;
    if (zero || (bias && noBias)) return new Float32Array(original.length);
    let values = original;
    if (kernel && noise) values = noisy(values, noise * deviationOf(values), normal);
    if (kernel && bits < 32) values = rounded(values, bits);
    return units < count ? values.map((value, at) => (at % count < units ? value : 0)) : values;
  });
}

function noisy(values, deviation, normal) {
  return values.map((value) => value + deviation * normal());
}

/**
 * With 2 bits and more each weight moves to the nearest of 2 ** bits levels, at equal distances from the smallest weight
 * to the largest. Of a single bit only the sign is left, times the mean absolute value (Rastegari et al., XNOR-Net).
 */
function rounded(values, bits) {
  if (bits === 1) {
    const size = meanOf(values, Math.abs);
    return values.map((value) => (value < 0 ? -size : size));
  }
  const low = values.reduce((least, value) => Math.min(least, value), Infinity);
  const high = values.reduce((most, value) => Math.max(most, value), -Infinity);
  const step = (high - low) / (2 ** bits - 1);
  return step ? values.map((value) => low + Math.round((value - low) / step) * step) : values;
}

function deviationOf(values) {
  const mean = meanOf(values, (value) => value);
  return Math.sqrt(meanOf(values, (value) => (value - mean) ** 2));
}

function meanOf(values, part) {
  return values.reduce((sum, value) => sum + part(value), 0) / values.length;
}
