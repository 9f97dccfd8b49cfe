// Any picture of a digit -> the 28 x 28 that a network trained on MNIST expects.
//
// The same contract as study_keras/vision/prepare.py and binarize.py, step by step and sum by sum in the same order, so
// that page and command see the same digit; the golden vectors in the tests hold both to it. Pure functions on
// typed arrays, no DOM. A plane is {values, width, height}, row by row; ink is 1 and paper 0.

export const CONTRACT = 1;
const LONGEST = 140;
const LEAST_CONTRAST = 0.06;
const LEAST_SIGNAL = 5;

/**
 * Turn RGBA bytes, as a canvas gives them, into grey from 0 to 1 (ITU-R BT.601). What is transparent is laid on
 * white, or on black where the picture itself is light.
 * @param {Uint8Array | Uint8ClampedArray} colours four bytes a pixel
 * @returns {Float32Array}
 */
export function rgbToGrey(colours) {
  const light = (i) => 299 * colours[i] + 587 * colours[i + 1] + 114 * colours[i + 2];
  let shown = 0;
  let alpha = 0;
  for (let i = 0; i < colours.length; i += 4) {
    shown += light(i) * colours[i + 3];
    alpha += colours[i + 3];
  }
  const backdrop = 2 * shown > 255000 * alpha ? 0 : 255000;
  return Float32Array.from({ length: colours.length / 4 }, (_, pixel) => {
    const i = 4 * pixel;
    return (light(i) * colours[i + 3] + backdrop * (255 - colours[i + 3])) / 65025000;
  });
}

/**
 * Make the picture of one digit what MNIST's makers would have made of it.
 * @param {Float32Array} grey width * height numbers from 0 (black) to 1 (white)
 * @returns {Float32Array} 784 multiples of 1/255, white ink on black
 * @throws {Error} it has another size, one colour, or no ink
 */
export function prepare(grey, width, height) {
  checkGrey(grey, width, height);
  const plane = { values: grey, width, height };
  if (isMnist(plane)) return Float32Array.from(grey);
  const negative = width === 28 && height === 28 ? grey.map((v) => Math.floor((1 - v) * 255 + 0.5) / 255) : null;
  if (negative && isMnist({ values: negative, width, height })) return negative;
  const { small, k } = reduce(plane, LONGEST);
  const { strength, mask } = separate(small);
  const digit = keepDigit(mask);
  const [left, top, right, bottom] = boxOf(digit).map((side) => k * side);
  const margin = Math.max(right - left, bottom - top);
  if (k > 1 && 4 * margin < Math.max(width, height)) { // a small digit in a large picture: look again, closely
    const near = crop(plane, [left - margin, top - margin, right + margin, bottom + margin]);
    return prepare(near.values, near.width, near.height);
  }
  return frame(clean(strength, digit));
}

/** Tell whether a picture already is as MNIST's are; the rule stands in normalize.py. */
export function isMnist(plane) {
  const { values, width, height } = plane;
  if (width !== 28 || height !== 28) return false;
  if (values[0] || values[27] || values[756] || values[783] || values.every((v) => v < 253.5 / 255)) return false;
  const [left, top, right, bottom] = boxOf(plane);
  const longer = Math.max(right - left, bottom - top);
  const [y, x] = centre(plane);
  return longer >= 19 && longer <= 20 && Math.max(Math.abs(y - 14), Math.abs(x - 14)) < 0.53;
}

/** Crop, scale and centre the ink alone: a plane of ink in [0, 1] -> Float32Array(784). */
export function frame(strength) {
  const ink = crop(strength, boxOf(strength));
  const longer = Math.max(ink.width, ink.height);
  const side = (length) => Math.max(1, Math.floor((40 * length + longer) / (2 * longer)));
  const small = transpose(resample(transpose(resample(ink, side(ink.height))), side(ink.width)));
  const { values, width, height } = small;
  const peak = highest(small);
  for (let i = 0; i < values.length; i++) values[i] = Math.floor((values[i] / peak) * 255 + 0.5);
  const [y, x] = centre(small);
  const top = Math.min(Math.max(Math.floor(14.5 - y), 0), 28 - height);
  const left = Math.min(Math.max(Math.floor(14.5 - x), 0), 28 - width);
  const framed = new Float32Array(784);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      framed[(top + row) * 28 + left + column] = values[row * width + column] / 255;
    }
  }
  return framed;
}

