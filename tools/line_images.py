"""Synthetic pages for the reader: digits of any pen and size in lines, cells and alone, beside what is no digit.

A page is drawn once (``scene``) and lit many times (``lit``). Reproducible by seed.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from model_images import FONTS, junk, sketched
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from scipy import ndimage

ZOOM = 3  # from MNIST's 28 pixels to those in which distances are measured
SIDE = 28 * ZOOM
SHORTEST, TALLEST = 20, 44  # pixels of the longer side of a digit that the reader finds at one level
NONE = 10  # the class of ink that is no digit
MARKS = (",", ".", "-", "+", "=", "/", ":", "(", ")", "?", "*", "'")


@dataclass
class Shapes:
    """Strokes as distances, from which a pen of any width is drawn.

    ``edge`` (n, 84, 84) int8: eighths of a pixel to the edge of the stroke, negative inside; ``middle`` (n, 84, 84)
    uint8: eighths of a pixel to its middle line; ``labels`` (n,): 0 to 9, or ``NONE``.
    """

    edge: np.ndarray
    middle: np.ndarray
    labels: np.ndarray


@dataclass
class Scene:
    """A page before it is lit: (h, w) uint8 ``pen`` and ``print``; the digits' ``boxes`` (n, 4), ``labels`` and ``inks``.

    A box is left, top, right, bottom in pixels, the last two exclusive; an ink is (bottom - top, right - left) uint8.
    """

    pen: np.ndarray
    print: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray
    inks: list


# Shapes


def shapes_of(images, labels):
    """Return the shapes of ``(n, 28, 28)`` images, uint8 or float in [0, 1]."""
    edge, middle = (np.empty((len(images), SIDE, SIDE), kind) for kind in (np.int8, np.uint8))
    for start in range(0, len(images), 1000):
        part = images[start : start + 1000]
        inside = np.array([_enlarged(image) > 110 for image in part])
        lines = _thinned(inside)
        for at, (shape, line) in enumerate(zip(inside, lines, strict=True), start):
            outside, within = ndimage.distance_transform_edt(~shape), ndimage.distance_transform_edt(shape)
            edge[at] = np.clip(8 * (outside - within), -127, 127)
            middle[at] = np.clip(8 * ndimage.distance_transform_edt(~line), 0, 255)
    return Shapes(edge, middle, np.asarray(labels))


def _enlarged(image):
    values = image if image.dtype == np.uint8 else np.round(255 * np.clip(image, 0, 1)).astype(np.uint8)
    return np.asarray(Image.fromarray(values).resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def _thinned(shapes):
    """Return the middle lines of ``(n, h, w)`` bool strokes (Zhang and Suen 1984)."""
    padded = np.pad(shapes, ((0, 0), (1, 1), (1, 1))).astype(np.uint8)
    inner = np.s_[:, 1:-1, 1:-1]
    steps = ((0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0), (0, 0))  # clockwise from above
    while True:
        removed = False
        for first, second in (((0, 2, 4), (2, 4, 6)), ((0, 2, 6), (0, 4, 6))):
            height, width = padded.shape[1] - 2, padded.shape[2] - 2
            around = [padded[:, y : y + height, x : x + width] for y, x in steps]
            count = sum(around)
            turns = sum((1 - one) & other for one, other in zip(around, around[1:] + around[:1], strict=True))
            away = (padded[inner] == 1) & (count >= 2) & (count <= 6) & (turns == 1)
            for three in (first, second):
                away &= (around[three[0]] & around[three[1]] & around[three[2]]) == 0
            if away.any():
                padded[inner][away] = 0
                removed = True
        if not removed:
            return padded[inner].astype(bool)


def make_shapes(images, labels, rng, fonts, printed=3000, others=5000):
    """Return the shapes that pages are made of: ``images`` of digits, printed and sketched ones; and those of no digit."""
    rows = rng.integers(0, 10, printed)
    typed = np.array([_glyph(str(label), rng, fonts) for label in rows])
    strokes, names = sketched(printed // 2, rng)
    digits = [shapes_of(*pair) for pair in ((images, labels), (typed, rows), (strokes, names))]
    nothing = np.concatenate([
        junk(others, rng, fonts, images), [_glyph(",", rng, fonts) for _ in range(others // 12)],
        [_arrow(rng) for _ in range(others // 12)], [_hatching(rng) for _ in range(others // 8)],
    ])  # fmt: skip
    together = (np.concatenate(parts) for parts in zip(*(vars(one).values() for one in digits), strict=True))
    return Shapes(*together), shapes_of(nothing, np.full(len(nothing), NONE))


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


def _stroked(strokes, rng):
    """Return strokes of points (x, y) around 0 as (28, 28) float, turned a little."""
    angle = rng.normal(0, 0.2)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    picture, width = Image.new("L", (300, 300)), int(rng.integers(8, 24))
    for stroke in strokes:
        points = [tuple(map(float, 150 + 180 * point)) for point in stroke @ turn]
        ImageDraw.Draw(picture).line(points, 255, width, "curve")
    return _framed(picture)


# A mark on the page


def drawn(shapes, index, height, rng, *, pen=None, slant=0.0):
    """Return a shape as (h, w) float ink in [0, 1], cropped, its taller side about ``height`` pixels.

    Args:
        pen: half the stroke's width in parts of the height; None for the shape's own width.
        slant: by how much of its height the shape leans to the right.
    """
    scale = height / (20 * ZOOM) * rng.uniform(0.95, 1.05)
    wide = scale * np.exp(rng.uniform(-0.18, 0.18))
    angle = rng.normal(0, 0.06)
    cos, sin = np.cos(angle), np.sin(angle)
    # From a place on the page to one in the shape, around the middle of both.
    turn = (
        np.array([[1 / wide, 0], [0, 1 / scale]]) @ np.array([[1, slant], [0, 1]]) @ np.array([[cos, sin], [-sin, cos]])
    )
    side = int(SIDE * max(scale, wide) * 1.3) + 4
    shift = SIDE / 2 - turn @ (side / 2, side / 2)
    change = (*turn[0], shift[0], *turn[1], shift[1])
    source = (shapes.edge[index].astype(np.int16) + 128).astype(np.uint8) if pen is None else shapes.middle[index]
    place = Image.fromarray(source).transform(
        (side, side), Image.Transform.AFFINE, change, Image.Resampling.BILINEAR, fillcolor=255
    )
    distance = np.asarray(place, np.float32)
    distance = (distance - 128 if pen is None else distance) * (scale / 8)
    reach = rng.uniform(-0.03, 0.03) * height if pen is None else max(pen * height, 0.45)
    ink = np.clip(reach - distance + 0.5, 0, 1)
    rows, columns = np.flatnonzero((ink > 0.3).any(axis=1)), np.flatnonzero((ink > 0.3).any(axis=0))
    if not len(rows):
        return np.ones((2, 2), np.float32)
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _pen(rng):
    """Return a pen for a line: its own width, or half a width in parts of the height."""
    return None if rng.random() < 0.35 else float(np.exp(rng.uniform(np.log(0.014), np.log(0.12))))


# Pages


class Page:
    """Two layers of (h, w) float ink, and the digits on them."""

    def __init__(self, height, width):
        self.pen, self.print = np.zeros((2, height, width), np.float32)
        self.digits = []  # (left, top, ink, label)

    def put(self, ink, left, top, label=NONE, *, layer=None):
        """Lay ink on the page, cut at its edges; nothing happens outside."""
        layer = self.pen if layer is None else layer
        height, width = layer.shape
        x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + ink.shape[1], width), min(top + ink.shape[0], height)
        if x1 <= x0 or y1 <= y0:
            return
        part = ink[y0 - top : y1 - top, x0 - left : x1 - left]
        np.maximum(layer[y0:y1, x0:x1], part, out=layer[y0:y1, x0:x1])
        if label != NONE:
            self.digits.append((x0, y0, part, part.size / ink.size, label))

    def scene(self, rng):
        """Return the page as a scene; a digit of which the edge has cut more than an eighth is none."""
        kept = [digit for digit in self.digits if digit[3] > 0.87]
        lost = [digit for digit in self.digits if digit[3] <= 0.87]
        boxes = [(x, y, x + ink.shape[1], y + ink.shape[0]) for x, y, ink, _, _ in kept + lost]
        labels = [label for *_, label in kept] + [-1] * len(lost)  # -1: neither a digit nor none
        inks = [np.round(255 * ink).astype(np.uint8) for _, _, ink, _, _ in kept + lost]
        layers = (np.round(255 * layer).astype(np.uint8) for layer in (self.pen, self.print))
        return Scene(*layers, np.array(boxes, np.float32).reshape(-1, 4), np.array(labels, np.int64), inks)


def write_line(page, digits, nothing, rng, *, left, base, height, count, pen):
    """Write ``count`` digits that stand on ``base``, with marks between some; return where the line ends."""
    slant, tilt = rng.normal(0.08, 0.12), rng.normal(0, 0.02)
    gap = rng.choice([rng.uniform(-0.02, 0.12), rng.uniform(0.08, 0.45), rng.uniform(0.4, 1.3)], p=[0.3, 0.5, 0.2])
    uneven, start = rng.uniform(0, 0.12), left
    for number in range(count):
        tall = height * float(np.exp(rng.normal(0, uneven)))
        here = base + tilt * (left - start) + rng.normal(0, 0.05) * height
        some = digits if rng.random() < 0.93 else nothing
        which = int(rng.integers(len(some.labels)))
        ink = drawn(some, which, tall, rng, pen=pen, slant=slant + rng.normal(0, 0.05))
        if number:
            left += round(gap * height + rng.normal(0, 0.05) * height)
            if rng.random() < 0.12:
                left += _beside(page, left, here, height, rng, pen)
            if rng.random() < 0.1:
                left = _touch(page, ink, left, round(here) - len(ink), height)
        page.put(ink, left, round(here) - len(ink), int(some.labels[which]))
        left += ink.shape[1]
    return left


def _touch(page, ink, left, top, height):
    """Return how far to the left ink must go to touch what is there; at most 0.4 of the height."""
    for step in range(round(0.4 * height)):
        at = left - step
        if at <= 0:
            break
        part = ink[max(-top, 0) :]
        place = page.pen[max(top, 0) :, at:][: part.shape[0], : part.shape[1]]
        part = part[: place.shape[0], : place.shape[1]]
        if place.size and np.any((place > 0.5) & (part > 0.5)):
            return at
    return left


def _beside(page, left, base, height, rng, pen):
    """Put a small mark, such as a comma, at the line; return its width with the gap after it."""
    kind, thick = rng.integers(4), max(1.0, 2 * height * (pen or 0.06))
    if kind == 0:  # a full stop
        size = max(2, round(thick * rng.uniform(0.9, 1.5)))
        page.put(np.ones((size, size), np.float32), left, round(base) - size)
        return size + round(0.15 * height)
    if kind == 1:  # a comma or an apostrophe
        high = round(rng.uniform(0.15, 0.3) * height)
        picture = Image.new("L", (4 * high + 8, 4 * high + 8))
        ImageDraw.Draw(picture).line((high + 4 + 2 * high, 4, 4 + high, 4 * high), 255, max(4, round(4 * thick)))
        ink = np.asarray(picture.resize((high + 2, high + 2), Image.Resampling.BOX)) / np.float32(255)
        page.put(ink, left, round(base - high * rng.choice([0.4, 0.5, 3])))
        return high + round(0.1 * height)
    wide, high = round(rng.uniform(0.25, 0.6) * height), max(1, round(thick))
    for row in (0,) if kind == 2 else (0, round(0.2 * height) + high):  # a dash, or a sign of equality
        page.put(np.ones((high, wide), np.float32), left, round(base - 0.5 * height) + row)
    return wide + round(0.2 * height)


def lines_page(digits, nothing, rng, shape):
    """Return a page of one to four lines, or of marks anywhere, some with rules."""
    page, (high, wide) = Page(*shape), shape
    height = float(np.exp(rng.uniform(np.log(SHORTEST * 0.8), np.log(TALLEST * 1.15))))
    pen, base = _pen(rng), rng.uniform(0.5, 1.4) * height
    step = height * rng.uniform(1.25, 2.2)
    while base < high + 0.2 * height:
        left = round(rng.uniform(-0.3, 2.0) * height)
        room = max(1, int((wide - left) / (0.75 * height)))
        count = int(rng.integers(1, room + 2))
        end = write_line(page, digits, nothing, rng, left=left, base=base, height=height, count=count, pen=pen)
        if rng.random() < 0.25:  # something else behind the line
            which = int(rng.integers(len(nothing.labels)))
            ink = drawn(nothing, which, height * rng.uniform(0.7, 2.0), rng, pen=None if rng.random() < 0.5 else pen)
            page.put(ink, round(end + rng.uniform(0.3, 1) * height), round(base - len(ink) * rng.uniform(0.6, 1.1)))
        if rng.random() < 0.12:
            _rule(page, rng, row=base + rng.uniform(-0.6, 0.2) * height)
        base += step
        if rng.random() < 0.3:
            break
    return page


def cells_page(digits, nothing, rng, shape):
    """Return a page of a printed grid or of single boxes, a mark in each or nothing."""
    page, (high, wide) = Page(*shape), shape
    height = float(np.exp(rng.uniform(np.log(SHORTEST * 0.8), np.log(TALLEST * 1.1))))
    cell_w, cell_h = (round(height * rng.uniform(1.05, 2.4)) for _ in range(2))
    thick, strength = max(1, round(height * rng.uniform(0.02, 0.12))), rng.uniform(0.4, 1)
    twice = rng.random() < 0.3  # double lines
    gap = 0 if rng.random() < 0.6 else round(rng.uniform(0.1, 0.6) * height)
    left0, top0, pen = round(rng.uniform(-1, 0.6) * cell_w), round(rng.uniform(-1, 0.6) * cell_h), _pen(rng)
    for top in range(top0, high, cell_h + gap):
        for left in range(left0, wide, cell_w + gap):
            _box(page, left, top, cell_w, cell_h, thick, strength)
            if twice:
                _box(
                    page,
                    left + 2 * thick + 1,
                    top + 2 * thick + 1,
                    cell_w - 4 * thick - 2,
                    cell_h - 4 * thick - 2,
                    thick,
                    strength,
                )
            if rng.random() < 0.85:
                some = digits if rng.random() < 0.9 else nothing
                which = int(rng.integers(len(some.labels)))
                tall = min(height * rng.uniform(0.8, 1.1), 0.95 * cell_h)
                ink = drawn(some, which, tall, rng, pen=pen, slant=rng.normal(0.08, 0.14))
                x = left + round((cell_w - ink.shape[1]) * np.clip(rng.normal(0.5, 0.2), -0.05, 1.05))
                y = top + round((cell_h - len(ink)) * np.clip(rng.normal(0.5, 0.2), -0.05, 1.05))
                page.put(ink, x, y, int(some.labels[which]))
    return page


def _box(page, left, top, width, height, thick, strength):
    for x, y, w, h in (
        (left, top, width, thick), (left, top + height - thick, width, thick),
        (left, top, thick, height), (left + width - thick, top, thick, height),
    ):  # fmt: skip
        if w > 0 and h > 0:
            page.put(np.full((h, w), strength, np.float32), x, y, layer=page.print)


def _rule(page, rng, *, row=None):
    """Print lines from edge to edge, one of them at ``row``, perhaps sloping."""
    high, wide = page.print.shape
    row = rng.uniform(0, high) if row is None else row
    step, slope, strength = rng.uniform(20, 70), rng.normal(0, 0.015), rng.uniform(0.2, 0.9)
    half = rng.uniform(0.4, 1.6)
    y, x = np.arange(high)[:, None], np.arange(wide)
    place = (y - row - slope * x + step / 2) % step - step / 2 if rng.random() < 0.7 else y - row - slope * x
    lines = strength * np.clip(half + 0.5 - np.abs(place), 0, 1).astype(np.float32)
    np.maximum(page.print, lines, out=page.print)
    if rng.random() < 0.15:  # squared paper
        place = (x - slope * y) % step - step / 2
        np.maximum(page.print, strength * np.clip(half + 0.5 - np.abs(place), 0, 1).astype(np.float32), out=page.print)


def single_page(digits, nothing, rng, shape):
    """Return a page that one digit fills more or less, as those of paint programs and scans; a tenth has none."""
    page, (high, wide) = Page(*shape), shape
    some = digits if rng.random() < 0.88 else nothing
    which = int(rng.integers(len(some.labels)))
    longest = min(TALLEST * 1.1, min(high, wide) * rng.uniform(0.85, 1.02))
    tall = max(rng.uniform(0.45, 1) * longest, SHORTEST * 0.8)
    pen = _pen(rng) if rng.random() < 0.8 else rng.uniform(0.08, 0.17)
    ink = drawn(some, which, tall, rng, pen=pen, slant=rng.normal(0.03, 0.12))
    if len(ink) > high or ink.shape[1] > wide:
        ink = (
            ink[:high, :wide]
            if rng.random() < 0.1
            else drawn(some, which, 0.8 * min(high, wide), rng, pen=pen)[:high, :wide]
        )
    page.put(
        ink,
        round((wide - ink.shape[1]) * np.clip(rng.normal(0.5, 0.25), 0, 1)),
        round((high - len(ink)) * np.clip(rng.normal(0.5, 0.25), 0, 1)),
        int(some.labels[which]),
    )
    chance = rng.random()
    if chance < 0.08:
        _rule(page, rng)
    elif chance < 0.2:
        inset = rng.integers(-2, 5, 2)
        _box(
            page,
            inset[0],
            inset[1],
            wide - 2 * inset[0],
            high - 2 * inset[1],
            int(rng.integers(1, 4)),
            rng.uniform(0.4, 1),
        )
    return page


def giant_page(digits, nothing, rng, shape):
    """Return a page on which marks are too large to be found at this level, perhaps a few specks beside them."""
    page, (high, wide) = Page(*shape), shape
    for _ in range(rng.integers(0, 4)):
        some = digits if rng.random() < 0.8 else nothing
        tall = float(np.exp(rng.uniform(np.log(65), np.log(350))))
        pen = float(np.exp(rng.uniform(np.log(0.012), np.log(0.07)))) if rng.random() < 0.8 else None
        ink = drawn(some, int(rng.integers(len(some.labels))), tall, rng, pen=pen, slant=rng.normal(0.08, 0.12))
        page.put(ink, round(rng.uniform(-ink.shape[1], wide)), round(rng.uniform(-len(ink), high)))
    return page


def _specks(page, rng):
    """Put specks, hairs and short strokes anywhere, too small for a digit."""
    strength = rng.uniform(0.2, 1)
    for _ in range(rng.integers(1, 25)):
        picture, size = Image.new("L", (24, 24)), int(rng.integers(1, 5))
        points = np.clip(12 + np.cumsum(rng.normal(0, rng.uniform(0.3, 6), (3, 2)), axis=0), 1, 23)
        ImageDraw.Draw(picture).line([tuple(map(float, point)) for point in points], 255, size, "curve")
        ink = strength * np.asarray(picture) / np.float32(255)
        page.put(ink, int(rng.integers(-10, page.pen.shape[1])), int(rng.integers(-10, page.pen.shape[0])))


def scene(digits, nothing, rng, shape, kinds=(0.5, 0.21, 0.13, 0.16)):
    """Return a scene of ``shape``: lines, cells, one digit, or what is too large."""
    page = (lines_page, cells_page, single_page, giant_page)[rng.choice(4, p=kinds)](digits, nothing, rng, shape)
    if rng.random() < 0.12:
        _specks(page, rng)
    if rng.random() < 0.15:
        _rule(page, rng)
    return page.scene(rng)


# Light


def lit(scene, rng):
    """Return a scene as a camera, a scanner or a paint program gives it.

    Returns:
        ``(h, w)`` float32 in [0, 1], and whether its ink is dark.
    """
    pen, printed = scene.pen / np.float32(255), scene.print / np.float32(255)
    shape, kind = pen.shape, rng.random()
    if kind < 0.2:  # a paint program: clean, sharp or smooth
        low, high = (rng.uniform(0, 0.15), rng.uniform(0.75, 1)) if rng.random() < 0.5 else (0.0, 1.0)
        light = high - (high - low) * np.maximum(pen, printed * rng.uniform(0.3, 1))
        if rng.random() < 0.4:
            light = np.where(light > (low + high) / 2, high, low)
    else:
        light = _paper(shape, rng)
        strength = np.exp(rng.uniform(np.log(0.12), np.log(0.95)))
        if rng.random() < 0.35:
            pen = pen * np.clip(_field(shape, rng, int(rng.integers(3, 9))) * rng.uniform(0.3, 0.8) + 0.8, 0.25, 1)
        if rng.random() < 0.15:  # a pencil or a dry pen
            pen = pen * np.clip(1 - rng.uniform(0.2, 0.7) * rng.random(shape), 0, 1)
        light = light * (
            1 - strength * np.maximum(pen, printed * np.exp(rng.uniform(np.log(0.3), np.log(1.4)))).clip(0, 1)
        )
        if rng.random() < 0.3:
            light = _shaded(light, rng)
        if rng.random() < 0.15:
            light = _edged(light, rng)
        if rng.random() < 0.35:  # the grain of a coarse paper, smears
            light = light + _texture(shape, rng)
        light = light + rng.normal(0, np.exp(rng.uniform(np.log(0.002), np.log(0.05))), shape) * min(
            1, 1.5 * strength + 0.1
        )
    if rng.random() < 0.5:
        light = ndimage.gaussian_filter(light, rng.uniform(0.2, 1.0))
    dark = rng.random() < 0.65
    return np.clip(light if dark else 1 - light, 0, 1).astype(np.float32), dark


def _field(shape, rng, points):
    """Return a smooth random field (h, w) in about [-1, 1]."""
    coarse = Image.fromarray(rng.uniform(-1, 1, (points, points)).astype(np.float32))
    return np.asarray(coarse.resize(shape[::-1], Image.Resampling.BICUBIC))


def _texture(shape, rng):
    """Return noise with a grain of 1 to 8 pixels, longer in one direction in a half of all."""
    grain = np.exp(rng.uniform(0, np.log(8), 2) if rng.random() < 0.5 else np.full(2, rng.uniform(0, np.log(8))))
    noise = ndimage.gaussian_filter(rng.standard_normal(shape), grain)
    return noise / (noise.std() + 1e-6) * np.exp(rng.uniform(np.log(0.004), np.log(0.06)))


def _paper(shape, rng):
    y, x = np.linspace(-1, 1, shape[0])[:, None], np.linspace(-1, 1, shape[1])
    down, across = rng.uniform(-0.12, 0.12, 2)
    return (
        rng.uniform(0.5, 0.95)
        + down * y
        + across * x
        + rng.uniform(0, 0.06) * _field(shape, rng, int(rng.integers(2, 8)))
    )


def _shaded(light, rng):
    """Lay a shadow or a glare over a part of the page, its border sharp or soft."""
    y, x, angle = (
        np.linspace(-1, 1, light.shape[0])[:, None],
        np.linspace(-1, 1, light.shape[1]),
        rng.uniform(0, 2 * np.pi),
    )
    place = np.cos(angle) * x + np.sin(angle) * y - rng.uniform(-0.8, 0.8)
    cover = 1 / (1 + np.exp(-np.clip(place / np.exp(rng.uniform(np.log(0.01), np.log(0.4))), -30, 30)))
    return light * (1 - rng.uniform(0.2, 0.7) * cover) if rng.random() < 0.8 else light + rng.uniform(0.05, 0.2) * cover


def _edged(light, rng):
    """Lay something dark, light or patterned at an edge: a table, a scanner's lid, a frame."""
    for side in rng.permutation(4)[: rng.integers(1, 4)]:
        turned = np.rot90(light, side)
        wide = 1 + int(rng.uniform(0.01, 0.25) * len(turned))
        slope = rng.normal(0, 0.04)
        reach = wide + slope * np.arange(turned.shape[1])
        there = np.arange(len(turned))[:, None] < reach
        turned[there] = rng.uniform(0, 1) if rng.random() < 0.8 else rng.uniform(0, 1, there.sum())
    return light
