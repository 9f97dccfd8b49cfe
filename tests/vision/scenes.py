"""Pictures of digits as a camera sees them, drawn from seeds, and how JavaScript reads many of them in one process."""

import json
import subprocess
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from study_keras.runtimes.tfjs import find_runtime

ROOT = Path(__file__).resolve().parents[2]


class JavaScript(NamedTuple):
    """What page/vision makes of pictures.

    ``contract``: its version; ``pictures``: for each ``text``, ``digits``, ``unread`` and ``turned`` as of
    ``recognize``, but with boxes of floats, all ``candidates``, ``error`` and ``prepareError`` if it was refused, else
    None, and the ``milliseconds`` of the reading; ``images`` (n, 28, 28): prepared; ``colours``: the greys of ``rgba``.
    """

    contract: int
    pictures: list[dict]
    images: np.ndarray
    colours: np.ndarray


def read_in_javascript(greys, folder, rgba=b"", unchanged=False, backend="wasm"):
    """Read greys with the shipped networks in Node; ``unchanged``: as a network whose classes have names does."""
    pictures = [{"shape": grey.shape, "unchanged": unchanged} for grey in greys]
    (folder / "pictures.json").write_text(json.dumps(pictures))
    (folder / "greys.bin").write_bytes(b"".join(grey.astype("<f4").tobytes() for grey in greys))
    (folder / "rgba.bin").write_bytes(rgba)
    command = [find_runtime(), ROOT / "tests/vision/read_pictures.mjs", backend, folder]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    images = np.frombuffer((folder / "images.bin").read_bytes(), "<f4").reshape(-1, 28, 28)
    colours = np.frombuffer((folder / "colours.bin").read_bytes(), "<f4")
    return JavaScript(**json.loads(result.stdout.splitlines()[-1]), images=images, colours=colours)


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


def ruled(digit, rng):
    """A digit on ruled paper."""
    light = scene(digit, rng, degrees=0, grain=0.01)
    light[len(light) // 10 :: len(light) // 4] *= 0.5
    return light


def specked(digit, rng):
    """A digit beside two specks."""
    light = scene(digit, rng, degrees=0, grain=0.01)
    light[2:4, 2:4] = light[-4:-2, 5:7] = 0.1
    return light


def in_a_shadow(digit, rng):
    """A digit in a shadow that covers less and less of the paper."""
    drawn = np.pad(enlarge(digit, 8), 30)
    return np.linspace(0.4, 1, drawn.shape[1]) * (1 - 0.6 * drawn)


def in_a_large_photo(digit, rng):
    """A digit of 40 pixels in a photo of 656 x 456."""
    drawn = np.pad(enlarge(digit, 2), ((200, 400), (300, 100)))
    return np.clip(paper(drawn.shape, rng) * (1 - 0.7 * drawn), 0, 1)
