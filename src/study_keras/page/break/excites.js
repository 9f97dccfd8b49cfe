// Which images excite a unit most: the largest value that it gives for each, and where in its map that is.
import { inSlices } from "../slices.js";

/**
 * @typedef {{units: number, values: Float32Array, places: Uint16Array}} Excitement
 *   (images, units): the largest value of each unit for each image, and its place in the map of that unit, row by row
 */

/**
 * @param {(pixels: Float32Array, count: number) => Promise<Float32Array>} outputs what the layer gives
 * @param {number} units how many it has, along the last axis
 * @param {{pixels: Float32Array, labels: Uint8Array}} images as someOf() returns them
 * @param {() => boolean} isWanted
 * @returns {Promise<Excitement | null>} null if it was not wanted to its end
 */
export async function measureUnits(outputs, units, { pixels, labels }, isWanted) {
  const found = { units, values: new Float32Array(labels.length * units).fill(-Infinity), places: new Uint16Array(labels.length * units) };
  const done = await inSlices(labels.length, async (start, end) => {
    addLargest(found, await outputs(pixels.subarray(784 * start, 784 * end), end - start), start, end);
  }, isWanted);
  return done ? found : null;
}

function addLargest({ units, values, places }, given, start, end) {
  const positions = given.length / units / (end - start);
  for (let image = start, at = 0; image < end; image++) {
    for (let place = 0; place < positions; place++) {
      for (let unit = image * units; unit < (image + 1) * units; unit++, at++) {
        if (given[at] <= values[unit]) continue;
        values[unit] = given[at];
        places[unit] = place;
      }
    }
  }
}

/**
 * @param {Excitement} excitement
 * @param {number} unit
 * @param {number} most how many images
 * @returns {{image: number, value: number, place: number}[]} the largest value first; none if the unit gives the same for all
 */
export function strongest({ units, values, places }, unit, most) {
  const all = Array.from({ length: values.length / units }, (_, image) => {
    const at = image * units + unit;
    return { image, value: values[at], place: places[at] };
  });
  const lowest = all.reduce((least, { value }) => Math.min(least, value), Infinity);
  return all.filter(({ value }) => value > lowest).sort((a, b) => b.value - a.value).slice(0, most);
}
