// Draws the app's icon, a 5 of round strokes, as a PNG.
import { crc32, deflateSync } from "node:zlib";

const STROKES = [[[0.64, 0.27], [0.41, 0.27]], [[0.41, 0.27], [0.39, 0.48]], ...arc(0.5, 0.58, 0.155, -2.35, 2.5)];
const PEN = 0.052;
const BLUE = [35, 83, 200];

/**
 * @param {number} size in pixels
 * @returns {Buffer} a square PNG without margins, the digit inside the safe zone of maskable icons
 */
export function drawIcon(size) {
  const rows = Buffer.alloc(size * (3 * size + 1)); // each row starts with its filter type, 0 for none
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const distance = Math.min(...STROKES.map((line) => distanceTo(line, (x + 0.5) / size, (y + 0.5) / size)));
      const ink = Math.min(Math.max((PEN - distance) * size + 0.5, 0), 1);
      BLUE.forEach((blue, i) => rows.writeUInt8(Math.round(blue + (255 - blue) * ink), y * (3 * size + 1) + 3 * x + 1 + i));
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header.set([8, 2, 0, 0, 0], 8); // 8 bits, RGB
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const parts = [chunk("IHDR", header), chunk("IDAT", deflateSync(rows, { level: 9 })), chunk("IEND", Buffer.alloc(0))];
  return Buffer.concat([signature, ...parts]);
}

function arc(x, y, radius, from, to) {
  const point = (i) => [x + radius * Math.cos(from + ((to - from) * i) / 32), y + radius * Math.sin(from + ((to - from) * i) / 32)];
  return Array.from({ length: 32 }, (_, i) => [point(i), point(i + 1)]);
}

function distanceTo([[x1, y1], [x2, y2]], x, y) {
  const [dx, dy] = [x2 - x1, y2 - y1];
  const along = Math.min(Math.max(((x - x1) * dx + (y - y1) * dy) / (dx * dx + dy * dy), 0), 1);
  return Math.hypot(x - x1 - along * dx, y - y1 - along * dy);
}

function chunk(name, data) {
  const body = Buffer.concat([Buffer.from(name, "latin1"), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}
