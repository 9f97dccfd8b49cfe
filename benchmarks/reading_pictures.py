"""The pictures that ``reading.py`` measures with: MNIST's test digits as pages show them, and ink that is no digit.

Each function takes a random generator and returns the bytes of a picture. Digits are ``(28, 28)`` uint8.
"""

import sys
from pathlib import Path

import matplotlib
import numpy as np

sys.path.append(str(Path(__file__).parents[1] / "tests/vision"))

from pages import at_edge, boxed, dark_strip, jpeg, ruled, shadowed, stroke_changed, uneven
from photos import FONTS, LIKE_HANDWRITING, PRINT, encoded, fontsource, single, typed
from rows import written
from scenes import enlarge, paper
from strokes import arrow, cross, scribble

MATPLOTLIB = Path(matplotlib.get_data_path(), "fonts/ttf")
IN_TRAINING = ("DejaVuSans", "DejaVuSansMono", "DejaVuSerif", "STIXGeneral", "cmr10")  # of the shipped network
LETTERS = "AEFHKMNPRTUVWXadefhkmnprtuvwx"  # without those that look like a digit


def fonts():
    """Return the path of each font by name; those of the browser's tests are there after ``make setup``."""
    paths = {font: fontsource(font) for font in LIKE_HANDWRITING + PRINT} if FONTS.is_dir() else {}
    return paths | {f"{font} (seen in training)": MATPLOTLIB / f"{font}.ttf" for font in IN_TRAINING}


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

LINES = {
    "six digits": written,
    "six digits, one pair touches": lambda digits, rng: written(digits, rng, touching=True),
    "six digits on ruled lines": lambda digits, rng: written(digits, rng, on_lines=True),
}


def letter(rng):
    font = rng.choice([str(path) for path in fonts().values()])
    return typed(str(rng.choice(list(LETTERS))), font, rng)


def comma(rng):
    return typed(",", rng.choice([str(path) for path in fonts().values()]), rng)


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
