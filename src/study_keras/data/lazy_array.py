"""Images on the disk, in one file or many, that are read like one array and piece by piece. NumPy alone."""

import mmap
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
PIECE = 65_536  # rows in memory at once


class Shards:
    """Arrays one after the other, or some rows of them, behind the face of one array: shape, dtype, len and ``[]``.

    What ``[]`` gives is read at that moment and is a copy; nothing is kept.

    Args:
        parts: arrays that differ in their length alone, memory-mapped as a rule.
        chosen: the numbers of the rows that are seen, rising; all of them by default.
        change: what is done to rows when they are read, such as ``augmentation.finer``.
    """

    def __init__(
        self, parts: Sequence[Array], chosen: Array | None = None, change: Callable[[Array], Array] | None = None
    ) -> None:
        self.parts, self.chosen, self.change = parts, chosen, change
        self.starts = np.cumsum([0, *map(len, parts)])
        count = int(self.starts[-1]) if chosen is None else len(chosen)
        first = self._between(0, 1)
        first = first if change is None else change(first)
        self.shape, self.dtype, self.ndim = (count, *first.shape[1:]), first.dtype, first.ndim

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, places: Any) -> Array:
        if isinstance(places, slice):
            start, stop, step = places.indices(len(self))
            if step == 1 and self.chosen is None:
                found = self._between(start, max(start, stop))
            else:
                found = self._take(np.arange(start, stop, step))
        elif np.ndim(places) == 0:
            return self[np.array([places])][0]
        else:
            places = np.asarray(places)
            found = self._take(np.flatnonzero(places) if places.dtype == bool else places)
        return found if self.change is None else self.change(found)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """Read it all: for what needs the whole at once."""
        return self[:].astype(dtype or self.dtype, copy=False)

    def _between(self, start: int, stop: int) -> Array:
        found = [
            rows(part, max(start - first, 0), stop - first)
            for part, first in zip(self.parts, self.starts, strict=False)
            if first < stop and start < first + len(part)
        ]
        return found[0] if len(found) == 1 else np.concatenate(found or [rows(self.parts[0], 0, 0)])

    def _take(self, places: Array) -> Array:
        """Return the rows at ``places``, in any order, and never read more than ``PIECE`` rows at once for it."""
        places = np.where(places < 0, places + len(self), places)
        if self.chosen is not None:
            places = self.chosen[places]
        order = np.argsort(places, kind="stable")
        rising = places[order]
        found = np.empty((len(places), *self.parts[0].shape[1:]), self.parts[0].dtype)
        for part, first in zip(self.parts, self.starts, strict=False):
            for start in range(int(first), int(first) + len(part), PIECE):
                low, high = np.searchsorted(rising, [start, min(start + PIECE, first + len(part))])
                if low < high:
                    wanted = rising[low:high]
                    near = rows(part, int(wanted[0] - first), int(wanted[-1] - first) + 1)
                    found[order[low:high]] = near[wanted - wanted[0]]
        return found


def rows(array: Array | Shards, start: int, stop: int) -> Array:
    """Return ``array[start:stop]``; of what lies on the disk a copy, mapped for this moment alone.

    A page that was read counts as this process' memory until its mapping ends.
    """
    # Only a map itself knows where in the file it begins; a slice of one tells the same place.
    if type(array) is not np.memmap or not isinstance(array.base, mmap.mmap):
        return array[start:stop]
    stop = min(stop, len(array))
    shape = (stop - start, *array.shape[1:])
    offset = array.offset + start * array.itemsize * int(np.prod(array.shape[1:]))
    return np.array(np.memmap(str(array.filename), array.dtype, "r", offset, shape)) if stop > start else array[:0]


def on_disk(array: Any) -> bool:
    """Tell whether ``array`` is read from the disk piece by piece."""
    return isinstance(array, Shards | np.memmap)


def changed(array: Any, change: Callable[[Array], Array]) -> Any:
    """Apply ``change`` to images: now, or, where they lie on the disk, whenever some are read."""
    if not on_disk(array):
        return change(array)
    array = array if isinstance(array, Shards) else Shards([array])
    return Shards(array.parts, array.chosen, change)


def choose(array: Any, places: Array) -> Any:
    """Return the rows at the rising ``places``; where they lie on the disk, they stay there."""
    if not on_disk(array):
        return array[places]
    if isinstance(array, np.memmap):
        return Shards([array], places)
    return Shards(array.parts, places if array.chosen is None else array.chosen[places], array.change)
