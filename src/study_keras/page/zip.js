// Writes a ZIP archive of stored files, which any ZIP program and NumPy read.

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
  return rest;
});
const VERSION = 20; // 2.0
const DATE = 0x21; // 1 January 1980, so that the same content makes the same file

/**
 * @param {Record<string, Uint8Array>} files name -> content; fewer than 65,536 of together less than 4 GB
 * @returns {Uint8Array}
 */
export function writeZip(files) {
  const [parts, directory] = [[], []];
  let at = 0;
  for (const [name, content] of Object.entries(files)) {
    const path = new TextEncoder().encode(name);
    // What the entry and the directory say of a file: 0x800: the name is in UTF-8; method 0: stored.
    const said = [[2, VERSION], [2, 0x800], [2, 0], [2, 0], [2, DATE], [4, crc32(content)], [4, content.length], [4, content.length], [2, path.length], [2, 0]];
    const entry = [numbers([[4, 0x04034b50], ...said]), path, content];
    directory.push(numbers([[4, 0x02014b50], [2, VERSION], ...said, [2, 0], [2, 0], [2, 0], [4, 0], [4, at]]), path);
    parts.push(...entry);
    at += sizeOf(entry);
  }
  const count = directory.length / 2;
  return join([...parts, ...directory, numbers([[4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, sizeOf(directory)], [4, at], [2, 0]])]);
}

/** The checksum of ZIP and PNG. */
export function crc32(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) sum = TABLE[(sum ^ byte) & 255] ^ (sum >>> 8);
  return (sum ^ 0xffffffff) >>> 0;
}

/** Arrays of bytes, one after the other. */
export function join(parts) {
  const whole = new Uint8Array(sizeOf(parts));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function sizeOf(parts) {
  return parts.reduce((sum, { length }) => sum + length, 0);
}

/** Whole numbers as so many bytes each, the lowest first. */
function numbers(fields) {
  return Uint8Array.from(fields.flatMap(([size, value]) => Array.from({ length: size }, (_, i) => value >>> (8 * i))));
}
