"""The reader's examples as it meets them: the marks that a trained detector proposes on a page, right or wrong."""

import numpy as np
from synthetic.layers import EITHER

from study_keras.vision.levels import Level
from study_keras.vision.marks import LONGER, NONE, propose
from study_keras.vision.overlaps import overlaps
from study_keras.vision.views import VIEW, view

RIGHT, WRONG = 0.5, 0.3  # boxes with at least so much in common with a digit's are its; with less than the other, none
WIDE = 0.7  # of its height; a mark that is wider may be two digits
RIGHT_PART, WRONG_PART = 0.6, 0.45  # the same of parts of proposals, of which two may be of one digit
FRAMED, WELL = 0.8, 0.75  # of a digit in a box; a box that frames two digits, and neither of them well, is of none


def proposed_views(scene, plane, finder, rng, count):
    """Return views of up to ``count`` digits of a page and of as many other marks, as the detector frames them.

    Args:
        plane: (h, w), the page's contrast.
        finder: of which the detector is used.

    Returns:
        As ``views.views_of``.
    """
    boxes, _, dark = propose(Level(plane, plane, 1.0), finder)
    wide = [at for at, (left, top, right, bottom) in enumerate(boxes) if right - left > WIDE * (bottom - top)]
    parts = [part for at in wide for part in _halves(boxes[at], rng)]
    whole, boxes, dark = len(boxes), [*boxes, *parts], [*dark, *np.repeat(dark[wide], 2)]
    views, labels, inks = [], [], []
    for at in rng.permutation(len(boxes)):
        label, which = named(boxes[at], scene, *((RIGHT, WRONG) if at < whole else (RIGHT_PART, WRONG_PART)))
        if label == EITHER or [one == NONE for one in labels].count(label == NONE) == count:
            continue
        left, top, right, bottom = boxes[at]
        side = max(right - left, bottom - top) * VIEW / LONGER * np.exp(rng.normal(0, 0.03))
        x, y = (left + right - side) / 2, (top + bottom - side) / 2
        views.append(view(-plane if dark[at] else plane, x, y, side))
        labels.append(label)
        inks.append(_own_ink(scene, which, x, y, side) if label != NONE else np.zeros((VIEW, VIEW), np.float32))
    return views, labels, inks


def _halves(box, rng):
    """Return the two parts of a box, left and right of anywhere near its middle."""
    left, top, right, bottom = box
    middle = left + rng.uniform(0.3, 0.7) * (right - left)
    return (left, top, middle, bottom), (middle, top, right, bottom)


def named(box, scene, right=RIGHT, wrong=WRONG):
    """Return the label of a box and the number of its digit: ``NONE``, or ``EITHER`` if it frames one badly."""
    if not len(scene.boxes):
        return NONE, -1
    common = overlaps(box, scene.boxes)[0]
    best = int(common.argmax())
    if common[best] < wrong or (common[best] < WELL and _framed(box, scene.boxes).sum() > 1):
        return NONE, best
    return (int(scene.labels[best]) if common[best] >= right else EITHER), best


def _framed(box, boxes):
    """Return which of the boxes are mostly in a box, and not much smaller than it."""
    left, top, right, bottom = boxes.T
    across = np.minimum(right, box[2]) - np.maximum(left, box[0])
    down = np.minimum(bottom, box[3]) - np.maximum(top, box[1])
    inside = np.maximum(across, 0) * np.maximum(down, 0) > FRAMED * (right - left) * (bottom - top)
    return inside & (np.maximum(right - left, bottom - top) > 0.6 * max(box[2] - box[0], box[3] - box[1]))


def _own_ink(scene, which, x, y, side):
    left, top, _, _ = scene.boxes[which]
    return view(scene.inks[which] / 255, x - left, y - top, side)