/** Tell ink from paper: {strength, mask}, two planes. How it works stands in binarize.py. */
export function separate(plane) {
  const longest = Math.max(plane.width, plane.height);
  const radius = Math.max(2, Math.floor(longest / 6));
  const blur = Math.floor(longest / 256);
  let grey = map(plane, (v) => v);
  const around = boxSum(grey, radius);
  const count = boxSum(map(grey, () => 1), radius);
  let difference = map(grey, (v, i) => v - around.values[i] / count.values[i]);
  if (total(map(difference, (d) => d * d * d)) < 0) {
    grey = map(grey, (v) => -v);
    difference = map(difference, (d) => -d);
  }
  let soft = smooth(difference, blur);
  let threshold = thresholdOf(soft);
  for (let round = 0; round < 3; round++) {
    const inked = boxSum(map(soft, (d) => (d > threshold * 0.7 ? 1 : 0)), 1);
    const means = meanOfPaper(grey, map(inked, (n) => (n === 0 ? 1 : 0)), radius);
    difference = map(grey, (v, i) => v - means.values[i]);
    soft = smooth(difference, blur);
    threshold = thresholdOf(soft);
  }
  const mask = map(soft, (d) => (d > threshold ? 1 : 0));
  const level = total(map(difference, (d, i) => (mask.values[i] ? d : 0))) / Math.max(1, total(mask));
  const noise = noiseOf(difference);
  if (level < LEAST_CONTRAST || level < LEAST_SIGNAL * noise) {
    throw new Error(`no ink found: ${level.toFixed(3)} stands out from the paper, whose noise is ${noise.toFixed(3)}`);
  }
  return { strength: map(difference, (d) => Math.min(Math.max((d / level - 0.15) / 0.7, 0), 1)), mask };
}

/** Drop ruled lines, and the pieces of ink that are smaller than a twentieth of the largest. */
export function keepDigit(mask) {
  const cleaned = transpose(withoutRows(transpose(withoutRows(mask))));
  const { labels, areas } = findPieces(cleaned);
  const largest = areas.reduce((a, b) => Math.max(a, b), 0);
  if (largest < 4) throw new Error(`no ink found but specks of ${largest} pixels; expected a digit`);
  return map(cleaned, (v, i) => (v && 20 * areas[labels[i]] >= largest ? 1 : 0));
}

function checkGrey(grey, width, height) {
  if (!(width >= 3 && height >= 3) || grey.length !== width * height) {
    throw new Error(`${grey.length} values for ${width} x ${height} pixels; expected width * height, at least 3 x 3`);
  }
  let lowest = Infinity;
  let highest = -Infinity;
  for (let i = 0; i < grey.length; i++) {
    const v = grey[i];
    if (!(v >= 0 && v <= 1)) throw new Error(`a value of ${v}; expected numbers from 0 (black) to 1 (white)`);
    if (v < lowest) lowest = v;
    if (v > highest) highest = v;
  }
  if (lowest === highest) throw new Error(`every pixel is ${lowest.toFixed(3)}: a picture of one colour`);
}

function reduce({ values, width, height }, longest) {
  const k = Math.ceil(Math.max(width, height) / longest);
  const small = { values: null, width: Math.floor(width / k), height: Math.floor(height / k) };
  if (small.width === 0 || small.height === 0) throw new Error(`${width} x ${height} pixels: too narrow for a digit`);
  small.values = new Float64Array(small.width * small.height);
  for (let row = 0; row < small.height; row++) {
    for (let column = 0; column < small.width; column++) {
      let sum = 0;
      for (let dx = 0; dx < k; dx++) {
        let rows = 0;
        for (let dy = 0; dy < k; dy++) rows += values[(row * k + dy) * width + column * k + dx];
        sum += rows;
      }
      small.values[row * small.width + column] = sum / (k * k);
    }
  }
  return { small, k };
}

