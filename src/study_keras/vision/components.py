"""Operations on a binary mask: removal of ruled lines, connected components. Needs only NumPy.

``page/vision/components.js`` is the twin in JavaScript.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from study_keras.vision.binarize import Mask


class Components(NamedTuple):
    """Connected components of a mask, numbered from 0 in the order of their first pixels.

    ``labels`` (h, w) int, -1 for the background; ``boxes`` (n, 4) int: left, top, right, bottom, the last two
    exclusive; ``areas`` (n,) int, in pixels.
    """

    labels: NDArray[np.int64]
    boxes: NDArray[np.int64]
    areas: NDArray[np.int64]


def remove_ruled_lines(mask: Mask) -> Mask:
    """Clear thin rows and columns that are set from edge to edge, except where a stroke crosses them."""
    return _remove_rows(_remove_rows(mask).T).T


def _remove_rows(mask: Mask) -> Mask:
    height, width = mask.shape
    full = np.count_nonzero(mask, axis=1) > 0.8 * width
    if not full.any():
        return mask
    cleaned = mask.copy()
    blank = np.zeros(width, bool)
    top = 0
    while top < height:
        bottom = top
        while bottom < height and full[bottom]:
            bottom += 1
        if top < bottom <= top + max(2, height // 25):
            above = mask[top - 1] if top else blank
            below = mask[bottom] if bottom < height else blank
            cleaned[top:bottom] &= above | below
        top = bottom + 1
    return cleaned


def connected_components(mask: Mask) -> Components:
    """Label the connected components of a mask; diagonal neighbours are connected."""
    height, width = mask.shape
    padded = np.zeros((height, width + 2), bool)
    padded[:, 1:-1] = mask
    edges = np.flatnonzero(padded[:, 1:] != padded[:, :-1])  # start and exclusive end of each horizontal run
    parents = _merge_runs(edges[::2], edges[1::2], width + 1)
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
    return Components(labels, boxes, np.bincount(numbers, ends - starts, count).astype(np.int64))


def _merge_runs(starts: NDArray[np.int64], ends: NDArray[np.int64], stride: int) -> NDArray[np.int64]:
    """Return for each run the index of the first run of its component; one row is ``stride`` after the last."""
    # The runs above that touch [start, end): they end at or after its start, and start at or before its end.
    first, last = np.searchsorted(ends, starts - stride), np.searchsorted(starts, ends - stride, side="right")
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
