// Operations on a binary mask, a plane of 0 and 1; the twin of study_keras/vision/components.py.
import { transpose } from "./plane.js";

/** Clear thin rows and columns that are set from edge to edge, except where a stroke crosses them. */
export function removeRuledLines(mask) {
  return transpose(removeRows(transpose(removeRows(mask))));
}

function removeRows({ values, width, height }) {
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

/** Label the connected components of a mask, by a flood fill; diagonal neighbours are connected. */
export function connectedComponents({ values, width, height }) {
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
