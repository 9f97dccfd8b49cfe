"""Looks through the heaps of an HDF5 file, in which texts are stored: HDF5 1.14 reads some broken ones for ever."""

import io
import mmap
from pathlib import Path

_START = b"GCOL\x01\0\0\0"  # signature, version and three reserved bytes of a global heap collection
_HEADER = 16  # bytes of the header of a collection, and of an object in it; both end with a size of 8 bytes


def check_heaps(file: str | Path | io.BytesIO) -> None:
    """Refuse a file with a heap that has free space of no size, after which HDF5 finds the same again.

    Raises:
        ValueError: there is such a heap.
        OSError: the file cannot be read.
    """
    if isinstance(file, io.BytesIO):
        _check(file.getvalue())
    elif Path(file).stat().st_size:
        with Path(file).open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
            _check(data)


def _check(data: bytes | mmap.mmap) -> None:
    start = data.find(_START)
    while start >= 0:
        at, end = start + _HEADER, min(start + _size(data, start), len(data))
        while at + _HEADER <= end:
            index, size = int.from_bytes(data[at : at + 2], "little"), _size(data, at)
            if index == 0 and size == 0:
                raise ValueError(f"the heap at byte {start} is broken; use another copy of the file")
            at += _HEADER + -(-size // 8) * 8 if index else size
        start = data.find(_START, start + 1)


def _size(data: bytes | mmap.mmap, at: int) -> int:
    return int.from_bytes(data[at + 8 : at + 16], "little")
