"""Folders of arrays that stay on the disk: four ``.npy`` files, or shards of them, or ``.npz`` shards. NumPy alone.

Names: ``x_train.npy``, or ``x_train-00000.npy``, ``x_train-00001.npy`` and so on, each with a ``y_train`` of the same
ending, and ``x_test`` in the same way; or ``train-00000.npz`` and ``test-00000.npz`` with the arrays ``x`` and ``y``.
Shards come one after the other as their numbers say.
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
Part = tuple[Path, NDArray[Any], NDArray[Any]]  # where it comes from, images, labels


def has_parts(folder: Path) -> bool:
    """Tell whether a file in ``folder`` is named as described above."""
    return any(NPY.match(file.name) or NPZ.match(file.name) for file in folder.iterdir())


def open_parts(folder: Path) -> dict[str, list[Part]]:
    """Map the images of all shards in ``folder`` and read their labels.

    Returns:
        ``train`` and ``test``: the shards in their order.

    Raises:
        ValueError: a shard is missing, has no partner, is broken or compressed; the text names it.
    """
    names = sorted((file.name for file in folder.iterdir()), key=_number_key)
    parts: dict[str, list[Part]] = {}
    for part in ("train", "test"):
        pairs = {
            match[3]: name for name in names if (match := NPY.match(name)) and match[1] == "x" and match[2] == part
        }
        labels = {
            match[3]: name for name in names if (match := NPY.match(name)) and match[1] == "y" and match[2] == part
        }
        packed = {match[2]: name for name in names if (match := NPZ.match(name)) and match[1] == part}
        for ending in [*pairs, *labels]:
            if (ending in pairs) != (ending in labels):
                name = pairs.get(ending) or labels[ending]
                other = name.replace("x_", "y_", 1) if name.startswith("x_") else name.replace("y_", "x_", 1)
                raise ValueError(f"{folder / name}: expected {other} beside it; found none")
        if not pairs and not packed:
            raise ValueError(f"{folder}: no {part} images; expected x_{part}.npy, or x_{part}-00000.npy and so on")
        if (pairs and packed) or (None in pairs and len(pairs) > 1):
            both = ", ".join([*pairs.values(), *packed.values()][:4])
            raise ValueError(
                f"{folder}: {both} ...; expected the {part} images once: as one file, or as shards of one kind"
            )
        _check_numbers(folder, pairs or packed)
        parts[part] = [_open_pair(folder, pairs[ending], labels[ending]) for ending in pairs]
        parts[part] += [_open_npz(folder / name, part) for name in packed.values()]
    return parts


def _number_key(name: str) -> list[Any]:
    """Sort ``shard-10`` behind ``shard-9``."""
    return [(not text.isdigit(), int(text) if text.isdigit() else 0, text) for text in re.split(r"(\d+)", name)]


def _check_numbers(folder: Path, shards: dict[str | None, str]) -> None:
    """Refuse a gap in shards that are counted: a training on a part of the data would look like one on all."""
    numbers = [int(match[1]) for ending in shards if (match := re.match(r"(\d+)(?:-of-\d+)?$", ending or ""))]
    if len(numbers) != len(shards):
        return
    for number in range(numbers[0], numbers[-1]):
        if number not in numbers:
            raise ValueError(
                f"{folder}: shard {number} is missing; found {len(numbers)} from {numbers[0]} to {numbers[-1]}"
            )
    ending = next(iter(shards)) or ""
    if "-of-" in ending and len(numbers) != (expected := int(ending.split("-of-")[1])):
        raise ValueError(f"{folder}: found {len(numbers)} shards, expected {expected}, as {shards[ending]} says")


def _open_pair(folder: Path, images: str, labels: str) -> Part:
    return folder / images, _map(folder / images), np.array(_map(folder / labels))


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
    """Map the array that lies in a zip file as it is: behind the local header of its entry and that of ``.npy``."""
    if member.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{member.filename} is compressed, so it cannot stay on the disk; write it with np.savez")
    with path.open("rb") as file:
        file.seek(member.header_offset)
        header = file.read(30)  # its last four bytes: the lengths of the name and of the extra field behind it
        if header[:4] != b"PK\x03\x04":
            raise ValueError(f"{member.filename} is not where the file says")
        file.seek(sum(struct.unpack("<HH", header[26:])), 1)
        reader = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(npy.read_magic(file))
        if reader is None:
            raise ValueError(f"{member.filename} is an .npy of a version that is not known here")
        shape, fortran, dtype = reader(file)
        if dtype.hasobject:
            raise ValueError("it holds pickled objects, which could run code; expected plain arrays")
        if fortran and len(shape) > 1:
            raise ValueError(f"{member.filename} is in Fortran's order; expected C's: np.ascontiguousarray")
        return np.memmap(path, dtype, "r", file.tell(), shape)
