// Draws the map: each image as the digit that it is, in its digit's colour, and the drawing as a cross.

const MARGIN = 18; // CSS pixels
const NEAR = 16; // CSS pixels from a place at which its image is meant

/**
 * @param {HTMLCanvasElement} canvas
 * @param {{places: Float32Array, labels: Uint8Array, wrong: (at: number) => boolean, own: [number, number] | null,
 *   chosen: number | null}} map
 * @returns {(x: number, y: number) => number | null} the number of the image at a place of the canvas, in CSS pixels
 */
export function drawMap(canvas, { places, labels, wrong, own, chosen }) {
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  const density = devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * density)) canvas.width = Math.round(width * density);
  if (canvas.height !== Math.round(height * density)) canvas.height = Math.round(height * density);
  const at = fitted(places, width, height);
  const context = canvas.getContext("2d");
  const style = getComputedStyle(canvas);
  context.setTransform(density, 0, 0, density, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = `600 ${width < 480 ? 10 : 12}px system-ui, sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  labels.forEach((label, n) => {
    const [x, y] = at(places[2 * n], places[2 * n + 1]);
    context.fillStyle = style.getPropertyValue(`--digit-${label}`);
    context.fillText(label, x, y);
    if (wrong(n)) circle(context, x, y, 8, style.getPropertyValue("--warn"), 1.5);
  });
  if (chosen !== null) circle(context, ...at(places[2 * chosen], places[2 * chosen + 1]), 10, style.color, 2);
  if (own) cross(context, ...at(...own), style.color, style.getPropertyValue("--card"));
  return (x, y) => nearestTo(x, y, places, at);
}

/** A function from a place on the map to one on the canvas, so that all of the map is seen. */
function fitted(places, width, height) {
  const [xs, ys] = [0, 1].map((axis) => places.filter((_, k) => k % 2 === axis));
  const [left, right, top, bottom] = [least(xs), most(xs), least(ys), most(ys)];
  const scale = Math.min((width - 2 * MARGIN) / (right - left || 1), (height - 2 * MARGIN) / (bottom - top || 1));
  return (x, y) => [width / 2 + scale * (x - (left + right) / 2), height / 2 + scale * (y - (top + bottom) / 2)];
}

function nearestTo(x, y, places, at) {
  let [found, least] = [null, NEAR];
  for (let n = 0; 2 * n < places.length; n++) {
    const [left, top] = at(places[2 * n], places[2 * n + 1]);
    const away = Math.hypot(left - x, top - y);
    if (away < least) [found, least] = [n, away];
  }
  return found;
}

function circle(context, x, y, radius, colour, width) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.stroke();
}

function cross(context, x, y, colour, around) {
  for (const [style, width] of [[around, 8], [colour, 4]]) {
    context.strokeStyle = style;
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(x - 11, y);
    context.lineTo(x + 11, y);
    context.moveTo(x, y - 11);
    context.lineTo(x, y + 11);
    context.stroke();
  }
}

const least = (values) => values.reduce((a, b) => Math.min(a, b), Infinity);
const most = (values) => values.reduce((a, b) => Math.max(a, b), -Infinity);
