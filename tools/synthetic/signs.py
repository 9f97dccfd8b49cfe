"""What pages are written with: digits by hand, printed and sketched; and arrows, letters, commas, which are none."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from study_keras.vision.marks import NONE
from synthetic.digits import FONTS, sketched
from synthetic.mark_shapes import Shapes, shapes_of
from synthetic.others import junk


class Signs(NamedTuple):
    """The shapes of digits, and of what is no digit."""

    digits: Shapes
    others: Shapes


def make_signs(images, labels, rng, fonts, *, printed, others):
    """Return ``images`` of digits, ``printed``, half as many sketched, and straight ones; and 1.5 times ``others``."""
    rows = rng.integers(0, 10, printed)
    typed = np.array([_glyph(str(label), rng, fonts) for label in rows])
    strokes, names = sketched(printed // 2, rng)
    bars = np.array([_bar(rng) for _ in range(printed // 8)])
    pairs = ((images, labels), (typed, rows), (strokes, names), (bars, np.ones(len(bars), int)))
    digits = [shapes_of(*pair) for pair in pairs]
    nothing = np.concatenate([
        junk(others, rng, fonts), [_glyph(",", rng, fonts) for _ in range(others // 5)],
        [_arrow(rng) for _ in range(others // 6)], [_hatching(rng) for _ in range(others // 8)],
    ])  # fmt: skip
    together = (np.concatenate(parts) for parts in zip(*(vars(one).values() for one in digits), strict=True))
    return Signs(Shapes(*together), shapes_of(nothing, np.full(len(nothing), NONE)))


def _glyph(text, rng, fonts):
    """Return a printed sign as (28, 28) float, its longer side 20 pixels."""
    font = ImageFont.truetype(str(Path(fonts, f"{rng.choice(FONTS)}.ttf")), 80)
    left, top, right, bottom = font.getbbox(text)
    picture = Image.new("L", (int(right - left), int(bottom - top)))
    ImageDraw.Draw(picture).text((-left, -top), text, 255, font)
    return _framed(picture)


def _framed(picture):
    """Return a picture's ink in the middle of 28 x 28, its longer side 20 pixels."""
    picture = picture.crop(picture.getbbox())
    scale = 20 / max(picture.size)
    small = picture.resize([max(1, round(scale * side)) for side in picture.size], Image.Resampling.BOX)
    frame = Image.new("L", (28, 28))
    frame.paste(small, ((28 - small.width) // 2, (28 - small.height) // 2))
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
    """Return strokes of points (x, y) around 0 as (28, 28) float, turned by about so many radians."""
    angle = rng.normal(0, turned)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    picture, width = Image.new("L", (300, 300)), int(rng.integers(8, 24))
    for stroke in strokes:
        points = [tuple(map(float, 150 + 180 * point)) for point in stroke @ turn]
        ImageDraw.Draw(picture).line(points, 255, width, "curve")
    return _framed(picture)
