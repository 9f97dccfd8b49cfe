// Pictures of numbers: the first layer's weights, and the test images that are read wrong.

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
  const style = getComputedStyle(canvas);
  const [more, less] = [style.getPropertyValue("--more"), style.getPropertyValue("--less")].map(bytesOf);
  const strength = 255 / (3 * rootMeanSquare(kernel) + 1e-9);
  const image = canvas.getContext("2d").createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let unit = 0; unit < units; unit++) {
    const corner = 29 * Math.floor(unit / columns) * width + 29 * (unit % columns);
    for (let i = 0; i < 784; i++) {
      const weight = kernel[i * units + unit];
      const opacity = Math.min(Math.abs(weight) * strength, 255);
      pixels[corner + Math.floor(i / 28) * width + (i % 28)] = ((opacity << 24) | (weight > 0 ? more : less)) >>> 0;
    }
  }
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
