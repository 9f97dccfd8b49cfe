"""Arrays on the disk, in one file or many, presented as one array and read in chunks. Uses only NumPy."""

import mmap
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
CHUNK_ROWS = 65_536  # rows in memory at once


class LazyArray:
    """Presents several arrays, or selected rows of them, as one array with shape, dtype, len and ``[]``.

    Indexing reads from the disk and returns a copy; nothing is cached.

    Args:
        parts: arrays that differ only in their length, usually memory-mapped.
        indices: the selected rows, ascending; all rows by default.
        transform: applied to rows when they are read, such as ``augmentation.upsample``.
    """

    def __init__(
        self, parts: Sequence[Array], indices: Array | None = None, transform: Callable[[Array], Array] | None = None
    ) -> None:
        self.parts, self.indices, self.transform = parts, indices, transform
        self.starts = np.cumsum([0, *map(len, parts)])
        count = int(self.starts[-1]) if indices is None else len(indices)
        first = self._transformed(self._read_range(0, 1))
        self.shape, self.dtype, self.ndim = (count, *first.shape[1:]), first.dtype, first.ndim

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> Array:
        if isinstance(key, slice):
            start, stop, step = key.indices(len(self))
            if step == 1 and self.indices is None:
                return self._transformed(self._read_range(start, max(start, stop)))
            key = np.arange(start, stop, step)
        elif np.ndim(key) == 0:
            return self[np.array([key])][0]
        key = np.asarray(key)
        return self._transformed(self._read_indices(np.flatnonzero(key) if key.dtype == bool else key))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """Read all rows into memory."""
        return self[:].astype(dtype or self.dtype, copy=False)

    def _transformed(self, rows: Array) -> Array:
        return rows if self.transform is None else self.transform(rows)

    def _read_range(self, start: int, stop: int) -> Array:
        found = [
            read_rows(part, max(start - first, 0), stop - first)
            for part, first in zip(self.parts, self.starts, strict=False)
            if first < stop and start < first + len(part)
        ]
        return found[0] if len(found) == 1 else np.concatenate(found or [read_rows(self.parts[0], 0, 0)])

    def _read_indices(self, indices: Array) -> Array:
        """Return rows in any order, reading at most ``CHUNK_ROWS`` rows at once."""
        indices = np.where(indices < 0, indices + len(self), indices)
        if self.indices is not None:
            indices = self.indices[indices]
        order = np.argsort(indices, kind="stable")
        ascending = indices[order]
        found = np.empty((len(indices), *self.parts[0].shape[1:]), self.parts[0].dtype)
        for part, first in zip(self.parts, self.starts, strict=False):
            for start in range(int(first), int(first) + len(part), CHUNK_ROWS):
                low, high = np.searchsorted(ascending, [start, min(start + CHUNK_ROWS, first + len(part))])
                if low < high:
                    wanted = ascending[low:high]
                    chunk = read_rows(part, int(wanted[0] - first), int(wanted[-1] - first) + 1)
                    found[order[low:high]] = chunk[wanted - wanted[0]]
        return found


def read_rows(array: Array | LazyArray, start: int, stop: int) -> Array:
    """Return ``array[start:stop]``; rows on the disk are copied, and mapped only while they are copied.

    A page that was read counts towards the memory of this process until its mapping ends.
    """
    # Only the map itself knows its offset in the file; a slice of it reports the same offset.
    if type(array) is not np.memmap or not isinstance(array.base, mmap.mmap):
        return array[start:stop]
    stop = min(stop, len(array))
    shape = (stop - start, *array.shape[1:])
    offset = array.offset + start * array.itemsize * int(np.prod(array.shape[1:]))
    return np.array(np.memmap(str(array.filename), array.dtype, "r", offset, shape)) if stop > start else array[:0]


def is_on_disk(array: Any) -> bool:
    """Return whether ``array`` is read from the disk when it is indexed."""
    return isinstance(array, LazyArray | np.memmap)


def as_lazy(array: Any) -> LazyArray:
    """Return ``array`` as a ``LazyArray``."""
    return array if isinstance(array, LazyArray) else LazyArray([array])


def map_rows(array: Any, transform: Callable[[Array], Array]) -> Any:
    """Apply ``transform`` to all rows: now, or, for an array on the disk, when rows are read."""
    if not is_on_disk(array):
        return transform(array)
    array = as_lazy(array)
    return LazyArray(array.parts, array.indices, transform)


def take_rows(array: Any, indices: Array) -> Any:
    """Return the rows at ascending ``indices``; rows on the disk stay there."""
    if not is_on_disk(array):
        return array[indices]
    array = as_lazy(array)
    return LazyArray(array.parts, indices if array.indices is None else array.indices[indices], array.transform)
