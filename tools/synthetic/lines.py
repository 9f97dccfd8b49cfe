"""Lines of digits, with commas and dashes between some."""

from functools import partial

import numpy as np
from PIL import Image, ImageDraw

from synthetic.mark_shapes import drawn


def write_line(page, choose, hand, rng, place):
    """Write digits that stand on a line.

    Args:
        choose: returns the shapes, and the number of one among them, of the next mark.
        hand: its slant is that of the line; each mark differs a little.
        place: left, base (the row on which digits stand) and how many digits.

    Returns:
        Where the line ends.
    """
    start, base, count = place
    tilt, left = rng.normal(0, 0.02), start
    gap = rng.choice([rng.uniform(-0.02, 0.12), rng.uniform(0.08, 0.45), rng.uniform(0.4, 1.3)], p=[0.3, 0.5, 0.2])
    uneven, height = rng.uniform(0, 0.12), hand.height
    joined = 0.6 if rng.random() < 0.6 else 0.1  # some hands join most of their digits
    for number in range(count):
        tall = height * float(np.exp(rng.normal(0, uneven)))
        here = base + tilt * (left - start) + rng.normal(0, 0.05) * height
        shapes, which = choose()
        ink = drawn(shapes, which, hand._replace(height=tall, slant=hand.slant + rng.normal(0, 0.05)), rng)
        if number:
            left += round(gap * height + rng.normal(0, 0.05) * height)
            if rng.random() < 0.12:
                left += _write_beside(page, hand, rng, (left, here))
            if rng.random() < joined:
                left = _touching(page, ink, left, round(here) - len(ink), height)
        page.write(ink, left, round(here) - len(ink), int(shapes.labels[which]))
        left += ink.shape[1]
    return left


def _touching(page, ink, left, top, height):
    """Return how far to the left ink must go to touch what is there; at most half of the height."""
    strength = ink.max()  # a thin pen's is less than 1
    for step in range(round(0.5 * height)):
        at = left - step
        if at <= 0:
            break
        part = ink[max(-top, 0) :]
        place = page.pen[max(top, 0) :, at:][: part.shape[0], : part.shape[1]]
        part = part[: place.shape[0], : place.shape[1]]
        if place.size and np.any((place > 0.5 * strength) & (part > 0.5 * strength)):
            return at
    return left


def _write_beside(page, hand, rng, place):
    """Write a small mark, such as a comma, at the line; return its width with the gap after it."""
    kind, thick = rng.integers(4), max(1.0, 2 * hand.height * (hand.pen or 0.06))
    write = (_write_stop, _write_comma, _write_dashes, partial(_write_dashes, count=2))[kind]
    return write(page, (hand.height, thick), rng, place)


def _write_stop(page, sizes, rng, place):
    (height, thick), (left, base) = sizes, place
    size = max(2, round(thick * rng.uniform(0.9, 1.5)))
    page.write(np.ones((size, size), np.float32), left, round(base) - size)
    return size + round(0.15 * height)


def _write_comma(page, sizes, rng, place):
    """Write a comma, or an apostrophe."""
    (height, thick), (left, base) = sizes, place
    high = round(rng.uniform(0.15, 0.3) * height)
    picture = Image.new("L", (4 * high + 8, 4 * high + 8))
    ImageDraw.Draw(picture).line((high + 4 + 2 * high, 4, 4 + high, 4 * high), 255, max(4, round(4 * thick)))
    ink = np.asarray(picture.resize((high + 2, high + 2), Image.Resampling.BOX)) / np.float32(255)
    page.write(ink, left, round(base - high * rng.choice([0.4, 0.5, 3])))
    return high + round(0.1 * height)


def _write_dashes(page, sizes, rng, place, count=1):
    """Write a dash, or a sign of equality."""
    (height, thick), (left, base) = sizes, place
    wide, high = round(rng.uniform(0.25, 0.6) * height), max(1, round(thick))
    for number in range(count):
        row = number * (round(0.2 * height) + high)
        page.write(np.ones((high, wide), np.float32), left, round(base - 0.5 * height) + row)
    return wide + round(0.2 * height)
