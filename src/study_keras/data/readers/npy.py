"""NumPy's ``.npy`` and ``.npz``: arrays whose size is checked before it is allocated. Uses only NumPy."""

import ast
import math
import os
import re
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from study_keras import limits, zip_archive

MAX_HEADER_BYTES = 10_000  # numpy.load has the same limit
_CHUNK = 2**24
Header = tuple[tuple[int, ...], bool, np.dtype[Any]]  # shape, whether in Fortran order, dtype


def load(path: str | Path) -> NDArray[Any]:
    """Read an ``.npy`` file.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not an array of numbers, is truncated or too large; the message does not name the file.
    """
    with limits.open_file(path) as file:
        return _read(file, os.fstat(file.fileno()).st_size, Path(path).name)


def memory_map(path: str | Path, offset: int = 0, size: int | None = None) -> NDArray[Any]:
    """Memory-map an array in an ``.npy`` file, or one that is stored uncompressed in another file.

    Args:
        path: the file.
        offset: where the array's header begins.
        size: bytes of header and array; up to the end of the file by default.

    Raises:
        OSError: the file cannot be read.
        ValueError: there is no array of numbers there.
    """
    with limits.open_file(path) as file:
        available = os.fstat(file.fileno()).st_size - offset
        file.seek(offset)
        shape, fortran, dtype = read_header(file, available if size is None else size)
        if size is not None and size > available:
            raise ValueError(f"truncated: the file has {available:,} bytes for an array of {size:,}")
        if fortran and len(shape) > 1:
            raise ValueError("it is in Fortran order; expected C order: save np.ascontiguousarray(array)")
        if not math.prod(shape):
            return np.empty(shape, dtype)
        return np.memmap(path, dtype, "r", file.tell(), shape)


def load_zip(path: str | Path, keys: tuple[str, ...] | None = None) -> dict[str, NDArray[Any]]:
    """Read arrays of an ``.npz`` file.

    Args:
        path: the file.
        keys: which arrays to read; all by default. A missing one is left out.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not an archive of arrays, is broken or too large; the message does not name the file.
    """
    arrays = {}
    with zip_archive.open_zip(path) as archive:
        for entry in archive.infolist():
            key = entry.filename.removesuffix(".npy")
            if keys is None or key in keys:
                with archive.open(entry) as file:
                    arrays[key] = _read(file, entry.file_size, entry.filename)
    return arrays


def is_zip(path: str | Path) -> bool:
    """Return whether a file begins as an ``.npz`` does."""
    with limits.open_file(path) as file:
        return file.read(2) == b"PK"


def entry_names(path: str | Path) -> dict[str, str]:
    """Return array name -> entry name for all arrays of an ``.npz`` file; see ``load_zip``."""
    with zip_archive.open_zip(path) as archive:
        return {name.removesuffix(".npy"): name for name in archive.namelist()}


def entry_place(path: str | Path, name: str) -> tuple[int, int]:
    """Return where an uncompressed entry of an ``.npz`` file begins, and its size.

    Raises:
        OSError: the file cannot be read.
        ValueError: the entry is compressed, or not where the archive says.
    """
    with zip_archive.open_zip(path) as archive, limits.open_file(path) as file:
        entry = archive.getinfo(name)
        if entry.compress_type != zipfile.ZIP_STORED:
            raise ValueError(f"{name} is compressed, so it cannot be memory-mapped; write it with np.savez")
        file.seek(entry.header_offset)
        header = file.read(30)  # ends with the lengths of the name and of the extra field that follow it
        if len(header) < 30 or header[:4] != b"PK\x03\x04":
            raise ValueError(f"{name} is not at the offset that the archive states")
        lengths = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        return entry.header_offset + 30 + lengths, entry.file_size


def read_header(file: BinaryIO, size: int) -> Header:
    """Read the header of an array, and check that ``size``, the bytes from there to the end, is what it declares.

    Raises:
        ValueError: it is no header, declares another size, or an array of anything but numbers.
    """
    start = file.read(8)
    if len(start) < 8 or start[:6] != npy.MAGIC_PREFIX or start[6:] not in (b"\1\0", b"\2\0"):
        raise ValueError(f"it begins with {start!r}; expected an array of NumPy, version 1.0 or 2.0")
    width = 2 if start[6] == 1 else 4
    length = int.from_bytes(file.read(width), "little")
    if length > MAX_HEADER_BYTES:
        raise ValueError(f"a header of {length:,} bytes; expected at most {MAX_HEADER_BYTES:,}")
    shape, fortran, dtype = _parse(file.read(length))
    found, expected = size - 8 - width - length, limits.byte_count(shape, dtype.itemsize)
    if found != expected:
        problem = "truncated" if found < expected else "too long"
        raise ValueError(f"{problem}: {found:,} bytes of data, expected {expected:,} for shape {shape}")
    return shape, fortran, dtype


def read_values(file: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Read an array of ``shape`` from a file that may be compressed; its size counts against the total of this load.

    Raises:
        ValueError: it is too large, or the file ends too early.
    """
    limits.take(limits.byte_count(shape, dtype.itemsize), f"an array of shape {shape}")
    array = np.empty(math.prod(shape), dtype)
    view = array.view(np.uint8).data if array.size else memoryview(b"")
    at = 0
    while at < len(view):
        count = file.readinto(view[at : at + _CHUNK])
        if not count:
            raise ValueError(f"truncated: {at:,} bytes of data, expected {len(view):,} for shape {shape}")
        at += count
    return array.reshape(shape)


def _read(file: Any, size: int, name: str) -> NDArray[Any]:
    try:
        shape, fortran, dtype = read_header(file, size)
        return read_values(file, shape[::-1], dtype).T if fortran else read_values(file, shape, dtype)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _parse(text: bytes) -> Header:
    try:
        header = ast.literal_eval(re.sub(r"(\d)L\b", r"\1", text.decode("latin1").strip()))  # Python 2 wrote (10L,)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise ValueError(f"the header cannot be read: {str(error)[:200] or type(error).__name__}") from error
    if not isinstance(header, dict) or header.keys() != {"descr", "fortran_order", "shape"}:
        raise ValueError("the header is not a dict of descr, fortran_order and shape")
    shape, fortran, code = header["shape"], header["fortran_order"], header["descr"]
    if not isinstance(shape, tuple) or not isinstance(fortran, bool) or not isinstance(code, str):
        raise ValueError(f"the header has descr={code!r:.100}, fortran_order={fortran!r:.100}, shape={shape!r:.100}")
    if code == "|O":
        raise ValueError("it contains pickled objects, which could run code; expected plain arrays")
    try:
        dtype = np.dtype(code)
    except (TypeError, ValueError, SyntaxError) as error:
        raise ValueError(f"the header has the unknown dtype {code!r:.100}") from error
    if dtype.kind not in "biuf":
        raise ValueError(f"it contains {dtype}; expected numbers")
    return shape, fortran, dtype
