"""The reader's examples as it meets them: the marks that a trained detector proposes on a page, right or wrong."""

import numpy as np
from synthetic.layers import EITHER

from study_keras.vision.levels import Level
from study_keras.vision.marks import LONGER, NONE, propose
from study_keras.vision.overlaps import overlaps
from study_keras.vision.views import VIEW, view

RIGHT, WRONG = 0.5, 0.3  # boxes with at least so much in common with a digit's are its; with less than the other, none


def proposed_views(scene, plane, finder, rng, count):
    """Return views of up to ``count`` digits of a page and of as many other marks, as the detector frames them.

    Args:
        plane: (h, w), the page's contrast.
        finder: of which the detector is used.

    Returns:
        As ``views.views_of``.
    """
    boxes, _, dark = propose(Level(plane, plane, 1.0), finder)
    views, labels, inks = [], [], []
    for at in rng.permutation(len(boxes)):
        label, which = named(boxes[at], scene)
        if label == EITHER or [one == NONE for one in labels].count(label == NONE) == count:
            continue
        left, top, right, bottom = boxes[at]
        side = max(right - left, bottom - top) * VIEW / LONGER * np.exp(rng.normal(0, 0.03))
        x, y = (left + right - side) / 2, (top + bottom - side) / 2
        views.append(view(-plane if dark[at] else plane, x, y, side))
        labels.append(label)
        inks.append(_own_ink(scene, which, x, y, side) if label != NONE else np.zeros((VIEW, VIEW), np.float32))
    return views, labels, inks


def named(box, scene):
    """Return the label of a box and the number of its digit: ``NONE``, or ``EITHER`` if it frames one badly."""
    if not len(scene.boxes):
        return NONE, -1
    common = overlaps(box, scene.boxes)[0]
    best = int(common.argmax())
    if common[best] < WRONG:
        return NONE, best
    return (int(scene.labels[best]) if common[best] >= RIGHT else EITHER), best


def _own_ink(scene, which, x, y, side):
    left, top, _, _ = scene.boxes[which]
    return view(scene.inks[which] / 255, x - left, y - top, side)
