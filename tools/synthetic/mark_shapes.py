"""Marks as distances to their strokes, from which a pen of any width draws them."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage

ZOOM = 3  # from MNIST's 28 pixels to those in which distances are measured
SIDE = 28 * ZOOM
EIGHTHS = 8  # distances are stored in eighths of a pixel


@dataclass
class Shapes:
    """Strokes as distances.

    ``edge`` (n, 84, 84) int8: eighths of a pixel to the edge of the stroke, negative inside; ``middle`` (n, 84, 84)
    uint8: eighths of a pixel to its middle line; ``labels`` (n,): 0 to 9, or ``NONE``; ``thick`` (n,): whether they are
    drawn in their own width only, since a thin comma is no comma but a stroke.
    """

    edge: np.ndarray
    middle: np.ndarray
    labels: np.ndarray
    thick: np.ndarray


class Hand(NamedTuple):
    """How marks are written.

    ``height``: pixels of the longer side, about; ``pen``: half the width of a stroke in parts of the height, or None
    for a mark's own width; ``slant``: by how much of its height a mark leans to the right.
    """

    height: float
    pen: float | None = None
    slant: float = 0.0


def random_pen(rng):
    """Return a pen, see ``Hand``: a third keep the marks' own widths."""
    return None if rng.random() < 0.35 else float(np.exp(rng.uniform(np.log(0.007), np.log(0.12))))


def joined(parts):
    """Return the shapes of all parts as one."""
    return Shapes(*(np.concatenate(arrays) for arrays in zip(*(vars(part).values() for part in parts), strict=True)))


def shapes_of(images, labels, thick=False):
    """Return the shapes of ``(n, 28, 28)`` or ``(n, 84, 84)`` images, uint8 or float in [0, 1]."""
    edge, middle = (np.empty((len(images), SIDE, SIDE), kind) for kind in (np.int8, np.uint8))
    for start in range(0, len(images), 1000):
        part = images[start : start + 1000]
        inside = np.array([_enlarged(image) > 110 for image in part])
        lines = _thinned(inside)
        for at, (shape, line) in enumerate(zip(inside, lines, strict=True), start):
            outside, within = ndimage.distance_transform_edt(~shape), ndimage.distance_transform_edt(shape)
            edge[at] = np.clip(EIGHTHS * (outside - within), -127, 127)
            middle[at] = np.clip(EIGHTHS * ndimage.distance_transform_edt(~line), 0, 255)
    return Shapes(edge, middle, np.asarray(labels), np.broadcast_to(thick, len(images)))


def _enlarged(image):
    """Return an image in 84 x 84 pixels."""
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


def drawn(shapes, index, hand, rng):
    """Return a shape as (h, w) float ink in [0, 1], cropped."""
    scale = hand.height / (20 * ZOOM) * rng.uniform(0.95, 1.05)
    wide = scale * np.exp(rng.uniform(-0.3, 0.25))
    angle = rng.normal(0, 0.06)
    own_pen = hand.pen is None or shapes.thick[index]
    source = (shapes.edge[index].astype(np.int16) + 128).astype(np.uint8) if own_pen else shapes.middle[index]
    source = source[_bent_rows(rng)] if rng.random() < 0.5 else source
    distance = _placed(source, (wide, scale), angle, hand.slant)
    distance = (distance - 128 if own_pen else distance) * (scale / EIGHTHS)
    reach = rng.uniform(-0.03, 0.03) * hand.height if own_pen else hand.pen * hand.height
    thin = not own_pen and reach < 0.5  # than a pixel, so that it covers a part of each
    ink = min(1, 2 * reach) * np.clip(1 - distance, 0, 1) if thin else np.clip(reach - distance + 0.5, 0, 1)
    inked = ink > 0.3 * ink.max()
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    if not len(rows):
        return np.ones((2, 2), np.float32)
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _bent_rows(rng):
    """Return rows that make the upper part of a shape larger and the lower smaller, or the other way round."""
    margin, inner = 4 * ZOOM, 20 * ZOOM
    inside = margin + inner * np.linspace(0, 1, inner) ** np.exp(rng.uniform(-0.5, 0.5))
    rows = np.concatenate([np.arange(margin), inside, np.arange(margin + inner, SIDE)])
    return np.clip(np.round(rows), 0, SIDE - 1).astype(int)


def _placed(source, zoom, angle, slant):
    """Return (84, 84) distances, zoomed by (x, y), turned and slanted around the middle, as (side, side) float32."""
    wide, high = zoom
    cos, sin = np.cos(angle), np.sin(angle)
    # From a place on the page to one in the shape.
    turn = (
        np.array([[1 / wide, 0], [0, 1 / high]]) @ np.array([[1, slant], [0, 1]]) @ np.array([[cos, sin], [-sin, cos]])
    )
    side = int(SIDE * max(high, wide) * 1.3) + 4
    shift = SIDE / 2 - turn @ (side / 2, side / 2)
    change = (*turn[0], shift[0], *turn[1], shift[1])
    place = Image.fromarray(source).transform(
        (side, side), Image.Transform.AFFINE, change, Image.Resampling.BILINEAR, fillcolor=255
    )
    return np.asarray(place, np.float32)
