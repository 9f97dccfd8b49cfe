"""A page in two layers, what is written and what is printed, and where its digits are."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from study_keras.vision.marks import NONE

EITHER = -1  # the label of a digit that the page's edge cuts: it may be found or not


@dataclass
class Scene:
    """A page before it is lit: its layers (h, w) uint8, and its digits' ``boxes`` (n, 4), ``labels`` (n,) and ``inks``.

    A box is left, top, right, bottom in pixels, the last two exclusive; an ink is (bottom - top, right - left) uint8.
    """

    pen: np.ndarray
    print: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray
    inks: list


class Page:
    """Two layers of (h, w) float ink, and the digits on them."""

    def __init__(self, shape):
        self.pen, self.print = np.zeros((2, *shape), np.float32)
        self.digits = []  # (left, top, ink, part of the ink that is on the page, label)

    def write(self, ink, left, top, label=NONE):
        """Write a mark, cut at the page's edges; nothing happens outside."""
        part, x, y = _laid(self.pen, ink, left, top)
        if part.size and label != NONE:
            self.digits.append((x, y, part, part.size / ink.size, label))

    def scene(self):
        """Return the page as a scene; the label of a digit of which more than an eighth is cut becomes ``EITHER``."""
        whole = [digit for digit in self.digits if digit[3] > 0.87]
        cut = [digit for digit in self.digits if digit[3] <= 0.87]
        boxes = [(x, y, x + ink.shape[1], y + ink.shape[0]) for x, y, ink, _, _ in whole + cut]
        labels = [label for *_, label in whole] + [EITHER] * len(cut)
        inks = [np.round(255 * ink).astype(np.uint8) for _, _, ink, _, _ in whole + cut]
        layers = (np.round(255 * layer).astype(np.uint8) for layer in (self.pen, self.print))
        return Scene(*layers, np.array(boxes, np.float32).reshape(-1, 4), np.array(labels, np.int64), inks)


def _laid(layer, ink, left, top):
    """Lay ink on a layer; return the part of it that is on the page, and the part's left and top."""
    height, width = layer.shape
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + ink.shape[1], width), min(top + ink.shape[0], height)
    if x1 <= x0 or y1 <= y0:
        return ink[:0], x0, y0
    part = ink[y0 - top : y1 - top, x0 - left : x1 - left]
    np.maximum(layer[y0:y1, x0:x1], part, out=layer[y0:y1, x0:x1])
    return part, x0, y0


def print_frame(page, box, thick, strength):
    """Print a frame inside of ``box``: left, top, width, height."""
    left, top, width, height = box
    for x, y, w, h in (
        (left, top, width, thick), (left, top + height - thick, width, thick),
        (left, top, thick, height), (left + width - thick, top, thick, height),
    ):  # fmt: skip
        if w > 0 and h > 0:
            _laid(page.print, np.full((h, w), strength, np.float32), x, y)


def print_rules(page, rng, row=None):
    """Print a line from edge to edge at ``row``, perhaps sloping, one of many, or one of squares."""
    high, wide = page.print.shape
    row = rng.uniform(0, high) if row is None else row
    step, slope, strength = rng.uniform(20, 70), rng.normal(0, 0.015), rng.uniform(0.2, 0.9)
    half = rng.uniform(0.4, 1.6)
    y, x = np.arange(high)[:, None], np.arange(wide)
    away = (y - row - slope * x + step / 2) % step - step / 2 if rng.random() < 0.7 else y - row - slope * x
    distances = [away, (x - slope * y) % step - step / 2] if rng.random() < 0.15 else [away]
    for distance in distances:
        lines = strength * np.clip(half + 0.5 - np.abs(distance), 0, 1).astype(np.float32)
        np.maximum(page.print, lines, out=page.print)


def write_specks(page, rng):
    """Put specks, hairs and short strokes anywhere, too small for a digit."""
    strength = rng.uniform(0.2, 1)
    for _ in range(rng.integers(1, 25)):
        picture, size = Image.new("L", (24, 24)), int(rng.integers(1, 5))
        points = np.clip(12 + np.cumsum(rng.normal(0, rng.uniform(0.3, 6), (3, 2)), axis=0), 1, 23)
        ImageDraw.Draw(picture).line([tuple(map(float, point)) for point in points], 255, size, "curve")
        ink = strength * np.asarray(picture) / np.float32(255)
        page.write(ink, int(rng.integers(-10, page.pen.shape[1])), int(rng.integers(-10, page.pen.shape[0])))
