// A plane is {values, width, height}: a typed array of numbers, row by row. Pure functions, no DOM.

export function highest({ values }) {
  let most = -Infinity;
  for (let i = 0; i < values.length; i++) most = values[i] > most ? values[i] : most;
  return most;
}

/** Turn by a quarter, counterclockwise. */
export function quarterTurn({ values, width, height }) {
  const turned = new values.constructor(values.length);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) turned[(width - 1 - column) * height + row] = values[row * width + column];
  }
  return { values: turned, width: height, height: width };
}

export function crop({ values, width }, [left, top, right, bottom]) {
  const part = new values.constructor((right - left) * (bottom - top));
  for (let row = top; row < bottom; row++) {
    part.set(values.subarray(row * width + left, row * width + right), (row - top) * (right - left));
  }
  return { values: part, width: right - left, height: bottom - top };
}

/**
 * Resample to `size` rows, each the average of the area that it covers of the `length` rows from `start`, and transpose;
 * doing it twice resamples rows and columns.
 */
export function averaged({ values, width }, size, start = 0, length = values.length / width) {
  const sums = new Float64Array(values.length + 2 * width); // of all rows above
  for (let i = 0; i < values.length; i++) sums[i + width] = sums[i] + values[i];
  sums.copyWithin(values.length + width, values.length, values.length + width); // the row below the last is 0
  const result = new Float64Array(width * size);
  const former = new Float64Array(width);
  for (let place = 0; place <= size; place++) {
    const at = start + (place * length) / size;
    const whole = Math.floor(at);
    const [row, below] = [whole * width, (whole + 1) * width];
    for (let column = 0; column < width; column++) {
      const until = sums[row + column] + (at - whole) * (sums[below + column] - sums[row + column]);
      if (place > 0) result[column * size + place - 1] = (until - former[column]) * (size / length);
      former[column] = until;
    }
  }
  return { values: result, width: size, height: width };
}

export function median(numbers) {
  const sorted = Float64Array.from(numbers).sort();
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

/** The values along the four sides; those in the corners are there twice. */
export function edgeOf({ values, width, height }) {
  const edge = [...values.subarray(0, width), ...values.subarray((height - 1) * width)];
  for (let row = 0; row < height; row++) edge.push(values[row * width], values[(row + 1) * width - 1]);
  return edge;
}
