// A picture at several sizes, each normalized by its local contrast: what the detector sees; the twin of
// study_keras/vision/levels.py, sum by sum in the same order.

export const MAX_SIDE = 1024; // pixels a side of the largest level
export const SMALL = 64; // pixels; a picture whose sides are all at most that long is looked at in double size, too
const SHORTEST = 20; // pixels; the detector finds digits of 20 to 44 pixels, so halving misses none
const RADIUS = 24; // pixels around each in which the mean and the deviation are taken
const FLOOR = 0.02; // added to the deviation, so that the noise of blank paper stays low
const RANGE = 4; // deviations that become 1

/** @throws {Error} the plane has the wrong size or values, or only one colour */
export function checkGrey({ values, width, height }) {
  if (!(width >= 3 && height >= 3) || values.length !== width * height) {
    throw new Error(`${values.length} values for ${width} x ${height} pixels; expected width * height, at least 3 x 3`);
  }
  let [lowest, most] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    const v = values[i];
    if (!(v >= 0 && v <= 1)) throw new Error(`a value of ${v}; expected finite numbers from 0 (black) to 1 (white)`);
    if (v < lowest) lowest = v;
    if (v > most) most = v;
  }
  if (lowest === most) {
    throw new Error(`every pixel is ${lowest.toFixed(3)}: a picture of one colour; expected a digit on a background`);
  }
}

/**
 * The picture in halves of its size, the finest first; the coarsest has one digit or less.
 * @returns {{light: object, contrast: object, scale: number}[]} planes of numbers in [0, 1] and in [-1, 1]; a pixel of them
 *   is `scale` pixels of the picture
 * @throws {Error} the picture is narrower than one pixel of the finest level
 */
export function levelsOf(grey) {
  let { small: light, scale } = downscale(grey, MAX_SIDE);
  const isSmall = Math.max(light.width, light.height) <= SMALL;
  const levels = isSmall ? [level(doubled(light), scale / 2)] : [];
  for (;; scale *= 2) {
    levels.push(level(light, scale));
    if (Math.max(light.width, light.height) < 2 * SHORTEST || Math.min(light.width, light.height) < 6) return levels;
    light = halved(light);
  }
}

function level(light, scale) {
  return { light, contrast: contrast(light), scale };
}

/** Average blocks of k x k pixels, with the smallest k that leaves at most `maxSide` pixels a side. */
function downscale({ values, width, height }, maxSide) {
  const k = Math.ceil(Math.max(width, height) / maxSide);
  if (k === 1) return { small: { values: Float64Array.from(values), width, height }, scale: 1 };
  if (Math.min(width, height) < k) {
    throw new Error(`a picture of ${width} x ${height} pixels: too narrow for a digit; expected the shorter side to be at least ${k}`);
  }
  const small = { values: null, width: Math.floor(width / k), height: Math.floor(height / k) };
  small.values = new Float64Array(small.width * small.height);
  const sums = new Float64Array(small.width * k);
  for (let row = 0; row < small.height; row++) {
    sums.fill(0);
    for (let dy = 0; dy < k; dy++) {
      const start = (row * k + dy) * width;
      for (let column = 0; column < sums.length; column++) sums[column] += values[start + column];
    }
    for (let column = 0; column < small.width; column++) {
      let sum = 0;
      for (let dx = 0; dx < k; dx++) sum += sums[column * k + dx];
      small.values[row * small.width + column] = sum / (k * k);
    }
  }
  return { small, scale: k };
}

/** Average blocks of 2 x 2 pixels; an odd last row or column counts twice. */
function halved({ values, width, height }) {
  const half = { values: null, width: (width + 1) >> 1, height: (height + 1) >> 1 };
  half.values = new Float64Array(half.width * half.height);
  for (let row = 0; row < half.height; row++) {
    const above = 2 * row * width;
    const below = Math.min(2 * row + 1, height - 1) * width;
    for (let column = 0; column < half.width; column++) {
      const left = 2 * column;
      const right = Math.min(left + 1, width - 1);
      const sum = values[above + left] + values[below + left] + values[above + right] + values[below + right];
      half.values[row * half.width + column] = sum / 4;
    }
  }
  return half;
}

/** The picture in double size, interpolated linearly between the middles of its pixels: rows, then columns. */
export function doubled({ values, width, height }) {
  const tall = new Float64Array(2 * height * width);
  for (let row = 0; row < height; row++) {
    const [above, here, below] = [Math.max(row - 1, 0) * width, row * width, Math.min(row + 1, height - 1) * width];
    for (let column = 0; column < width; column++) {
      const near = 0.75 * values[here + column];
      tall[2 * here + column] = near + 0.25 * values[above + column];
      tall[2 * here + width + column] = near + 0.25 * values[below + column];
    }
  }
  const large = new Float64Array(2 * tall.length);
  for (let i = 0; i < tall.length; i++) {
    const column = i % width;
    const near = 0.75 * tall[i];
    large[2 * i] = near + 0.25 * tall[column > 0 ? i - 1 : i];
    large[2 * i + 1] = near + 0.25 * tall[column < width - 1 ? i + 1 : i];
  }
  return { values: large, width: 2 * width, height: 2 * height };
}

/** Normalize by local contrast: numbers in [0, 1] -> float32 in [-1, 1], 0 where all is the same. */
function contrast({ values, width, height }) {
  const columnSums = new Float64Array((height + 1) * width); // of all rows above
  const columnSquares = new Float64Array(columnSums.length);
  for (let i = 0; i < values.length; i++) {
    columnSums[i + width] = columnSums[i] + values[i];
    columnSquares[i + width] = columnSquares[i] + values[i] * values[i];
  }
  const sums = new Float64Array(width + 1); // of the rows around one, and of all columns to the left
  const squares = new Float64Array(width + 1);
  const result = new Float32Array(values.length);
  for (let row = 0; row < height; row++) {
    const [first, last] = [Math.max(row - RADIUS, 0), Math.min(row + RADIUS + 1, height)];
    const [above, below] = [first * width, last * width];
    for (let column = 0; column < width; column++) {
      sums[column + 1] = sums[column] + (columnSums[below + column] - columnSums[above + column]);
      squares[column + 1] = squares[column] + (columnSquares[below + column] - columnSquares[above + column]);
    }
    for (let column = 0; column < width; column++) {
      const left = Math.max(column - RADIUS, 0);
      const right = Math.min(column + RADIUS + 1, width);
      const area = (last - first) * (right - left);
      const mean = (sums[right] - sums[left]) / area;
      const deviation = Math.sqrt(Math.max((squares[right] - squares[left]) / area - mean * mean, 0));
      const i = row * width + column;
      result[i] = Math.min(Math.max((values[i] - mean) / (deviation + FLOOR) / RANGE, -1), 1);
    }
  }
  return { values: result, width, height };
}
