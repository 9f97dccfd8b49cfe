// Which boxes are of one mark, the twin of study_keras/vision/overlaps.py. A place is what a box counts as: at least `WIDTH` of
// its longer side wide and high, because two boxes of one thin stroke may miss each other.

export const SAME = 0.4; // places that have so much in common (intersection over union) are of one mark
const WIDTH = 0.4;

export function placeOf([left, top, right, bottom]) {
  const least = WIDTH * Math.max(right - left, bottom - top);
  const x = Math.max(least - (right - left), 0) / 2;
  const y = Math.max(least - (bottom - top), 0) / 2;
  return [left - x, top - y, right + x, bottom + y];
}

/** The part of two places together that is in both. */
export function partInCommon(one, other) {
  const both = areaInCommon(one, other);
  return both / (areaOf(one) + areaOf(other) - both);
}

export function areaInCommon(one, other) {
  const across = Math.min(one[2], other[2]) - Math.max(one[0], other[0]);
  const down = Math.min(one[3], other[3]) - Math.max(one[1], other[1]);
  return across > 0 && down > 0 ? across * down : 0;
}

export function areaOf([left, top, right, bottom]) {
  return (right - left) * (bottom - top);
}
