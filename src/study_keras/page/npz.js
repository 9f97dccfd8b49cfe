// An .npz file as NumPy writes it: a ZIP archive of .npy files, each stored or packed by deflate.
import { inflate } from "./inflate.js";

/**
 * Read the arrays of bytes; the directory at the end of a ZIP archive says where each file lies.
 * @param {ArrayBuffer} buffer
 * @returns {Promise<Map<string, Uint8Array>>} by the names of the files
 * @throws {Error} it is no such file, or has arrays of another type
 */
export async function readNpz(buffer) {
  const view = new DataView(buffer);
  const end = buffer.byteLength - 22; // NumPy writes no comment after it
  if (end < 0 || view.getUint32(end, true) !== 0x06054b50) throw new Error("not an .npz file");
  const arrays = new Map();
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    const [method, size, start] = [view.getUint16(at + 10, true), view.getUint32(at + 20, true), view.getUint32(at + 42, true)];
    const [name, extra, comment] = [28, 30, 32].map((place) => view.getUint16(at + place, true));
    const packed = new Uint8Array(buffer, start + 30 + view.getUint16(start + 26, true) + view.getUint16(start + 28, true), size);
    arrays.set(new TextDecoder().decode(new Uint8Array(buffer, at + 46, name)), contentOf(method ? await inflate(packed) : packed));
    at += 46 + name + extra + comment;
  }
  return arrays;
}

/** What follows the header of an .npy file, which says the type and the shape. */
function contentOf(npy) {
  const view = new DataView(npy.buffer, npy.byteOffset);
  const [length, start] = npy[6] === 1 ? [view.getUint16(8, true), 10] : [view.getUint32(8, true), 12];
  const header = new TextDecoder().decode(npy.subarray(start, start + length));
  if (!header.includes("'|u1'") || !header.includes("'fortran_order': False")) throw new Error(`an array of another type: ${header}`);
  return npy.subarray(start + length);
}
