"""The pictures that ``reading.py`` measures with: MNIST's test digits as pages show them, and ink that is no digit.

Each function takes a random generator and returns the bytes of a picture. Digits are ``(28, 28)`` uint8.
"""

import sys
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw

sys.path.append(str(Path(__file__).parents[1] / "tests/vision"))

from photos import FONTS, LIKE_HANDWRITING, PRINT, encoded, fontsource, photo, single, typed
from scenes import enlarge, paper

MATPLOTLIB = Path(matplotlib.get_data_path(), "fonts/ttf")
IN_TRAINING = ("DejaVuSans", "DejaVuSansMono", "DejaVuSerif", "STIXGeneral", "cmr10")  # of the shipped network
LETTERS = "AEFHKMNPRTUVWXadefhkmnprtuvwx"  # without those that look like a digit


def fonts():
    """Return the path of each font by name; those of the browser's tests are there after ``make setup``."""
    paths = {font: fontsource(font) for font in LIKE_HANDWRITING + PRINT} if FONTS.is_dir() else {}
    return paths | {f"{font} (seen in training)": MATPLOTLIB / f"{font}.ttf" for font in IN_TRAINING}


# One digit


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
    light = on_page(large(digit, rng), rng)
    height, width = light.shape
    y, x, angle = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width), rng.uniform(0, 2 * np.pi)
    side = np.cos(angle) * x + np.sin(angle) * y - rng.uniform(-0.4, 0.4)
    return jpeg(light * (1 - rng.uniform(0.4, 0.65) / (1 + np.exp(-side / rng.uniform(0.03, 0.4)))))


def dark_strip(digit, rng):
    """The table or the scanner's lid at one edge or two."""
    light = on_page(large(digit, rng), rng)
    for side in rng.permutation(4)[: rng.integers(1, 3)]:
        turned = np.rot90(light, side)  # a view
        wide = 1 + int(rng.uniform(0.02, 0.1) * len(turned))
        turned[:wide] = rng.uniform(0.02, 0.25) + rng.normal(0, 0.02, turned[:wide].shape)
    return jpeg(light)


def uneven(digit, rng):
    """A pen that runs dry: the strength of the strokes changes from place to place."""
    ink = large(digit, rng)
    field = Image.fromarray(rng.uniform(0.1, 1.1, (5, 5)).astype(np.float32))
    field = np.asarray(field.resize(ink.shape[::-1], Image.Resampling.BICUBIC))
    return jpeg(on_page(ink * field.clip(0.2, 1), rng))


SINGLES = {
    "28 x 28, white on black": lambda digit, _: encoded(digit / 255),
    "28 x 28, black on white": lambda digit, _: encoded(1 - digit / 255),
    "28 x 28, one pixel fatter": lambda digit, _: stroke_changed(digit, np.maximum),
    "28 x 28, one pixel thinner": lambda digit, _: stroke_changed(digit, np.minimum),
    "enlarged 8 times": lambda digit, _: encoded(1 - enlarge(digit, 8)),
    "photo of paper, turned": single,
    "at the edge": at_edge,
    "ruled paper": ruled,
    "in a printed box": boxed,
    "shadow": shadowed,
    "dark strip at the edge": dark_strip,
    "uneven strokes": uneven,
}


# Several digits in a line


def written(digits, rng, touching=False, on_lines=False):
    """Digits of uneven size and slant, not quite level, 0.08 to 0.45 of their height apart; or one pair touches."""
    height, slant = rng.uniform(24, 48), rng.uniform(-0.1, 0.35)
    pair = rng.integers(1, len(digits)) if touching else 0
    ink = np.zeros((round(4 * height), round((2 + 2 * len(digits)) * height)))
    base, at = round(2.5 * height), 5
    for number, digit in enumerate(digits):
        piece = _slanted(enlarge(digit, height / 20 * rng.uniform(0.8, 1.2)), slant + rng.normal(0, 0.05))
        top = base + round(rng.normal(0, 0.06) * height) - len(piece)
        at += round(rng.uniform(0.08, 0.45) * height) if number else 0
        while number and number == pair and not _meets(ink, piece, top, at):
            at -= 1
        place = ink[top : top + piece.shape[0], at : at + piece.shape[1]]
        np.maximum(place, piece, out=place)
        at += piece.shape[1]
    ink = ink[round(height) : round(3 * height), : at + 5]
    turned = Image.fromarray(np.round(255 * ink).astype(np.uint8)).rotate(rng.uniform(-2, 2), Image.Resampling.BICUBIC)
    ink = np.pad(np.asarray(turned) / 255, rng.integers(5, 30, (2, 2)))
    if on_lines:  # the digits stand on one
        ink = with_lines(ink, box_of(ink)[1] - 0.1 * height, rng.uniform(1.3, 1.8) * height, rng)
    return jpeg(on_page(ink, rng))


