"""What the reader is shown of a page: digits as the detector would frame them, and squares that frame none."""

import numpy as np
from synthetic.layers import EITHER

from study_keras.vision.marks import LONGER, NONE
from study_keras.vision.views import VIEW, view


def views_of(scene, plane, dark, rng, count):
    """Return views of up to ``count`` digits of a page and of about as many others.

    Args:
        plane: (h, w), the page's contrast.
        dark: whether its ink is dark.

    Returns:
        Views (n, 32, 32), labels (n,), and the digits' own inks (n, 32, 32), zeros for others; as lists.
    """
    signed = -plane if dark else plane
    views, labels, inks = [], [], []
    good = np.flatnonzero((scene.labels != EITHER) & (np.ptp(scene.boxes[:, 1::2], axis=1) >= 10))
    for at in rng.permutation(good)[:count] if len(good) else ():
        left, top, _, _ = scene.boxes[at]
        x, y, side = _framed(scene.boxes[at], rng)
        views.append(view(signed, x, y, side))
        labels.append(scene.labels[at])
        inks.append(view(scene.inks[at] / 255, x - left, y - top, side))
    for _ in range(min(len(views) + 1, count)):
        box = _other_box(scene, plane.shape, rng)
        if box is not None:
            left, top, longer = box
            side = VIEW / LONGER * longer
            sign = 1 if rng.random() < 0.8 else -1  # the detector may be wrong about dark ink
            views.append(view(sign * signed, left - (side - longer) / 2, top - (side - longer) / 2, side))
            labels.append(NONE)
            inks.append(np.zeros((VIEW, VIEW), np.float32))
    return views, labels, inks


def _framed(box, rng):
    """Return left, top and side of the view of a digit, as inexact as the detector is."""
    left, top, right, bottom = box
    longer = max(right - left, bottom - top)
    zoom, (dx, dy) = np.exp(rng.normal(0, 0.07)), rng.normal(0, 0.06, 2) * longer
    side = VIEW / LONGER * longer * zoom
    return (left + right) / 2 + dx - side / 2, (top + bottom) / 2 + dy - side / 2, side


def _other_box(scene, shape, rng):
    """Return left, top and side of a square that frames no digit; None if it does by chance."""
    kind = rng.random()
    if len(scene.boxes) and kind < 0.8:
        part_or_more = (_part, _half, _side, _beside, _too_much)[int(kind * 6.25)]
        x, y, longer = part_or_more(scene.boxes[rng.integers(len(scene.boxes))], rng)
    else:
        longer = rng.uniform(14, 50)
        x, y = rng.uniform(0, shape[1]), rng.uniform(0, shape[0])
    half = longer / 2
    for (left, top, right, bottom), label in zip(scene.boxes, scene.labels, strict=True):
        size = max(right - left, bottom - top)
        across, down = abs((left + right) / 2 - x), abs((top + bottom) / 2 - y)
        if label == EITHER and across < half + size / 2 and down < half + size / 2:
            return None
        if across < 0.17 * size and down < 0.14 * size and 0.75 < longer / size < 1.5:
            return None
    return x - half, y - half, longer


def _part(box, rng):
    left, top, right, bottom = box
    longer = max(right - left, bottom - top) * rng.uniform(0.35, 0.65)
    return rng.uniform(left, right), rng.uniform(top, bottom), longer


def _half(box, rng):
    """Return the upper or the lower part, such as the loop of a 9."""
    left, top, right, bottom = box
    part = rng.uniform(0.45, 0.72) * (bottom - top)
    y = top + part / 2 if rng.random() < 0.5 else bottom - part / 2
    return (left + right) / 2, y, max(part, (right - left) * rng.uniform(0.6, 1))


def _side(box, rng):
    """Return the left or the right part, such as one side of a 0."""
    left, top, right, bottom = box
    part = rng.uniform(0.35, 0.6) * (right - left)
    x = left + part / 2 if rng.random() < 0.5 else right - part / 2
    return x, (top + bottom) / 2, max(part, bottom - top) * np.exp(rng.normal(0, 0.07))


def _beside(box, rng):
    left, top, right, bottom = box
    longer = max(right - left, bottom - top)
    x = (left + right) / 2 + rng.choice((-1, 1)) * rng.uniform(0.4, 0.9) * longer
    y = (top + bottom) / 2 + rng.normal(0, 0.15) * longer
    return x, y, longer * np.exp(rng.normal(0, 0.2))


def _too_much(box, rng):
    left, top, right, bottom = box
    longer = max(right - left, bottom - top) * rng.uniform(1.5, 2.6)
    return (left + right) / 2 + rng.normal(0, 0.3) * longer, (top + bottom) / 2 + rng.normal(0, 0.3) * longer, longer
