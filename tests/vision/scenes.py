"""Pictures of digits as a camera sees them, drawn from seeds, and the JavaScript contract in one process."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
NODE = Path(sys.executable).with_name("node")
RUN = """
import { readFileSync, writeFileSync } from "node:fs";
const [module, folder] = process.argv.slice(2);
const { CONTRACT, prepare } = await import(`${module}/prepare.js`);
const { rgbToGrey } = await import(`${module}/image_io.js`);
const read = (name) => readFileSync(`${folder}/${name}`);
const bytes = read("greys.bin");
const greys = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
const results = [];
const errors = [];
let at = 0;
for (const [height, width] of JSON.parse(read("shapes.json"))) {
  let digit = new Float32Array(784);
  try {
    digit = prepare(greys.slice(at, at + width * height), width, height);
    errors.push(null);
  } catch (error) {
    errors.push(error.message);
  }
  results.push(Buffer.from(digit.buffer));
  at += width * height;
}
writeFileSync(`${folder}/digits.bin`, Buffer.concat(results));
writeFileSync(`${folder}/colours.bin`, Buffer.from(rgbToGrey(read("rgba.bin")).buffer));
console.log(JSON.stringify({ contract: CONTRACT, errors }));
"""


def prepare_in_javascript(greys, folder, rgba=b""):
    """Run page/vision/prepare.js on greys: what it says, the (n, 28, 28) digits, and the greys of ``rgba``."""
    (folder / "run.mjs").write_text(RUN)
    (folder / "shapes.json").write_text(json.dumps([grey.shape for grey in greys]))
    (folder / "greys.bin").write_bytes(b"".join(grey.astype("<f4").tobytes() for grey in greys))
    (folder / "rgba.bin").write_bytes(rgba)
    module = (ROOT / "src/study_keras/page/vision").as_uri()
    command = [NODE, folder / "run.mjs", module, folder]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    digits = np.frombuffer((folder / "digits.bin").read_bytes(), "<f4").reshape(-1, 28, 28)
    return json.loads(result.stdout), digits, np.frombuffer((folder / "colours.bin").read_bytes(), "<f4")


def enlarge(ink, factor, degrees=0.0):
    """Draw (h, w) uint8 ink larger and turned, as float in [0, 1]."""
    height, width = ink.shape
    picture = Image.fromarray(ink).resize((round(width * factor), round(height * factor)), Image.Resampling.BICUBIC)
    return np.asarray(picture.rotate(degrees, Image.Resampling.BICUBIC)) / 255


def paper(shape, rng, grain=0.02):
    """Light paper (h, w): a gradient of light in any direction, soft blotches, and grain."""
    height, width = shape
    y, x = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)
    down, across = rng.uniform(-0.1, 0.1, 2)
    blotches = Image.fromarray(rng.uniform(-1, 1, (7, 7)).astype(np.float32))
    texture = np.asarray(blotches.resize((width, height), Image.Resampling.BICUBIC))
    return 0.8 + down * y + across * x + 0.015 * texture + rng.normal(0, grain, shape)


def scene(digit, rng, inverted=False, degrees=10.0, grain=0.02):
    """A (28, 28) uint8 digit in ink of its own on paper: 3 to 10 times as large, float32 as read from 8 bits."""
    ink = enlarge(digit, rng.uniform(3, 10), rng.uniform(-degrees, degrees))
    ink = np.pad(ink, rng.integers(0, 40, (2, 2)))
    light = np.clip(paper(ink.shape, rng, grain) * (1 - rng.uniform(0.4, 0.9) * ink), 0, 1)
    light = np.round(255 * light) / 255
    return (1 - light if inverted else light).astype(np.float32)


def line_of(digits, rng):
    """Digits (n, 28, 28) uint8 side by side, 1 to 7 of MNIST's pixels apart and not quite level, on paper."""
    strip, at = np.zeros((34, 250), np.uint8), 4
    for digit in digits:
        columns = np.flatnonzero(digit.any(axis=0))
        cut, top = digit[:, columns[0] : columns[-1] + 1], rng.integers(0, 6)
        place = strip[top : top + 28, at : at + cut.shape[1]]
        np.maximum(place, cut, out=place)
        at += cut.shape[1] + rng.integers(1, 8)
    ink = np.pad(enlarge(strip[:, : at + 4], rng.uniform(2, 5)), 20)
    return np.clip(paper(ink.shape, rng) * (1 - rng.uniform(0.5, 0.9) * ink), 0, 1)
