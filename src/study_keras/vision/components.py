"""Ink that hangs together, and the ruled lines that are not ink. NumPy alone; ``page/prepare.js`` does the same."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from study_keras.vision.binarize import Mask


class Pieces(NamedTuple):
    """Connected ink: ``labels`` (h, w) int, -1 for paper; ``boxes`` (n, 4) left, top, right, bottom; ``areas`` (n,)."""

    labels: NDArray[np.int64]
    boxes: NDArray[np.int64]
    areas: NDArray[np.int64]


def without_rules(mask: Mask) -> Mask:
    """Take out ruled lines: thin rows and columns of ink from edge to edge, except where a stroke crosses them."""
    return _without_rows(_without_rows(mask).T).T


def find_pieces(mask: Mask) -> Pieces:
    """Find the pieces of ink that hang together, corners included, in the order of their first pixels."""
    height, width = mask.shape
    padded = np.zeros((height, width + 2), bool)
    padded[:, 1:-1] = mask
    edges = np.flatnonzero(padded[:, 1:] != padded[:, :-1])  # where runs of ink start and, exclusive, end
    parents = _join(edges[::2], edges[1::2], width + 1)
    (rows, starts), ends = np.divmod(edges[::2], width + 1), edges[1::2] % (width + 1)
    ranks = np.cumsum(parents == np.arange(len(parents)))
    numbers, count = ranks[parents] - 1, int(ranks[-1]) if len(ranks) else 0
    boxes = np.tile(np.array([width, height, 0, 0]), (count, 1))
    np.minimum.at(boxes[:, 0], numbers, starts)
    np.minimum.at(boxes[:, 1], numbers, rows)
    np.maximum.at(boxes[:, 2], numbers, ends)
    np.maximum.at(boxes[:, 3], numbers, rows + 1)
    labels = np.full(mask.shape, -1)
    labels[mask] = np.repeat(numbers, ends - starts)
    return Pieces(labels, boxes, np.bincount(numbers, ends - starts, count).astype(np.int64))


def _join(starts: NDArray[np.int64], ends: NDArray[np.int64], row: int) -> NDArray[np.int64]:
    """Give each run the number of the first run that it hangs together with."""
    # The runs above that touch [start, end): they end at or after it begins, and begin at or before it ends.
    first, last = np.searchsorted(ends, starts - row), np.searchsorted(starts, ends - row, side="right")
    counts = np.maximum(last - first, 0)
    below = np.repeat(np.arange(len(starts)), counts)
    above = np.arange(len(below)) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(first, counts)
    parents = np.arange(len(starts))
    while True:
        low = np.minimum(parents[above], parents[below])
        high = np.maximum(parents[above], parents[below])
        if np.array_equal(low, high):
            return parents
        np.minimum.at(parents, high, low)
        while not np.array_equal(parents, parents[parents]):
            parents = parents[parents]


def _without_rows(mask: Mask) -> Mask:
    height, width = mask.shape
    full = np.count_nonzero(mask, axis=1) > 0.8 * width
    if not full.any():
        return mask
    cleaned = mask.copy()
    top = 0
    while top < height:
        bottom = top
        while bottom < height and full[bottom]:
            bottom += 1
        if top < bottom <= top + max(2, height // 25):
            nothing = np.zeros(width, bool)
            above = mask[top - 1] if top else nothing
            under = mask[bottom] if bottom < height else nothing
            cleaned[top:bottom] &= above | under
        top = bottom + 1
    return cleaned
