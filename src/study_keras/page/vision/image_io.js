// The colours of a picture as grey; the twin of study_keras/vision/image_io.py.

/**
 * Convert RGBA bytes, as a canvas returns them, to grey from 0 to 1 (ITU-R BT.601). A transparent picture is laid on
 * white, or on black if what it shows is light.
 * @param {Uint8Array | Uint8ClampedArray} colours four bytes a pixel
 * @returns {Float32Array}
 */
export function rgbToGrey(colours) {
  const light = (i) => 299 * colours[i] + 587 * colours[i + 1] + 114 * colours[i + 2];
  let shown = 0;
  let alpha = 0;
  for (let i = 0; i < colours.length; i += 4) {
    shown += light(i) * colours[i + 3];
    alpha += colours[i + 3];
  }
  const backdrop = 2 * shown > 255000 * alpha ? 0 : 255000;
  return Float32Array.from({ length: colours.length / 4 }, (_, pixel) => {
    const i = 4 * pixel;
    return (light(i) * colours[i + 3] + backdrop * (255 - colours[i + 3])) / 65025000;
  });
}
