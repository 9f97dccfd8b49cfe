// An .npz file as NumPy writes it: a ZIP archive of .npy files, each stored or packed by deflate.
import { inflate } from "./inflate.js";
import { join, writeZip } from "./zip.js";

/**
 * Read the arrays of bytes; the directory at the end of a ZIP archive says where each file lies.
 * @param {ArrayBuffer} buffer
 * @param {number} [most] bytes that all arrays together may unpack to
 * @returns {Promise<Map<string, Uint8Array>>} by the names of the files
 * @throws {Error} it is no such file, has arrays of another type, or more bytes
 */
export async function readNpz(buffer, most = Infinity) {
  const view = new DataView(buffer);
  const end = buffer.byteLength - 22; // NumPy writes no comment after it
  if (end < 0 || view.getUint32(end, true) !== 0x06054b50) throw new Error("not an .npz file");
  const arrays = new Map();
  let room = most;
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    const [method, size, start] = [view.getUint16(at + 10, true), view.getUint32(at + 20, true), view.getUint32(at + 42, true)];
    const [name, extra, comment] = [28, 30, 32].map((place) => view.getUint16(at + place, true));
    const packed = new Uint8Array(buffer, start + 30 + view.getUint16(start + 26, true) + view.getUint16(start + 28, true), size);
    const npy = method ? await inflate(packed, room) : packed;
    room -= npy.length;
    if (room < 0) throw new Error(`more than ${most} bytes`);
    arrays.set(new TextDecoder().decode(new Uint8Array(buffer, at + 46, name)), contentOf(npy));
    at += 46 + name + extra + comment;
  }
  return arrays;
}

/**
 * Write arrays of bytes as `numpy.savez` does.
 * @param {Record<string, {bytes: Uint8Array, shape: number[]}>} arrays by their names in NumPy
 * @returns {Uint8Array}
 */
export function writeNpz(arrays) {
  return writeZip(Object.fromEntries(Object.entries(arrays).map(([name, array]) => [`${name}.npy`, npyOf(array)])));
}

function npyOf({ bytes, shape }) {
  const said = `{'descr': '|u1', 'fortran_order': False, 'shape': (${shape.join(", ")},), }`;
  const header = `${said.padEnd(Math.ceil((said.length + 11) / 64) * 64 - 11)}\n`; // 10 bytes precede it; NumPy ends it at a multiple of 64
  const start = Uint8Array.of(0x93, ...new TextEncoder().encode("NUMPY"), 1, 0, header.length & 255, header.length >> 8);
  return join([start, new TextEncoder().encode(header), bytes]);
}

/** What follows the header of an .npy file, which says the type and the shape. */
function contentOf(npy) {
  const view = new DataView(npy.buffer, npy.byteOffset, npy.length);
  const [length, start] = npy[6] === 1 ? [view.getUint16(8, true), 10] : [view.getUint32(8, true), 12];
  const header = new TextDecoder().decode(npy.subarray(start, start + length));
  if (!header.includes("'|u1'") || !header.includes("'fortran_order': False")) throw new Error(`an array of another type: ${header}`);
  return npy.subarray(start + length);
}
