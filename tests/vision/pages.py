"""Pages that are hard to read, drawn from seeds: each kind has one thing that photos of digits have.

Each function takes MNIST's ``(28, 28)`` uint8 digits and a random generator, and returns the bytes of a picture.
"""

import numpy as np
from photos import encoded
from PIL import Image
from scenes import enlarge, paper
from scipy import ndimage

from study_keras import mnist


def on_page(ink, rng):
    """(h, w) ink in [0, 1] in a pen of its own on paper, in [0, 1]."""
    return np.clip(paper(ink.shape, rng) * (1 - rng.uniform(0.5, 0.9) * ink), 0, 1)


def jpeg(light):
    return encoded(light, "JPEG", quality=90)


def large(digit, rng):
    """The ink of a digit, 4 to 8 times as large, with some room."""
    return np.pad(enlarge(digit, rng.uniform(4, 8)), rng.integers(5, 40, (2, 2)))


def box_of(ink):
    """Top, bottom, left and right of what is visible."""
    rows, columns = np.flatnonzero((ink > 0.2).any(axis=1)), np.flatnonzero((ink > 0.2).any(axis=0))
    return rows[0], rows[-1] + 1, columns[0], columns[-1] + 1


def cropped(ink):
    """The part of (h, w) ink that is visible."""
    top, bottom, left, right = box_of(ink)
    return ink[top:bottom, left:right]


def leant(ink, slant):
    """(h, w) ink in [0, 1] leant to the right by ``slant`` of its height, and cropped."""
    height = len(ink)
    room = round(abs(slant) * height) + 1
    picture = Image.fromarray(np.round(255 * np.pad(ink, ((0, 0), (room, room)))).astype(np.uint8))
    change = (1, slant, -slant * height / 2, 0, 1, 0)
    ink = np.asarray(picture.transform(picture.size, Image.Transform.AFFINE, change, Image.Resampling.BICUBIC)) / 255
    return cropped(ink)


def stroke_changed(digit, change):
    """The strokes one pixel wider (``np.maximum``) or narrower (``np.minimum``), black on white, 28 x 28."""
    padded = np.pad(digit, ((1, 0), (1, 0)))
    across = change(padded[:, 1:], padded[:, :-1])
    return encoded(1 - change(across[1:], across[:-1]) / 255)


def at_edge(digit, rng):
    """The ink touches one edge of the picture."""
    ink = large(digit, rng)
    top, bottom, left, right = box_of(ink)
    sides = (np.s_[top:], np.s_[:bottom], np.s_[:, left:], np.s_[:, :right])
    return jpeg(on_page(ink[sides[rng.integers(4)]], rng))


def ruled(digit, rng):
    """Lines from edge to edge, 0.7 to 1.3 digits apart, fainter than the ink; most digits meet one."""
    ink = large(digit, rng)
    top, bottom, _, _ = box_of(ink)
    spacing = rng.uniform(0.7, 1.3) * (bottom - top)
    return jpeg(on_page(with_lines(ink, top + rng.uniform(0, spacing), spacing, rng), rng))


def with_lines(ink, row, spacing, rng):
    """Ink with lines from edge to edge, one of them at ``row``."""
    thick, strength, drawn = rng.integers(1, 4), rng.uniform(0.3, 0.7), ink.copy()
    for top in np.arange(row % spacing, len(ink), spacing).astype(int):
        drawn[top : top + thick] = np.maximum(drawn[top : top + thick], strength)
    return drawn


def sloping(digit, rng):
    """Ruled paper that is turned by 1 to 4 degrees, the digit upright."""
    ink = large(digit, rng)
    top, bottom, _, _ = box_of(ink)
    slope = np.tan(np.radians(rng.uniform(1, 4))) * rng.choice([-1, 1])
    y, x = np.arange(len(ink))[:, None], np.arange(ink.shape[1])
    place = (y - slope * x - rng.uniform(top, bottom)) % (rng.uniform(0.7, 1.3) * (bottom - top))
    rules = rng.uniform(0.4, 0.8) * (place < rng.integers(1, 4))
    return jpeg(on_page(np.maximum(ink, rules), rng))


def boxed(digit, rng):
    """A printed box around the digit, not touching it; in half of the pictures its sides run on to the edges."""
    ink = enlarge(digit, rng.uniform(4, 8))
    top, bottom, left, right = box_of(ink)
    gap = (rng.uniform(0.15, 0.5, (2, 2)) * (bottom - top)).astype(int)
    margin, thick, strength = rng.integers(4, 25, (2, 2)), int(rng.integers(1, 5)), rng.uniform(0.5, 1)
    ink = np.pad(ink[top:bottom, left:right], gap + thick + margin)
    (above, below), (before, after) = margin
    (height, width), on = ink.shape, rng.random() < 0.5
    rows, columns = (slice(None), slice(None)) if on else (slice(above, height - below), slice(before, width - after))
    for start in (above, height - below - thick):
        ink[start : start + thick, columns] = strength
    for start in (before, width - after - thick):
        ink[rows, start : start + thick] = strength
    return jpeg(on_page(ink, rng))


