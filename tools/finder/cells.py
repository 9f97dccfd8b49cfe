"""What the detector shall say of a page, for each cell of 8 x 4 pixels."""

import numpy as np
from synthetic.layers import EITHER
from synthetic.pages import TALLEST

from study_keras.vision.levels import SHORTEST
from study_keras.vision.marks import COLUMNS, ROWS, SPAN

USUAL, WEIGHTS = 8, (0.6, 2)  # cells of a digit that weigh 1, and the least and the greatest weight of a cell


def cells_of(scene, shape, dark):
    """Return the detector's targets ``(rows, columns, 7)`` float32.

    The first is 1 in the cells around the middle of a digit, 0 elsewhere, and -1, which the loss leaves out, between
    them and where a digit is cut or of a size that may be found or not. Then four distances to the digit's sides,
    whether its ink is ``dark``, and the weight of the cell: a thin 1 has few cells, but is a digit like others.
    """
    rows, columns = shape[0] // ROWS, shape[1] // COLUMNS
    targets, nearest = np.zeros((rows, columns, 7), np.float32), np.full((rows, columns), np.inf)
    y = (np.arange(rows)[:, None] + 0.5) * ROWS
    x = (np.arange(columns) + 0.5) * COLUMNS
    for box, label in zip(scene.boxes, scene.labels, strict=True):
        left, top, right, bottom = box
        size = max(right - left, bottom - top)
        if label != EITHER and SHORTEST <= size <= TALLEST:
            away = _distances(x, y, box)
            ours = (away < 1) & (away < nearest)
            nearest[ours] = away[ours]
            sides = np.stack(np.broadcast_arrays(x - left, y - top, right - x, bottom - y), axis=-1) / SPAN
            there = np.ones((*ours.shape, 1))
            weight = np.clip((USUAL / ours.sum()) ** 0.5, *WEIGHTS) if ours.any() else 1.0
            targets[ours] = np.concatenate([there, sides, dark * there, weight * there], axis=-1)[ours]
            _leave_out(targets, ~(away < 1) & _around(x, y, box, (0.3, 4), (0.3, 6)))
        elif label == EITHER or 0.75 * SHORTEST < size < 1.2 * TALLEST:
            _leave_out(targets, _around(x, y, box, (0.5, 2), (0.5, 0)))
    return targets


def _distances(x, y, box):
    """Return how far each cell is from the middle of a box, squared; it counts as the box's below 1."""
    left, top, right, bottom = box
    middle_x, middle_y = (left + right) / 2, (top + bottom) / 2
    wide, high = max(right - left, 4), bottom - top
    away = ((x - middle_x) / (0.25 * wide)) ** 2 + ((y - middle_y) / (0.25 * high)) ** 2
    own = min(int(middle_y // ROWS), len(y) - 1), min(int(middle_x // COLUMNS), len(x) - 1)
    away[own] = min(away[own], 0.5)  # however small the box, the cell of its middle is its
    return away


def _around(x, y, box, reach_x, reach_y):
    """Return which cells are near the middle of a box: up to a part of its side, and so many pixels more."""
    left, top, right, bottom = box
    wide, high = max(right - left, 4), bottom - top
    across, down = np.abs(x - (left + right) / 2), np.abs(y - (top + bottom) / 2)
    return (across < reach_x[0] * wide + reach_x[1]) & (down < reach_y[0] * high + reach_y[1])


def _leave_out(targets, cells):
    """Mark cells as neither, but those of a digit."""
    targets[..., 0][cells & (targets[..., 0] == 0)] = -1
