// Fixes the batch size of a .tflite to 1, because LiteRT.js does not run a dynamic batch size.

const [SUBGRAPHS, TENSORS, SHAPE, SIGNATURE] = [2, 0, 0, 7]; // fields of the tables Model, SubGraph, Tensor, Tensor

/**
 * A dynamic dimension is 1 in the shape of a tensor and -1 in its shape signature. Copy the shapes to the signatures.
 * @param {Uint8Array} bytes a .tflite, which is a flatbuffer
 * @returns {Uint8Array} a copy
 * @throws {Error} it is not a .tflite
 */
export function fixBatch(bytes) {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  if (copy.length < 8 || String.fromCharCode(...copy.subarray(4, 8)) !== "TFL3") throw new Error("not a .tflite file");
  const model = view.getUint32(0, true);
  for (const graph of tables(view, follow(view, model, SUBGRAPHS))) {
    for (const tensor of tables(view, follow(view, graph, TENSORS))) {
      const shape = numbers(view, follow(view, tensor, SHAPE));
      const signature = numbers(view, follow(view, tensor, SIGNATURE));
      signature.forEach((place, i) => {
        if (view.getInt32(place, true) === -1) view.setInt32(place, view.getInt32(shape[i], true), true);
      });
    }
  }
  return copy;
}

/** The offset that a field of a table points to, or 0 if the table lacks the field. */
function follow(view, table, field) {
  const fields = table - view.getInt32(table, true);
  const place = 4 + 2 * field;
  const offset = place < view.getUint16(fields, true) ? view.getUint16(fields + place, true) : 0;
  return offset && table + offset + view.getUint32(table + offset, true);
}

/** The offsets of the elements of a vector of 32-bit numbers. */
function numbers(view, vector) {
  return Array.from({ length: vector ? view.getUint32(vector, true) : 0 }, (_, i) => vector + 4 + 4 * i);
}

function tables(view, vector) {
  return numbers(view, vector).map((place) => place + view.getUint32(place, true));
}
