// Unpacks what deflate has packed; every browser can.

/**
 * @param {Uint8Array} packed raw deflate, without a header
 * @param {number} [most] bytes that it may unpack to
 * @returns {Promise<Uint8Array>}
 * @throws {Error} it is broken, or has more bytes
 */
export async function inflate(packed, most = Infinity) {
  let size = 0;
  const counted = new TransformStream({
    transform(part, controller) {
      size += part.length;
      if (size > most) throw new Error(`it unpacks to more than ${most} bytes`);
      controller.enqueue(part);
    },
  });
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw")).pipeThrough(counted);
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** The bytes that a text in base64 stands for. */
export function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}
