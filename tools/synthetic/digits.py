"""Single digits as ``(28, 28)`` images: in fonts, and in a few strokes."""

from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from study_keras.vision.normalize import normalize


def typed(count, rng, fonts):
    """Return ``count`` digits in the ``fonts``, ``(n, 28, 28)`` float32 and their labels."""
    labels = rng.integers(0, 10, count)
    return np.array([letter(str(label), rng, fonts) for label in labels]), labels


def sketched(count, rng):
    """Return ``count`` digits in a few strokes ``(n, 28, 28)`` float32, and their labels: 40 % are 1s, and 20 % 7s.

    Most of MNIST's 1s are a single stroke, so a network trained only on them reads a 1 with a flag as 7. These images
    cover both sides of the boundary: a flag is short or steep, the bar of a 7 is long and nearly horizontal. The others
    are angular, as a mouse draws them, or as hands do that MNIST does not have.
    """
    labels = rng.choice([1, 7, *ANGULAR], count, p=[0.4, 0.2, *np.full(len(ANGULAR), 0.4 / len(ANGULAR))])
    return np.array([_sketch(SHAPES.get(label) or _angular(label), rng) for label in labels]), labels


def _sketch(shape, rng):
    """Draw lines of points (x, y), with the stem from (0, 0) down to y = 1 and slightly curved segments."""
    lines, width, height = shape(rng), int(rng.integers(5, 22)), rng.uniform(80, 130)

    def draw_on(draw):
        for line in lines:
            bent = [line[0]]
            for start, end in pairwise(line):
                between = np.linspace(start, end, 9)[1:]
                bulge = rng.normal(0, 0.06) * np.sin(np.linspace(0, np.pi, 9))[1:, None]
                bent += list(between + bulge * np.array([end[1] - start[1], start[0] - end[0]]))
            draw.line([(float(100 + height * x), float(15 + height * y)) for x, y in bent], 255, width, "curve")

    return drawing(draw_on)


def _one(rng):
    slant, length = rng.uniform(-0.12, 0.3), rng.uniform(0.15, 0.6)
    steep = rng.uniform(max(0.15, 1.7 * length - 0.25), 1.2)  # radians below horizontal: the longer, the steeper
    start, stem = (-length * np.cos(steep), length * np.sin(steep)), [(0, 0), (-slant, 1)]
    if rng.random() < 0.5:
        lines = [[start, *stem]]
    else:  # as in print: the flag ends at the side of the stem, below its top
        below = rng.uniform(0, 0.08)
        lines = [[(start[0], start[1] + below), (0, below)], stem]
    if rng.random() < 0.15:
        left, right = rng.uniform(0.1, 0.4, 2)
        lines.append([(-slant - left, 1), (right - slant, 1)])
    return lines


def _seven(rng):
    width, slant, tilt = rng.uniform(0.4, 0.75), rng.uniform(0.05, 0.6), rng.uniform(-0.12, 0.12)
    lines = [[(-width, width * tilt), (0, 0), (-slant, 1)]]
    if rng.random() < 0.4:
        lines[0].insert(0, (-width, width * tilt + rng.uniform(0.05, 0.35)))  # a serif, or a side as in East Asia
    if rng.random() < 0.4:
        left, right, y = *rng.uniform(0.12, 0.3, 2), rng.uniform(0.4, 0.6)
        lines.append([(-slant * y - left, y + rng.uniform(-0.03, 0.08)), (right - slant * y, y)])
    return lines


