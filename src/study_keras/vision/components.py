"""Connected components of a mask. Needs only NumPy.

``page/vision/components.js`` is the twin in JavaScript.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


class Components(NamedTuple):
    """Connected components of a mask, numbered from 0 in the order of their first pixels.

    ``labels`` (h, w) int, -1 for the background; ``boxes`` (n, 4) int: left, top, right, bottom, the last two
    exclusive; ``areas`` (n,) int, in pixels.
    """

    labels: NDArray[np.int64]
    boxes: NDArray[np.int64]
    areas: NDArray[np.int64]


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
