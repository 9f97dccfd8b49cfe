"""Folders of arrays that stay on the disk: four ``.npy`` files, shards of them, or ``.npz`` shards. Uses only NumPy.

File names: ``x_train.npy``, or ``x_train-00000.npy``, ``x_train-00001.npy`` and so on, each with a ``y_train`` of the
same suffix, and ``x_test`` likewise; or ``train-00000.npz`` and ``test-00000.npz`` with the arrays ``x`` and ``y``.
Shards are concatenated in numerical order.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from study_keras import limits
from study_keras.data.readers import npy

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
    pairs = [(folder / name, _map(folder / name), _labels(_map(folder / labels[key]))) for key, name in images.items()]
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
        return npy.memory_map(path)
    except (ValueError, OSError) as error:
        raise ValueError(f"{path}: not an array: {error}") from error


def _labels(array: NDArray[Any]) -> NDArray[Any]:
    limits.take(array.nbytes, f"an array of {len(array):,} labels" if array.ndim else "an array")
    return np.array(array)


def _open_npz(path: Path, part: str) -> Part:
    try:
        members = npy.entry_names(path)
        found = []
        for keys in (("x", f"x_{part}", "images"), ("y", f"y_{part}", "labels")):
            key = next((key for key in keys if key in members), None)
            if key is None:
                raise ValueError(f"no {keys[0]}; found {', '.join(members) or 'nothing'}, expected x and y")
            found.append(npy.memory_map(path, *npy.entry_place(path, members[key])))
        return path, found[0], _labels(found[1])
    except (ValueError, OSError) as error:
        raise ValueError(f"{path}: not a shard: {error}") from error
