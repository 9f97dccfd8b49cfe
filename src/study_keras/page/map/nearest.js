// Where a new point lies among those of the map: between its nearest neighbours.

/**
 * @param {Float32Array} point (width,)
 * @param {Float32Array} points (count, width)
 * @param {number} most how many neighbours
 * @returns {{at: number, weight: number}[]} the nearest first; the weights sum up to 1, the nearer the larger
 */
export function nearest(point, points, most) {
  const width = point.length;
  const away = new Float32Array(points.length / width);
  for (let n = 0; n < away.length; n++) {
    for (let i = 0; i < width; i++) away[n] += (points[n * width + i] - point[i]) ** 2;
  }
  const found = Uint32Array.from(away.keys()).sort((a, b) => away[a] - away[b]).subarray(0, most);
  const weights = Array.from(found, (at) => 1 / (away[at] + 1e-9));
  const whole = weights.reduce((sum, weight) => sum + weight, 0);
  return Array.from(found, (at, i) => ({ at, weight: weights[i] / whole }));
}

/** The weighted mean of the neighbours' places. */
export function placeAmong(neighbours, places) {
  const sum = (axis) => neighbours.reduce((total, { at, weight }) => total + weight * places[2 * at + axis], 0);
  return [sum(0), sum(1)];
}
