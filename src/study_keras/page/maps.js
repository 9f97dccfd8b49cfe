// Pictures of what a layer gives: white for the largest value, black for 0 and less.

/**
 * Draw so many images, whose values lie side by side for each pixel as in TensorFlow.js, in a grid.
 * @param {HTMLCanvasElement} canvas
 * @param {{values: Float32Array, width: number, height: number, count: number, highest: number}} maps `values`
 *   (height, width, count); `highest` is shown white
 * @param {number} columns of the grid
 * @param {number} gap pixels between two images
 */
export function drawMaps(canvas, { values, width, height, count, highest }, columns, gap) {
  const across = columns * (width + gap) - gap;
  const down = Math.ceil(count / columns) * (height + gap) - gap;
  if (canvas.width !== across || canvas.height !== down) Object.assign(canvas, { width: across, height: down });
  const context = canvas.getContext("2d");
  const image = context.createImageData(across, down);
  const pixels = new Uint32Array(image.data.buffer).fill(0xff000000);
  for (let i = 0; i < values.length; i++) {
    const [pixel, map] = [Math.floor(i / count), i % count];
    const left = (map % columns) * (width + gap) + (pixel % width);
    const top = Math.floor(map / columns) * (height + gap) + Math.floor(pixel / width);
    const grey = Math.round((255 * Math.min(Math.max(values[i], 0), highest)) / highest);
    pixels[top * across + left] = 0xff000000 | (grey << 16) | (grey << 8) | grey;
  }
  context.putImageData(image, 0, 0);
}
