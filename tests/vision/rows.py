"""Pages of several digits in a row, drawn from seeds: forms, lines, and digits beside other ink.

Digits are ``(n, 28, 28)`` uint8. Functions return the bytes of a picture, if they do not say otherwise.
"""

import numpy as np
from pages import box_of, cropped, darken, jpeg, leant, on_page, with_lines
from PIL import Image, ImageDraw
from scenes import enlarge, paper


def in_cells(digits, rng):
    """A form: a printed cell for each digit, all in a row; some digits touch a side of their cell."""
    height = round(rng.uniform(40, 80))
    cell, thick, strength = round(rng.uniform(1.15, 1.5) * height), int(rng.integers(1, 4)), rng.uniform(0.5, 1)
    ink = np.zeros((cell + thick, cell * len(digits) + thick))
    ink[:thick] = ink[-thick:] = strength
    for number, digit in enumerate(digits):
        piece = cropped(enlarge(digit, height / 20))
        ink[:, number * cell :][:, :thick] = strength
        top, left = (round((cell - side) * np.clip(rng.normal(0.5, 0.2), 0, 1)) for side in piece.shape)
        place = ink[top:, number * cell + left :][: len(piece), : piece.shape[1]]
        np.maximum(place, piece, out=place)
    ink[:, -thick:] = strength
    return jpeg(on_page(np.pad(ink, rng.integers(4, 25, (2, 2))), rng))


def on_desk(digits, rng):
    """A line of digits; the paper ends in the picture, with an edge in any direction, on a dark desk."""
    ink = np.pad(line_ink(digits, rng), rng.integers(20, 80))
    light = on_page(ink, rng)
    y, x = np.arange(len(ink))[:, None] - len(ink) / 2, np.arange(ink.shape[1]) - ink.shape[1] / 2
    angle = rng.uniform(0, 2 * np.pi)
    away = np.cos(angle) * x + np.sin(angle) * y
    desk = away > (away[ink > 0.2].max() + away.max()) / 2
    return jpeg(np.where(desk, rng.uniform(0.05, 0.3) + rng.normal(0, 0.02, ink.shape), light))


def pencil_below_ink(digits, rng):
    """Two digits in ink, and below them the others in pencil."""
    light = paper((230, 230), rng, 0.01)
    for number, digit in enumerate(digits):
        row, column = divmod(number, 2)
        darken(light, (0.3 if row else 0.85) * enlarge(digit, 3), 15 + 110 * row, 15 + 110 * column)
    return jpeg(light)


def written(digits, rng, touching=False, on_lines=False):
    """A photo of ``line_ink``."""
    return jpeg(on_page(line_ink(digits, rng, touching, on_lines), rng))


def line_ink(digits, rng, touching=False, on_lines=False):
    """Digits of uneven size and slant, not quite level, 0.08 to 0.45 of their height apart; or one pair touches."""
    height, slant = rng.uniform(24, 48), rng.uniform(-0.1, 0.35)
    pair = rng.integers(1, len(digits)) if touching else 0
    ink = np.zeros((round(4 * height), round((2 + 2 * len(digits)) * height)))
    base, at = round(2.5 * height), 5
    for number, digit in enumerate(digits):
        piece = leant(enlarge(digit, height / 20 * rng.uniform(0.8, 1.2)), slant + rng.normal(0, 0.05))
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
    return ink


def _meets(ink, piece, top, at):
    """Whether the strokes of a piece would cover some of those on the page."""
    return bool(np.any((ink[top : top + piece.shape[0], at : at + piece.shape[1]] > 0.5) & (piece > 0.5)))


def row(pieces, rng, height=60):
    """Write pieces of ink (h, w) beside each other, each with its base so many pixels above the line.

    Args:
        pieces: ``(ink, lift)``.

    Returns:
        The light of the page, and for each piece its box: left, top, right, bottom.
    """
    wide = sum(ink.shape[1] for ink, _ in pieces) + len(pieces) * height
    page, at, boxes = np.zeros((2 * height, wide)), height // 2, []
    for ink, lift in pieces:
        top = round(1.5 * height) - lift - len(ink)
        page[top : top + len(ink), at : at + ink.shape[1]] = ink
        boxes.append((at, top, at + ink.shape[1], top + len(ink)))
        at += ink.shape[1] + int(rng.uniform(0.2, 0.4) * height)
    return on_page(page, rng), boxes


def digit_ink(digit, height=60):
    """A (28, 28) digit, so many pixels high, as a piece for ``row``; a flat one is smaller."""
    ink = cropped(enlarge(digit, 4))
    picture = Image.fromarray(np.round(255 * ink).astype(np.uint8))
    scale = height / max(ink.shape)
    size = [max(1, round(scale * side)) for side in picture.size]
    return np.asarray(picture.resize(size, Image.Resampling.BICUBIC)) / 255, 0


def splotch(height=60):
    """A filled circle as high as the digits."""
    picture = Image.new("L", (height, height))
    ImageDraw.Draw(picture).ellipse((2, 2, height - 3, height - 3), 255)
    return np.asarray(picture) / 255, 0


def hatching(height=60):
    """What is crossed out with a dense zigzag, to and fro."""
    picture = Image.new("L", (height * 3 // 4, height))
    points = [(3 if number % 2 else picture.width - 4, y) for number, y in enumerate(range(3, height - 2, 6))]
    ImageDraw.Draw(picture).line(points, 255, 4)
    return np.asarray(picture) / 255, 0


def full_stop(height=60):
    return np.ones((height // 8, height // 8)), 0


def comma(height=60):
    picture = Image.new("L", (height // 5, height // 3))
    ImageDraw.Draw(picture).line((height // 5 - 4, 2, 3, height // 3 - 3), 255, height // 12)
    return cropped(np.asarray(picture) / 255), -height // 6


def degree(height=60):
    """The sign of degrees: a ring at the top."""
    side = height // 6
    picture = Image.new("L", (side, side))
    ImageDraw.Draw(picture).ellipse((1, 1, side - 2, side - 2), outline=255, width=max(2, height // 40))
    return np.asarray(picture) / 255, height - side


def dash(height=60):
    return np.ones((height // 12, height // 2)), height // 2
