"""Validated HDF5 files: no external links, no oversized arrays, and a checksum in the files that we write."""

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from study_keras import limits
from study_keras.formats.saving import hdf5_heaps, hdf5_sizes

CHECKSUM = "study_keras_sha256"


@contextmanager
def open_checked(file: str | Path | io.BytesIO, name: str | Path) -> Iterator[h5py.File]:
    """Open an HDF5 file for reading after validating all of it.

    Args:
        file: a path, or the file's bytes as a stream.
        name: of the file, for error messages.

    Raises:
        ValueError: it is not a complete HDF5 file, refers to other files, is too large, or differs from what was saved.
    """
    try:
        if isinstance(file, str | Path):
            limits.take(limits.check_file(file), "the file")
        hdf5_heaps.check_heaps(file)
        with h5py.File(file, "r") as opened:
            hdf5_sizes.check(opened, _walk(opened, "", set()))
            expected = opened.attrs.get(CHECKSUM)
            if checksum(opened) != expected and expected is not None:
                raise ValueError("the contents differ from what was saved; use another copy of the file")
            yield opened
    except (OSError, RuntimeError, KeyError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise ValueError(f"{name}: not a complete HDF5 file: {error}") from error
    except ValueError as error:
        raise ValueError(f"{name}: {str(error).removeprefix(f'{name}: ')}") from error


def is_hdf5(path: str | Path) -> bool:
    """Return whether there is an HDF5 file at ``path``, with any name."""
    return Path(path).is_file() and bool(h5py.is_hdf5(path))


def stored_bytes(file: h5py.File) -> int:
    """Return how many bytes all arrays in a file have."""
    return sum(array.nbytes for array in arrays(file).values())


def seal(file: h5py.File) -> None:
    """Write the checksum of an open HDF5 file into the file; other readers ignore it."""
    file.attrs[CHECKSUM] = checksum(file)


def checksum(file: h5py.File) -> str:
    """Return the SHA-256 of all names, attributes and arrays."""
    digest = hashlib.sha256()
    for name, item in _walk(file, "", set()):
        digest.update(f"{name}\n".encode())
        for key in sorted(item.attrs):
            if key != CHECKSUM:
                digest.update(f"{key}={np.asarray(item.attrs[key]).tolist()}\n".encode())
        if isinstance(item, h5py.Dataset):
            digest.update(f"{item.dtype}{item.shape}\n".encode())
            digest.update(np.ascontiguousarray(item[()]).view(np.uint8).data)
    return digest.hexdigest()


def arrays(group: Any, prefix: str = "") -> dict[str, h5py.Dataset]:
    """Return all datasets below ``group`` by path."""
    found: dict[str, h5py.Dataset] = {}
    for name, item in group.items():
        if isinstance(item, h5py.Dataset):
            found[prefix + name] = item
        else:
            found |= arrays(item, f"{prefix}{name}/")
    return found


def text(value: Any) -> str:
    """Return an HDF5 string attribute, which may be stored as bytes, as str."""
    return value.decode() if isinstance(value, bytes) else str(value)


def _walk(group: h5py.Group, prefix: str, seen: set[int]) -> Iterator[tuple[str, h5py.HLObject]]:
    """Yield path and object of all groups and arrays.

    Raises:
        ValueError: a link, a cycle, or neither a group nor an array.
    """
    address = h5py.h5o.get_info(group.id).addr
    if address in seen:
        raise ValueError(f"{prefix or '/'} occurs twice; expected a tree")
    seen.add(address)
    yield prefix, group
    for name in sorted(group):
        path = f"{prefix}/{name}"
        if group.get(name, getclass=True, getlink=True) is not h5py.HardLink:
            raise ValueError(f"{path} is a link; expected a file without links")
        item = group[name]
        if isinstance(item, h5py.Group):
            yield from _walk(item, path, seen)
        elif isinstance(item, h5py.Dataset):
            yield path, item
        else:
            raise ValueError(f"{path} is neither a group nor an array")
