"""The order in which both training loops read a dataset: shuffled in windows, since it may be larger than memory."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from study_keras.data.lazy_array import CHUNK_ROWS

WINDOW_ROWS = CHUNK_ROWS  # images in memory, or on the device, at once; 51 MB as bytes


def window_length(count: int, batch_size: int) -> int:
    """Return the rows of a window: all, or as many full batches as ``WINDOW_ROWS`` holds, at least one."""
    return min(count, max(WINDOW_ROWS // batch_size, 1) * batch_size)


def windows(count: int, batch_size: int, rng: np.random.Generator | None = None) -> Iterator[tuple[int, NDArray[Any]]]:
    """Yield the first row of each window and the order of its rows, both shuffled if there is an ``rng``.

    Each window is drawn when it is requested, so what the caller draws from ``rng`` in between is part of the order.
    """
    length = window_length(count, batch_size)
    starts = np.arange(0, count, length)
    for start in map(int, rng.permutation(starts) if rng else starts):
        rows = min(length, count - start)
        yield start, rng.permutation(rows) if rng else np.arange(rows)