# Angular digits: for each some ways to write it, as lines of points (x, y) in a box of 1 x 1.
ANGULAR = {
    0: [[[(0.5, 0), (0.05, 0.3), (0.1, 0.8), (0.5, 1), (0.95, 0.7), (0.9, 0.2), (0.5, 0)]],
        [[(0.1, 0.05), (0.05, 0.95), (0.9, 0.95), (0.95, 0.05), (0.05, 0.05)]]],
    2: [[[(0.05, 0.2), (0.45, 0), (0.9, 0.2), (0.1, 0.97), (1, 0.97)]],
        [[(0.05, 0.05), (0.9, 0.05), (0.9, 0.5), (0.1, 0.5), (0.1, 0.95), (0.95, 0.95)]]],
    3: [[[(0.05, 0.05), (0.9, 0.05), (0.4, 0.45), (0.95, 0.7), (0.6, 1), (0, 0.9)]],
        [[(0.05, 0.05), (0.9, 0.05), (0.9, 0.95), (0.05, 0.95)], [(0.2, 0.5), (0.9, 0.5)]]],
    4: [[[(0.55, 0), (0.05, 0.45), (0.65, 0.42), (0.95, 0.25), (0.8, 0.08), (0.68, 0.3), (0.65, 1)]],
        [[(0.25, 0), (0.05, 0.5), (0.6, 0.55), (0.95, 0.3), (0.75, 0.1), (0.6, 0.4), (0.6, 1)]],
        [[(0.5, 0), (0.05, 0.5), (1, 0.42), (0.45, 1)]],
        [[(0.7, 0), (0, 0.68), (1, 0.68)], [(0.7, 0), (0.7, 1)]],
        [[(0.2, 0), (0.05, 0.55), (0.95, 0.55)], [(0.75, 0.15), (0.7, 1)]]],
    5: [[[(0.1, 0.05), (0.05, 0.45), (0.95, 0.5), (0.15, 1)], [(0, 0.07), (1, 0.12)]],
        [[(0.95, 0.03), (0.1, 0.03), (0.08, 0.48), (0.9, 0.5), (0.92, 0.95), (0.05, 0.97)]]],
    6: [[[(0.9, 0.05), (0.2, 0.05), (0.05, 0.95), (0.9, 0.97), (0.92, 0.5), (0.1, 0.42)]],
        [[(0.6, 0), (0.05, 0.65), (0.3, 1), (0.95, 0.85), (0.7, 0.5), (0.1, 0.7)]]],
    8: [[[(0.5, 0.45), (0.1, 0.2), (0.5, 0), (0.9, 0.2), (0.1, 0.75), (0.5, 1), (0.9, 0.75), (0.4, 0.42)]],
        [[(0.9, 0.1), (0.1, 0.05), (0.9, 0.95), (0.15, 0.97), (0.9, 0.1)]]],
    9: [[[(0.9, 0.15), (0.4, 0), (0.05, 0.3), (0.5, 0.5), (0.9, 0.1), (0.75, 1)]],
        [[(0.9, 0.5), (0.1, 0.47), (0.1, 0.05), (0.9, 0.05), (0.9, 0.97)]]],
}  # fmt: skip
SHAPES = {1: _one, 7: _seven}


def _angular(label):
    """Return a function that draws a digit in one of its angular ways, its corners moved a little."""

    def shape(rng):
        lines = ANGULAR[label][rng.integers(len(ANGULAR[label]))]
        wide, slant, uneven = rng.uniform(0.45, 0.9), rng.normal(0.05, 0.1), rng.uniform(0.02, 0.07)
        moved = [np.array(line) + rng.normal(0, uneven, (len(line), 2)) for line in lines]
        return [[(wide * (x - 0.5) - slant * y, y) for x, y in line] for line in moved]

    return shape


def letter(text, rng, fonts):
    """Return a sign in one of the ``fonts``, which are paths, normalized as MNIST's digits were."""
    font = ImageFont.truetype(rng.choice(fonts), int(rng.integers(40, 110)))
    left, top, right, bottom = font.getbbox(text)
    picture = Image.new("L", (int(right - left) + 8, int(bottom - top) + 8))
    ImageDraw.Draw(picture).text((4 - left, 4 - top), text, 255, font)
    return normalize(np.asarray(picture) / 255)


def drawing(draw_on):
    """Return what ``draw_on`` draws on 160 x 160 pixels, normalized as MNIST's digits were."""
    picture = Image.new("L", (160, 160))
    draw_on(ImageDraw.Draw(picture))
    ink = np.asarray(picture.resize((80, 80), Image.Resampling.BOX)) / 255
    return normalize(ink if ink.any() else np.ones((5, 5)))
