// A plane is {values, width, height}: a typed array of numbers, row by row. Pure functions, no DOM.

export function map({ values, width, height }, change) {
  const changed = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) changed[i] = change(values[i], i);
  return { values: changed, width, height };
}

export function total({ values }) {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum;
}

export function highest({ values }) {
  let most = -Infinity;
  for (let i = 0; i < values.length; i++) most = values[i] > most ? values[i] : most;
  return most;
}

export function transpose({ values, width, height }) {
  const turned = new Float64Array(values.length);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) turned[column * height + row] = values[row * width + column];
  }
  return { values: turned, width: height, height: width };
}

/** The part inside a box, which may reach beyond the edges. */
export function crop({ values, width, height }, [x0, y0, x1, y1]) {
  const [left, top, right, bottom] = [Math.max(x0, 0), Math.max(y0, 0), Math.min(x1, width), Math.min(y1, height)];
  const part = new values.constructor((right - left) * (bottom - top));
  for (let row = top; row < bottom; row++) {
    part.set(values.subarray(row * width + left, row * width + right), (row - top) * (right - left));
  }
  return { values: part, width: right - left, height: bottom - top };
}

/** For each pixel, the sum over the (2 radius + 1) x (2 radius + 1) square around it; outside is 0. */
export function boxFilter(plane, radius) {
  return filterColumns(filterRows(plane, radius), radius);
}

function filterColumns({ values, width, height }, radius) {
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

function filterRows({ values, width, height }, radius) {
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
