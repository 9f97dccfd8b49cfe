"""Folders of arrays that stay on the disk: four ``.npy`` files, shards of them, or ``.npz`` shards. Uses only NumPy.

File names: ``x_train.npy``, or ``x_train-00000.npy``, ``x_train-00001.npy`` and so on, each with a ``y_train`` of the
same suffix, and ``x_test`` likewise; or ``train-00000.npz`` and ``test-00000.npz`` with the arrays ``x`` and ``y``.
Shards are concatenated in numerical order.
"""

import re
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

NPY = re.compile(r"(x|y)_(train|test)(?:[-_.](.+))?\.npy$")
NPZ = re.compile(r"(train|test)(?:[-_.](.+))?\.npz$")
Part = tuple[Path, NDArray[Any], NDArray[Any]]  # source, images, labels


def has_parts(folder: Path) -> bool:
    """Return whether a file in ``folder`` has one of the names above."""
    return any(NPY.match(file.name) or NPZ.match(file.name) for file in folder.iterdir())


def open_parts(folder: Path) -> dict[str, list[Part]]:
    """Memory-map the images of all shards in ``folder`` and read their labels.

    Returns:
        ``train`` and ``test``: the shards in order.

    Raises:
        ValueError: a shard is missing, has no partner, is broken or compressed; the message names it.
    """
    names = sorted((file.name for file in folder.iterdir()), key=_number_key)
    return {part: _open_part(folder, names, part) for part in ("train", "test")}


def _open_part(folder: Path, names: list[str], part: str) -> list[Part]:
    arrays: dict[str, dict[str | None, str]] = {"x": {}, "y": {}, "npz": {}}  # by suffix
    for name in names:
        if (match := NPY.match(name)) and match[2] == part:
            arrays[match[1]][match[3]] = name
        elif (match := NPZ.match(name)) and match[1] == part:
            arrays["npz"][match[2]] = name
    images, labels, packed = arrays.values()
    for suffix in images.keys() ^ labels.keys():
        name = images.get(suffix) or labels[suffix]
        partner = ("y" if name.startswith("x") else "x") + name[1:]
        raise ValueError(f"{folder / name}: expected {partner} beside it; found none")
    if not images and not packed:
        raise ValueError(f"{folder}: no {part} images; expected x_{part}.npy, or x_{part}-00000.npy and so on")
    if (images and packed) or (None in images and len(images) > 1):
        both = ", ".join([*images.values(), *packed.values()][:4])
        raise ValueError(
            f"{folder}: {both} ...; expected the {part} images once: as one file, or as shards of one kind"
        )
    _check_numbers(folder, images or packed)
    pairs = [(folder / name, _map(folder / name), np.array(_map(folder / labels[key]))) for key, name in images.items()]
    return pairs + [_open_npz(folder / name, part) for name in packed.values()]


def _number_key(name: str) -> list[Any]:
    """Sort ``shard-10`` after ``shard-9``."""
    return [(not text.isdigit(), int(text) if text.isdigit() else 0, text) for text in re.split(r"(\d+)", name)]


def _check_numbers(folder: Path, shards: dict[str | None, str]) -> None:
    """Refuse a gap in numbered shards, so that nobody trains on part of the data without noticing."""
    numbers = [int(match[1]) for suffix in shards if (match := re.match(r"(\d+)(?:-of-\d+)?$", suffix or ""))]
    if len(numbers) != len(shards):
        return
    for number in range(numbers[0], numbers[-1]):
        if number not in numbers:
            raise ValueError(
                f"{folder}: shard {number} is missing; found {len(numbers)} from {numbers[0]} to {numbers[-1]}"
            )
    suffix = next(iter(shards)) or ""
    if "-of-" in suffix and len(numbers) != (expected := int(suffix.split("-of-")[1])):
        raise ValueError(f"{folder}: found {len(numbers)} shards, expected {expected}, as {shards[suffix]} says")


def _map(path: Path) -> NDArray[Any]:
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        reason = str(error).splitlines()[0] if str(error) else "the file ends too early"
        raise ValueError(f"{path}: not an array: {reason}") from error


def _open_npz(path: Path, part: str) -> Part:
    try:
        with zipfile.ZipFile(path) as archive:
            members = {name.removesuffix(".npy"): name for name in archive.namelist()}
            found = []
            for keys in (("x", f"x_{part}", "images"), ("y", f"y_{part}", "labels")):
                key = next((key for key in keys if key in members), None)
                if key is None:
                    raise ValueError(f"no {keys[0]}; found {', '.join(members) or 'nothing'}, expected x and y")
                found.append(_map_member(path, archive.getinfo(members[key])))
    except (ValueError, OSError, EOFError, struct.error, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: not a shard: {str(error).splitlines()[0]}") from error
    return path, found[0], np.array(found[1])


def _map_member(path: Path, member: zipfile.ZipInfo) -> NDArray[Any]:
    """Memory-map an array that is stored uncompressed in a zip file, after its local header and its ``.npy`` header."""
    if member.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{member.filename} is compressed, so it cannot be memory-mapped; write it with np.savez")
    with path.open("rb") as file:
        file.seek(member.header_offset)
        header = file.read(30)  # ends with the lengths of the name and of the extra field that follow it
        if header[:4] != b"PK\x03\x04":
            raise ValueError(f"{member.filename} is not at the offset that the archive states")
        file.seek(sum(struct.unpack("<HH", header[26:])), 1)
        reader = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(npy.read_magic(file))
        if reader is None:
            raise ValueError(f"{member.filename} has an unknown .npy version; expected 1.0 or 2.0")
        shape, fortran, dtype = reader(file)
        if dtype.hasobject:
            raise ValueError("it contains pickled objects, which could run code; expected plain arrays")
        if fortran and len(shape) > 1:
            raise ValueError(
                f"{member.filename} is in Fortran order; expected C order: save np.ascontiguousarray(array)"
            )
        return np.memmap(path, dtype, "r", file.tell(), shape)
