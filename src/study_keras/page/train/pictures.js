// Pictures of numbers: weights, blue where positive and orange where negative, and ink.

/**
 * Draw the weights of each unit as an image of 28 x 28: blue for positive ones, orange for negative ones.
 * @param {HTMLCanvasElement} canvas
 * @param {Float32Array} kernel (784, units)
 */
export function drawUnits(canvas, kernel) {
  const units = kernel.length / 784;
  const columns = Math.min(units, canvas.clientWidth < 480 ? 8 : 16);
  const rows = Math.ceil(units / columns);
  const width = 29 * columns - 1; // with a gap of one pixel
  const height = 29 * rows - 1;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const [more, less] = colours(canvas);
  const strength = 255 / (3 * rootMeanSquare(kernel) + 1e-9);
  const image = canvas.getContext("2d").createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let unit = 0; unit < units; unit++) {
    const corner = 29 * Math.floor(unit / columns) * width + 29 * (unit % columns);
    for (let i = 0; i < 784; i++) {
      pixels[corner + Math.floor(i / 28) * width + (i % 28)] = signed(kernel[i * units + unit], strength, more, less);
    }
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** Draw a table of numbers, row by row, a pixel each: blue for positive ones, orange for negative ones. */
export function drawSigned(canvas, values, columns, rows) {
  if (canvas.width !== columns || canvas.height !== rows) Object.assign(canvas, { width: columns, height: rows });
  const [more, less] = colours(canvas);
  const strength = 255 / (3 * rootMeanSquare(values) + 1e-9);
  const image = canvas.getContext("2d").createImageData(columns, rows);
  new Uint32Array(image.data.buffer).set(Array.from(values, (value) => signed(value, strength, more, less)));
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** Draw 784 numbers in [0, 1] as ink. */
export function drawInk(canvas, pixels, colour) {
  Object.assign(canvas, { width: 28, height: 28 });
  const context = canvas.getContext("2d");
  const image = context.createImageData(28, 28);
  const ink = bytesOf(colour);
  new Uint32Array(image.data.buffer).set(Array.from(pixels, (value) => ((Math.round(255 * value) << 24) | ink) >>> 0));
  context.putImageData(image, 0, 0);
}

/** The pixel of a number, the more opaque the larger it is. */
function signed(value, strength, more, less) {
  return ((Math.min(Math.abs(value) * strength, 255) << 24) | (value > 0 ? more : less)) >>> 0;
}

function colours(canvas) {
  const style = getComputedStyle(canvas);
  return [style.getPropertyValue("--more"), style.getPropertyValue("--less")].map(bytesOf);
}

function rootMeanSquare(numbers) {
  let sum = 0;
  for (let i = 0; i < numbers.length; i++) sum += numbers[i] * numbers[i];
  return Math.sqrt(sum / numbers.length);
}

/** #rrggbb as the three lower bytes of a pixel: 0xbbggrr. */
function bytesOf(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => Number.parseInt(colour.trim().slice(at, at + 2), 16));
  return (blue << 16) | (green << 8) | red;
}
