// Noise from a seed: the same seed gives the same noise.
import { createRandom } from "../train/random.js";

/** @returns {() => number} the next number of a normal distribution with mean 0 and standard deviation 1 (Box and Muller) */
export function createNoise(seed) {
  const random = createRandom(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
