"""IDX files, the format of MNIST, Fashion-MNIST, KMNIST, QMNIST and EMNIST. Uses only NumPy."""

import gzip
import os
import re
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from study_keras import limits
from study_keras.data.readers import npy

# The third byte of an IDX file is the data type, big-endian. Source: "The IDX file format" on MNIST's page.
DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
# t10k-labels.idx1-ubyte.gz, emnist-letters-test-images-idx3-ubyte, qmnist-test-labels-idx2-int
NAME = re.compile(r"(?:^|-)(train|t10k|test)-(images|labels)[-.]idx(\d)-\w+(\.gz)?$")


def prefix_of(path: Path) -> str | None:
    """Return the prefix of a dataset's file names, such as ``emnist-letters-``, or None if it is no such name."""
    match = NAME.search(path.name)
    return path.name[: match.start(1)] if match else None


def read_folder(folder: Path, prefix: str | None = None) -> dict[str, tuple[NDArray[Any], NDArray[Any]]]:
    """Read the four files of a dataset, and convert the layouts of EMNIST and QMNIST to that of MNIST.

    EMNIST stores images transposed and numbers its letters from 1; QMNIST's labels are rows of eight numbers: the
    class, and the origin of the image.

    Args:
        prefix: of the file names, if the folder contains several datasets.

    Returns:
        ``train`` and ``test``: images and labels.

    Raises:
        ValueError: a file is missing, ambiguous or broken; the message names it.
    """
    found: dict[tuple[str, str], list[Path]] = {}
    for file in sorted(folder.iterdir()):
        if (match := NAME.search(file.name)) and prefix in (None, prefix_of(file)):
            part = "train" if match[1] == "train" else "test"
            found.setdefault((part, match[2]), []).append(file)
    parts = {}
    for part in ("train", "test"):
        images, labels = (_only(folder, part, kind, found.get((part, kind), [])) for kind in ("images", "labels"))
        parts[part] = (_read_images(images), _read_labels(labels))
    return parts


def label_files(folder: Path, prefix: str | None = None) -> list[Path]:
    """Return the files of training labels in ``folder``."""
    found = [(file, NAME.search(file.name)) for file in sorted(folder.iterdir())]
    of_prefix = [(file, match) for file, match in found if match and prefix in (None, prefix_of(file))]
    return [file for file, match in of_prefix if match.group(1, 2) == ("train", "labels")]


def _only(folder: Path, part: str, kind: str, files: list[Path]) -> Path:
    # An unpacked file and its .gz are the same file.
    files = [file for file in files if file.suffix != ".gz" or file.with_suffix("") not in files]
    if len(files) == 1:
        return files[0]
    usual = f"{'train' if part == 'train' else 't10k'}-{kind}-idx{3 if kind == 'images' else 1}-ubyte"
    several = f"; choose a dataset by naming one of its files: {files[0]}" if files else ""
    raise ValueError(
        f"{folder}: expected one file of {part} {kind}, such as {usual} or the same with .gz; "
        f"found {', '.join(file.name for file in files) or 'none'}{several}"
    )


def _read_images(path: Path) -> NDArray[Any]:
    images = read(path, 3)
    if not path.name.startswith("emnist"):
        return images
    limits.take(images.nbytes, f"{path}: turning its images")
    return images.transpose(0, 2, 1).copy()


def _read_labels(path: Path) -> NDArray[Any]:
    match = NAME.search(path.name)
    if match and match[3] == "2":  # QMNIST
        rows = read(path, 2)
        if not rows.shape[1]:
            raise ValueError(f"{path}: rows without numbers; expected the class as the first number")
        return rows[:, 0].copy()
    labels = read(path, 1)
    if path.name.startswith("emnist-letters"):
        if len(labels) and labels.min() < 1:
            raise ValueError(f"{path}: a label is {labels.min()}; expected EMNIST's letters, numbered from 1")
        labels -= 1
    return labels


def read(path: Path, rank: int) -> NDArray[Any]:
    """Read an IDX file: 0, 0, dtype, rank, then ``rank`` sizes as big-endian uint32, then the values."""
    try:
        with limits.open_file(path) as raw:
            zipped = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            if not zipped:
                return _read(raw, rank, os.fstat(raw.fileno()).st_size)
            with gzip.GzipFile(fileobj=raw) as file:
                return _read(file, rank, None)
    except (ValueError, OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path}: {error}") from error


def _read(file: Any, rank: int, size: int | None) -> NDArray[Any]:
    """Read an unpacked file; ``size`` is its size in bytes, None if only unpacking it tells."""
    header = file.read(4 + 4 * rank)
    magic = header[:4]
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in DTYPES or magic[3] != rank:
        expected = bytes([0, 0, 0x08, rank]).hex()
        raise ValueError(f"magic number 0x{magic.hex()}, expected 0x{expected}: not an IDX file of rank {rank}")
    if len(header) < 4 + 4 * rank:
        raise ValueError(f"truncated: the header has {len(header)} bytes, expected {4 + 4 * rank}")
    shape, dtype = struct.unpack(f">{rank}I", header[4:]), np.dtype(DTYPES[magic[2]])
    expected_bytes = limits.byte_count(shape, dtype.itemsize)
    if size is not None and size - len(header) != expected_bytes:
        problem = "truncated" if size - len(header) < expected_bytes else "too long"
        raise ValueError(f"{problem}: {size - len(header)} bytes of data, expected {expected_bytes} for shape {shape}")
    array = npy.read_values(file, shape, dtype)
    if file.read(1):
        raise ValueError(f"too long: more than {expected_bytes} bytes of data, expected as many for shape {shape}")
    return array if dtype.isnative else array.byteswap(inplace=True).view(dtype.newbyteorder("="))
