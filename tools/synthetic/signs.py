"""What pages are written with: digits by hand, printed and sketched; and arrows, letters, commas, which are none."""

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from study_keras.vision.marks import NONE
from synthetic import fonts
from synthetic.digits import sketched
from synthetic.mark_shapes import SIDE, ZOOM, Shapes, joined, shapes_of
from synthetic.others import LETTERS, is_blob, junk


class Signs(NamedTuple):
    """The shapes of digits, and of what is no digit."""

    digits: Shapes
    others: Shapes


def make_signs(images, labels, rng, hand):
    """Return the signs of a training.

    The digits are ``images`` and, by the number of these, a sixth in printed fonts, a third in fonts that imitate
    handwriting, the paths of which are ``hand``, an eighth sketched and an eighteenth that are straight 1s. The others
    are about two thirds as many.
    """
    count, print_ = len(images), fonts.printed()
    digits = [(images, labels), _typed(count // 6, rng, print_), sketched(count // 8, rng)]
    digits.append((np.array([_bar(rng) for _ in range(count // 18)]), np.ones(count // 18, int)))
    others = [
        _nothing(junk(count // 4, rng, print_), [is_blob(number) for number in range(count // 4)]),
        _nothing([draw(rng) for draw in (_arrow, _hatching) for _ in range(count // 16)]),
        _nothing([_glyph(",", rng, print_ + hand) for _ in range(count // 12)], thick=True),
    ]
    if hand:
        digits.append(_typed(count // 3, rng, hand))
        others.append(_nothing([_glyph(rng.choice(list(LETTERS)), rng, hand) for _ in range(count // 5)]))
    return Signs(joined([shapes_of(*pair) for pair in digits]), joined(others))


def _nothing(images, thick=False):
    return shapes_of(images, np.full(len(images), NONE), thick)


def _typed(count, rng, paths):
    rows = rng.integers(0, 10, count)
    return np.array([_glyph(str(label), rng, paths) for label in rows]), rows


def _glyph(text, rng, paths):
    """Return a sign in one of the fonts as (84, 84) float, its longer side 60 pixels."""
    font = ImageFont.truetype(rng.choice(paths), 160)
    left, top, right, bottom = font.getbbox(text)
    picture = Image.new("L", (int(right - left), int(bottom - top)))
    ImageDraw.Draw(picture).text((-left, -top), text, 255, font)
    return _framed(picture)


def _framed(picture):
    """Return a picture's ink in the middle of 84 x 84, its longer side 60 pixels."""
    picture = picture.crop(picture.getbbox())
    scale = 20 * ZOOM / max(picture.size)
    small = picture.resize([max(1, round(scale * side)) for side in picture.size], Image.Resampling.BOX)
    frame = Image.new("L", (SIDE, SIDE))
    frame.paste(small, ((SIDE - small.width) // 2, (SIDE - small.height) // 2))
    return np.asarray(frame) / 255


def _bar(rng):
    """Return a 1 that is a straight stroke, some with a flag."""
    lean = rng.normal(0, 0.05)
    strokes = [np.array([[lean, -0.5], [-lean, 0.5]])]
    if rng.random() < 0.3:
        strokes.append(np.array([[lean, -0.5], [lean - rng.uniform(0.08, 0.25), -0.5 + rng.uniform(0.05, 0.3)]]))
    return _stroked(strokes, rng, 0.06)


def _arrow(rng):
    back, wide, angle = rng.uniform(0.2, 0.45), rng.uniform(0.12, 0.35), rng.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    head = np.array([[0.5 - back, -wide], [0.5, 0], [0.5 - back, wide]])
    return _stroked([np.array([[-0.5, 0], [0.5, 0]]) @ turn, head @ turn], rng)


def _hatching(rng):
    """Return a scribble to and fro or in loops."""
    if rng.random() < 0.5:
        x = np.linspace(-0.5, 0.5, rng.integers(6, 16))
        side = np.arange(len(x)) % 2 - 0.5
        return _stroked([np.stack([x, rng.uniform(0.4, 1) * side + rng.normal(0, 0.08, len(x))], axis=1)], rng)
    t = np.linspace(0, 1, 150)
    turn, across, high = 2 * np.pi * rng.uniform(3, 9) * t, rng.uniform(0.08, 0.25), rng.uniform(0.15, 0.5)
    return _stroked([np.stack([t - 0.5 + across * np.cos(turn), high * np.sin(turn)], axis=1)], rng)


def _stroked(strokes, rng, turned=0.2):
    """Return strokes of points (x, y) around 0 as (84, 84) float, turned by about so many radians."""
    angle = rng.normal(0, turned)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    picture, width = Image.new("L", (300, 300)), int(rng.integers(8, 24))
    for stroke in strokes:
        points = [tuple(map(float, 150 + 180 * point)) for point in stroke @ turn]
        ImageDraw.Draw(picture).line(points, 255, width, "curve")
    return _framed(picture)
