// Which boxes are of one mark, the twin of study_keras/vision/overlaps.py. A place is what a box counts as: at least `WIDTH` of
// its longer side wide and high, because two boxes of one thin stroke may miss each other.

const SAME = 0.4; // places that have so much in common (intersection over union) are of one mark
const WIDTH = 0.4;
const COVERED = 0.7; // as is a place of which so much lies in another

export function placeOf([left, top, right, bottom]) {
  const least = WIDTH * Math.max(right - left, bottom - top);
  const x = Math.max(least - (right - left), 0) / 2;
  const y = Math.max(least - (bottom - top), 0) / 2;
  return [left - x, top - y, right + x, bottom + y];
}

/** Whether two places have most of both together in common. */
export function isSame(one, other) {
  const both = inCommon(one, other);
  return both > 0 && both / (areaOf(one) + areaOf(other) - both) > SAME;
}

/** For each place the numbers of those that are the same, or of which one covers the other. */
export function rivalsOf(places) {
  const rivals = places.map(() => []);
  for (let one = 0; one < places.length; one++) {
    for (let other = one + 1; other < places.length; other++) {
      const both = inCommon(places[one], places[other]);
      if (both === 0) continue;
      const [own, area] = [areaOf(places[one]), areaOf(places[other])];
      if (!(both / (own + area - both) > SAME || both / Math.min(own, area) > COVERED)) continue;
      rivals[one].push(other);
      rivals[other].push(one);
    }
  }
  return rivals;
}

function inCommon(one, other) {
  const across = Math.min(one[2], other[2]) - Math.max(one[0], other[0]);
  const down = Math.min(one[3], other[3]) - Math.max(one[1], other[1]);
  return across > 0 && down > 0 ? across * down : 0;
}

function areaOf([left, top, right, bottom]) {
  return (right - left) * (bottom - top);
}