function boxSum(plane, radius) {
  return boxSumOfColumns(boxSumOfRows(plane, radius), radius);
}

function boxSumOfColumns({ values, width, height }, radius) {
  const sums = new Float64Array(width + 1);
  const result = new Float64Array(values.length);
  for (let start = 0; start < values.length; start += width) {
    for (let column = 0; column < width; column++) sums[column + 1] = sums[column] + values[start + column];
    for (let column = 0; column < width; column++) {
      result[start + column] = sums[Math.min(column + radius + 1, width)] - sums[Math.max(column - radius, 0)];
    }
  }
  return { values: result, width, height };
}

function boxSumOfRows({ values, width, height }, radius) {
  const sums = new Float64Array(width * (height + 1));
  for (let i = 0; i < values.length; i++) sums[i + width] = sums[i] + values[i];
  const result = new Float64Array(values.length);
  for (let row = 0; row < height; row++) {
    const last = Math.min(row + radius + 1, height) * width;
    const first = Math.max(row - radius, 0) * width;
    for (let column = 0; column < width; column++) {
      result[row * width + column] = sums[last + column] - sums[first + column];
    }
  }
  return { values: result, width, height };
}

function smooth(plane, radius) {
  return radius ? map(boxSum(plane, radius), (sum) => sum / (2 * radius + 1) ** 2) : plane;
}

function noiseOf(difference) {
  let sum = 0;
  let count = 0;
  for (let i = 0; i < difference.values.length; i++) {
    const d = difference.values[i];
    if (d < 0) {
      sum += d * d;
      count += 1;
    }
  }
  return Math.sqrt(sum / Math.max(1, count));
}

function thresholdOf(difference) {
  const top = highest(difference);
  if (top <= 0) return 0;
  const counts = new Float64Array(256);
  const size = difference.values.length;
  for (let i = 0; i < size; i++) counts[Math.floor((Math.max(difference.values[i], 0) / top) * 255)] += 1;
  const mean = counts.reduce((sum, count, bin) => sum + count * bin, 0) / size;
  let [best, most, below, moment] = [0, -1, 0, 0];
  for (let bin = 0; bin < 256; bin++) {
    below += counts[bin];
    moment += counts[bin] * bin;
    const apart = mean * below - moment;
    const spread = (apart * apart) / Math.max(below * (size - below), 1);
    if (spread > most) [best, most] = [bin, spread];
  }
  return Math.max(((best + 1) * top) / 255, 3 * noiseOf(difference));
}

function meanOfPaper(grey, paper, radius) {
  const light = map(grey, (v, i) => (paper.values[i] ? v : 0));
  const everywhere = total(light) / Math.max(1, total(paper));
  const count = boxSum(paper, radius).values;
  return map(boxSum(light, radius), (sum, i) => (count[i] > 0 ? sum / Math.max(count[i], 1) : everywhere));
}

function withoutRows({ values, width, height }) {
  const full = Array.from({ length: height }, (_, row) => {
    let ink = 0;
    for (let i = row * width; i < (row + 1) * width; i++) ink += values[i];
    return ink > 0.8 * width;
  });
  const cleaned = Float64Array.from(values);
  for (let top = 0, bottom = 0; top < height; top = bottom + 1) {
    for (bottom = top; bottom < height && full[bottom];) bottom += 1;
    if (bottom === top || bottom > top + Math.max(2, Math.floor(height / 25))) continue;
    for (let column = 0; column < width; column++) {
      const crossed = (top && values[(top - 1) * width + column]) || (bottom < height && values[bottom * width + column]);
      for (let row = top; row < bottom && !crossed; row++) cleaned[row * width + column] = 0;
    }
  }
  return { values: cleaned, width, height };
}

