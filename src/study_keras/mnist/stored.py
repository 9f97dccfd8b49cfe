"""Images that stay on the disk: one or more files, mapped into memory a piece at a time, that act as one array."""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray


class Part(NamedTuple):
    """An array within a file, and where its numbers begin."""

    path: Path
    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class Stored:
    """Arrays in files, one after the other, as one array ``(n, ...)`` of which a piece at a time is in memory.

    Args:
        parts: as ``find`` gives them, of one dtype and alike in all but their length.
        chosen: sorted places of those rows that belong to it; all of them where it is ``None``.
    """

    def __init__(self, parts: Sequence[Part], chosen: NDArray[np.int64] | None = None) -> None:
        self.parts = list(parts)
        self.chosen = chosen
        self.starts = np.cumsum([0, *(part.shape[0] for part in parts)])
        self.dtype = parts[0].dtype
        self.shape = (int(self.starts[-1]) if chosen is None else len(chosen), *parts[0].shape[1:])
        self.ndim = len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: slice | NDArray[np.int64]) -> "NDArray[Any] | Stored":
        """Read the rows of a slice without steps; or stand for chosen rows, by their sorted places, without reading."""
        if isinstance(key, slice):
            start, stop, _ = key.indices(len(self))
            return self.rows(start, stop)
        return Stored(self.parts, key if self.chosen is None else self.chosen[key])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self.rows(0, len(self)), dtype)

    def rows(self, start: int, stop: int) -> NDArray[Any]:
        """Read the rows from ``start`` to ``stop``."""
        stop = min(stop, len(self))
        places = np.arange(start, stop) if self.chosen is None else self.chosen[start:stop]
        rows = np.empty((len(places), *self.shape[1:]), self.dtype)
        for first, part in zip(self.starts, self.parts, strict=False):
            low, high = np.searchsorted(places, (first, first + part.shape[0]))
            if low < high:
                # Mapped for this moment alone: a page that was read counts as this process' memory until then.
                mapped = np.memmap(part.path, part.dtype, "r", part.offset, part.shape)
                here = places[low:high] - first
                whole = here[-1] - here[0] == high - low - 1
                rows[low:high] = mapped[here[0] : here[-1] + 1] if whole else mapped[here]
        return rows


def find(path: Path, key: str | None = None) -> Part:
    """Return where an array lies: the ``.npy`` file ``path``, or the array ``key`` of an ``.npz`` file.

    Raises:
        ValueError: there is no plain array, or it is compressed; the text says what to do.
    """
    try:
        with path.open("rb") as file:
            if key is not None:
                file.seek(_beginning(path, key))
            version = npy.read_magic(file)
            header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape, fortran, dtype = header(file)
            part = Part(path, file.tell(), shape, dtype)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: not an array: {str(error).splitlines()[0]}") from error
    if dtype.hasobject or not shape or (fortran and len(shape) > 1):
        raise ValueError(f"{path}: an array of {dtype} in an order that cannot be mapped; save plain rows: numpy.save")
    if path.stat().st_size < part.offset + int(np.prod(shape)) * dtype.itemsize:
        raise ValueError(f"{path}: truncated: shape {shape} of {dtype} needs more bytes than the file has")
    return part


def _beginning(path: Path, key: str) -> int:
    """Return where the ``.npy`` file within an ``.npz`` file begins."""
    with zipfile.ZipFile(path) as archive:
        if f"{key}.npy" not in archive.namelist():
            raise ValueError(f"no {key}; found {', '.join(archive.namelist()) or 'nothing'}")
        entry = archive.getinfo(f"{key}.npy")
    if entry.compress_type != zipfile.ZIP_STORED:
        raise ValueError("it is compressed, so that no piece can be read alone; write shards with numpy.savez")
    with path.open("rb") as file:
        file.seek(entry.header_offset + 26)  # the local header: 30 bytes, then a name and extras of these two lengths
        name, extra = np.frombuffer(file.read(4), "<u2")
        return entry.header_offset + 30 + int(name) + int(extra)
