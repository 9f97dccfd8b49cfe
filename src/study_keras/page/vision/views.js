// What the reader sees of a level; the twin of study_keras/vision/views.py.
import { averaged } from "./plane.js";

export const VIEW = 32; // pixels a side

/** Resample a square of a plane to 32 x 32 by area averages, times `sign`; outside of the plane is 0. */
export function view({ values, width, height }, [left, top, side], sign) {
  const [x0, y0] = [Math.floor(left), Math.floor(top)];
  const [wide, tall] = [Math.floor(left + side + 1) - x0, Math.floor(top + side + 1) - y0];
  const part = new Float64Array(wide * tall);
  const [first, last] = [Math.max(x0, 0), Math.min(x0 + wide, width)];
  for (let row = Math.max(y0, 0); row < Math.min(y0 + tall, height); row++) {
    const [from, to] = [row * width, (row - y0) * wide - x0];
    for (let column = first; column < last; column++) part[to + column] = sign * values[from + column];
  }
  const rows = averaged({ values: part, width: wide, height: tall }, VIEW, top - y0, side);
  return averaged(rows, VIEW, left - x0, side).values;
}
