// Connected components of a mask, a plane of 0 and 1; the twin of study_keras/vision/components.py.

/**
 * Find the connected components by a flood fill, in the order of their first pixels; diagonal neighbours are connected.
 * @returns {{box: number[], area: number}[]} left, top, right and bottom, the last two exclusive, and the pixels
 */
export function connectedComponents({ values, width, height }) {
  const free = Uint8Array.from(values);
  const waiting = new Int32Array(values.length);
  const components = [];
  for (let start = 0; start < free.length; start++) {
    if (!free[start]) continue;
    let [left, top, right, bottom] = [width, height, 0, 0];
    let count = 1;
    free[start] = 0;
    waiting[0] = start;
    for (let done = 0; done < count; done++) {
      const row = Math.floor(waiting[done] / width);
      const column = waiting[done] - row * width;
      if (column < left) left = column;
      if (column >= right) right = column + 1;
      if (row < top) top = row;
      if (row >= bottom) bottom = row + 1;
      const [lastRow, lastColumn] = [Math.min(row + 1, height - 1), Math.min(column + 1, width - 1)];
      for (let y = Math.max(row - 1, 0); y <= lastRow; y++) {
        for (let x = Math.max(column - 1, 0); x <= lastColumn; x++) {
          const neighbour = y * width + x;
          if (!free[neighbour]) continue;
          free[neighbour] = 0;
          waiting[count++] = neighbour;
        }
      }
    }
    components.push({ box: [left, top, right, bottom], area: count });
  }
  return components;
}