def _slanted(ink, slant):
    """(h, w) ink in [0, 1] leant to the right by ``slant`` of its height, and cropped."""
    height = len(ink)
    room = round(abs(slant) * height) + 1
    picture = Image.fromarray(np.round(255 * np.pad(ink, ((0, 0), (room, room)))).astype(np.uint8))
    change = (1, slant, -slant * height / 2, 0, 1, 0)
    ink = np.asarray(picture.transform(picture.size, Image.Transform.AFFINE, change, Image.Resampling.BICUBIC)) / 255
    top, bottom, left, right = box_of(ink)
    return ink[top:bottom, left:right]


def _meets(ink, piece, top, at):
    """Whether the strokes of a piece would cover some of those on the page."""
    return bool(np.any((ink[top : top + piece.shape[0], at : at + piece.shape[1]] > 0.5) & (piece > 0.5)))


LINES = {
    "six digits": written,
    "six digits, one pair touches": lambda digits, rng: written(digits, rng, touching=True),
    "six digits on ruled lines": lambda digits, rng: written(digits, rng, on_lines=True),
}


# Ink that is no digit


def drawn(strokes, rng):
    """A photo of strokes, each ``(n, 2)`` points (x, y) in [0, 1]."""
    picture = Image.new("L", (600, 600))
    wide = int(rng.integers(20, 50))
    for stroke in strokes:
        points = [(float(100 + 400 * x), float(100 + 400 * y)) for x, y in stroke]
        ImageDraw.Draw(picture).line(points, 255, wide, "curve")
    side = int(rng.integers(80, 200))
    return photo(np.asarray(picture.resize((side, side), Image.Resampling.BOX)) / 255, rng)


def letter(rng):
    font = rng.choice([str(path) for path in fonts().values()])
    return typed(str(rng.choice(list(LETTERS))), font, rng)


def comma(rng):
    return typed(",", rng.choice([str(path) for path in fonts().values()]), rng)


def cross(rng):
    """As in a form: two strokes from corner to corner."""
    corners = np.array([[[0, 0], [1, 1]], [[1, 0], [0, 1]]])
    return drawn(corners * rng.uniform(0.6, 1, 2) + rng.normal(0, 0.06, corners.shape), rng)


def scribble(rng):
    """A hatching to and fro, or four to eight loops."""
    if rng.random() < 0.5:
        x = np.linspace(0, 1, rng.integers(8, 14))
        return drawn([np.stack([x, np.arange(len(x)) % 2 + rng.normal(0, 0.1, len(x))], axis=1)], rng)
    t, across, high = np.linspace(0, 1, 120), rng.uniform(0.1, 0.25), rng.uniform(0.15, 0.5)
    turn = 2 * np.pi * rng.integers(4, 9) * t
    return drawn([np.stack([t + across * np.cos(turn), 0.5 + high * np.sin(turn)], axis=1)], rng)


def arrow(rng):
    """A shaft with a head, in any direction."""
    back, wide, angle = rng.uniform(0.2, 0.4), rng.uniform(0.15, 0.3), rng.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    head = np.array([[0.5 - back, -wide], [0.5, 0], [0.5 - back, wide]])
    return drawn([0.5 + stroke @ turn for stroke in (np.array([[-0.5, 0], [0.5, 0]]), head)], rng)


def empty(rng):
    return jpeg(paper(tuple(rng.integers(60, 300, 2)), rng))


JUNK = {
    "letters": letter,
    "crosses": cross,
    "scribbles": scribble,
    "arrows": arrow,
    "commas": comma,
    "empty paper": empty,
}