function findPieces({ values, width, height }) {
  const labels = new Int32Array(values.length).fill(-1);
  const areas = [];
  for (let start = 0; start < values.length; start++) {
    if (!values[start] || labels[start] >= 0) continue;
    const waiting = [start];
    labels[start] = areas.length;
    let area = 0;
    while (waiting.length) {
      const i = waiting.pop();
      const [row, column] = [Math.floor(i / width), i % width];
      area += 1;
      for (let y = Math.max(row - 1, 0); y <= Math.min(row + 1, height - 1); y++) {
        for (let x = Math.max(column - 1, 0); x <= Math.min(column + 1, width - 1); x++) {
          const neighbour = y * width + x;
          if (!values[neighbour] || labels[neighbour] >= 0) continue;
          labels[neighbour] = areas.length;
          waiting.push(neighbour);
        }
      }
    }
    areas.push(area);
  }
  return { labels, areas };
}

function clean(strength, mask) {
  const near = boxSum(mask, 1 + Math.floor(Math.max(mask.width, mask.height) / 128)).values;
  return map(strength, (v, i) => (near[i] > 0 ? v : 0));
}

function boxOf({ values, width, height }) {
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let i = 0; i < values.length; i++) {
    if (!(values[i] > 0)) continue;
    const [row, column] = [Math.floor(i / width), i % width];
    left = Math.min(left, column);
    top = Math.min(top, row);
    right = Math.max(right, column + 1);
    bottom = Math.max(bottom, row + 1);
  }
  if (right === 0) throw new Error("no ink: expected values above 0");
  return [left, top, right, bottom];
}

function crop({ values, width, height }, [x0, y0, x1, y1]) {
  const [left, top, right, bottom] = [Math.max(x0, 0), Math.max(y0, 0), Math.min(x1, width), Math.min(y1, height)];
  const part = new values.constructor((right - left) * (bottom - top));
  for (let row = top; row < bottom; row++) {
    part.set(values.subarray(row * width + left, row * width + right), (row - top) * (right - left));
  }
  return { values: part, width: right - left, height: bottom - top };
}

/** The row and the column of the centre of mass; rows first, then their sums, as NumPy adds them. */
function centre({ values, width, height }) {
  const rows = new Float64Array(height);
  const columns = new Float64Array(width);
  values.forEach((v, i) => {
    rows[Math.floor(i / width)] += v;
    columns[i % width] += v;
  });
  const mass = rows.reduce((sum, v) => sum + v, 0);
  return [rows, columns].map((sums) => sums.reduce((sum, v, place) => sum + v * place, 0) / mass);
}

function resample({ values, width, height }, size) {
  const sums = new Float64Array((height + 2) * width);
  for (let i = 0; i < values.length; i++) sums[i + width] = sums[i] + values[i];
  sums.copyWithin((height + 1) * width, height * width, (height + 1) * width);
  const until = (place, column) => {
    const whole = Math.floor(place);
    const at = whole * width + column;
    return sums[at] + (place - whole) * (sums[at + width] - sums[at]);
  };
  const result = new Float64Array(size * width);
  for (let row = 0; row < size; row++) {
    const [from, to] = [(row * height) / size, ((row + 1) * height) / size];
    for (let column = 0; column < width; column++) {
      result[row * width + column] = (until(to, column) - until(from, column)) * (size / height);
    }
  }
  return { values: result, width, height: size };
}

function transpose({ values, width, height }) {
  const turned = new Float64Array(values.length);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) turned[column * height + row] = values[row * width + column];
  }
  return { values: turned, width: height, height: width };
}

function map({ values, width, height }, change) {
  const changed = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) changed[i] = change(values[i], i);
  return { values: changed, width, height };
}

function total({ values }) {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum;
}

function highest({ values }) {
  let most = -Infinity;
  for (let i = 0; i < values.length; i++) most = values[i] > most ? values[i] : most;
  return most;
}
