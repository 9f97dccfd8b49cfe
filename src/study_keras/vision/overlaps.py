"""How much boxes have in common: which of them frame one mark. Needs only NumPy.

``page/vision/overlaps.js`` is the twin in JavaScript.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Chosen on pages of the 5,000 training images that no network saw.
SAME = 0.4  # boxes that have so much in common (intersection over union) are of one mark
WIDTH = 0.4  # of its longer side that a box counts as wide

Floats = NDArray[np.floating[Any]]


def overlaps(box: Floats | tuple[float, ...], boxes: Floats) -> tuple[Floats, Floats]:
    """Return how much one box has in common with each of several: of both together, and of the smaller one.

    A box counts as at least ``WIDTH`` of its longer side wide and high: the boxes of one thin stroke may be disjoint.
    """
    return overlaps_of_widened(widened(np.array([box])), widened(boxes))


def overlaps_of_widened(one: Floats, others: Floats) -> tuple[Floats, Floats]:
    """Return the same for widened boxes, of which ``one`` is (1, 4)."""
    sides = np.minimum(one[:, 2:], others[:, 2:]) - np.maximum(one[:, :2], others[:, :2])
    np.maximum(sides, 0, out=sides)
    both = sides[:, 0] * sides[:, 1]
    own, areas = ((all_[:, 2] - all_[:, 0]) * (all_[:, 3] - all_[:, 1]) for all_ in (one, others))
    return both / (own + areas - both), both / np.minimum(own, areas)


def widened(boxes: Floats) -> Floats:
    """Return boxes that are at least ``WIDTH`` of their longer side wide and high."""
    sides = boxes[:, 2:] - boxes[:, :2]
    missing = np.maximum(WIDTH * np.maximum(sides[:, :1], sides[:, 1:]) - sides, 0) / 2
    return np.concatenate([boxes[:, :2] - missing, boxes[:, 2:] + missing], axis=1)