def shadowed(digit, rng):
    """A shadow over a part of the picture, with a soft or a rather sharp border."""
    return jpeg(in_shadow(on_page(large(digit, rng), rng), rng))


def in_shadow(light, rng):
    height, width = light.shape
    y, x, angle = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width), rng.uniform(0, 2 * np.pi)
    side = np.cos(angle) * x + np.sin(angle) * y - rng.uniform(-0.4, 0.4)
    return light * (1 - rng.uniform(0.4, 0.65) / (1 + np.exp(-side / rng.uniform(0.03, 0.4))))


def in_deep_shadow(light, rng):
    """The shadow of a hand in the sun: two thirds darker or more, with a sharp border."""
    y, x = (np.linspace(-1, 1, side) for side in light.shape)
    angle = rng.uniform(0, 2 * np.pi)
    away = np.cos(angle) * x + np.sin(angle) * y[:, None] - rng.uniform(-0.4, 0.4)
    return light * (1 - rng.uniform(0.65, 0.85) * np.clip(0.5 + away / 0.02, 0, 1))


def dark_strip(digit, rng):
    """The table or the scanner's lid at one edge or two."""
    return jpeg(with_strips(on_page(large(digit, rng), rng), rng))


def with_strips(light, rng):
    for side in rng.permutation(4)[: rng.integers(1, 3)]:
        turned = np.rot90(light, side)  # a view
        wide = 1 + int(rng.uniform(0.02, 0.1) * len(turned))
        turned[:wide] = rng.uniform(0.02, 0.25) + rng.normal(0, 0.02, turned[:wide].shape)
    return light


def uneven(digit, rng):
    """A pen that runs dry: the strength of the strokes changes from place to place."""
    ink = large(digit, rng)
    field = Image.fromarray(rng.uniform(0.1, 1.1, (5, 5)).astype(np.float32))
    field = np.asarray(field.resize(ink.shape[::-1], Image.Resampling.BICUBIC))
    return jpeg(on_page(ink * field.clip(0.2, 1), rng))


def leaning(digit, rng):
    """Leant to the right by half of its height or more."""
    return jpeg(on_page(np.pad(leant(enlarge(digit, rng.uniform(4, 8)), rng.uniform(0.5, 0.8)), 20), rng))


def stem(digit, rng):
    """A "1" of 82 % of the picture's height."""
    ink = enlarge(digit, rng.uniform(4, 8))
    top, bottom, left, right = box_of(ink)
    ink = ink[top:bottom, left:right]
    room = round(0.09 / 0.82 * len(ink))
    return jpeg(on_page(np.pad(ink, ((room, room), rng.integers(20, 60, 2))), rng))


def wiped(digit, rng):
    """A digit on a whiteboard, with the smears that were left of others when they were wiped off."""
    return _with_traces(digit, rng, lambda ink: 0.25 * ndimage.gaussian_filter(ink, (1, 6)))


def shining_through(digit, rng):
    """A digit on thin paper, with those of the other side, mirrored."""
    return _with_traces(digit, rng, lambda ink: 0.12 * ndimage.gaussian_filter(ink[:, ::-1], 1.5))


def rubbed_out(digit, rng):
    """A digit beside others that were rubbed out in stripes."""
    return _with_traces(digit, rng, lambda ink: 0.2 * ink * (np.arange(ink.shape[1]) // 3 % 2))


def _with_traces(digit, rng, trace):
    """A clear digit, and above it what ``trace`` leaves of two smaller ones, of which no part is another digit."""
    light = paper((200, 150), rng, 0.005)
    darken(light, 0.8 * enlarge(digit, 4), 75, 18)
    images, labels = mnist.load_data()[1]
    for number, other in enumerate(rng.choice(np.flatnonzero(np.isin(labels, (2, 4, 5, 7))), 2)):
        darken(light, trace(enlarge(images[other], 1.6)), rng.integers(8, 24), 15 + 70 * number + rng.integers(0, 15))
    return jpeg(light)


def darken(light, ink, top, left):
    """Write ink on a page, in place."""
    light[top : top + ink.shape[0], left : left + ink.shape[1]] *= 1 - ink


def folded(digits, rng):
    """Rows of four small digits on a page, and across them the soft shadow of a fold."""
    light = paper((360, 300), rng, 0.01)
    away = (np.arange(300) - rng.uniform(100, 200)) / rng.uniform(15, 50)
    light *= 1 - rng.uniform(0.15, 0.4) * np.exp(-(away**2))
    for number, digit in enumerate(digits):
        darken(light, 0.6 * digit / 255, 30 + 40 * (number // 4), 50 + 36 * (number % 4))
    return jpeg(light.clip(0, 1))
