"""The digits: MNIST out of the package, or any data set in MNIST's own formats.

A data set is ``(x_train, y_train), (x_test, y_test)``: images ``(n, 28, 28)`` uint8 from 0 (paper) to 255
(ink), labels ``(n,)`` of whole numbers from 0.
"""

import gzip
import re
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Images = NDArray[Any]
Labels = NDArray[Any]
Dataset = tuple[tuple[Images, Labels], tuple[Images, Labels]]

KEYS = ("x_train", "y_train", "x_test", "y_test")
# The third byte of an IDX file names its numbers, big-endian. Source: "The IDX file format" on MNIST's page.
IDX_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
# train-images-idx3-ubyte, t10k-labels.idx1-ubyte.gz, emnist-letters-test-images-idx3-ubyte ...
IDX_NAME = re.compile(r"(?:^|-)(train|t10k|test)-(images|labels)[-.]idx\d-\w+(\.gz)?$")


def load_data(path: str | Path | None = None) -> Dataset:
    """Load MNIST from inside the package, or another data set from ``path``.

    A drop-in for ``keras.datasets.mnist.load_data()``: the same arrays in the same order, without network
    and without Keras. No file is ever changed or removed.

    Args:
        path: an ``.npz`` as Keras writes it (keys x_train, y_train, x_test, y_test), a folder with these four as
            ``.npy`` files, which stay on the disk (``numpy.memmap``) so that they may be larger than memory, or a
            folder with the four IDX files of MNIST, Fashion-MNIST, KMNIST or EMNIST, plain or ``.gz``.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: images ``(n, 28, 28)`` uint8, labels ``(n,)`` integers,
        uint8 where the file has bytes. MNIST: 60,000 and 10,000.

    Raises:
        ValueError: the path is missing, broken or not such a data set; the text names the file.
    """
    path = Path(__file__).with_name("mnist.npz") if path is None else Path(path)
    if path.is_dir() and any((path / f"{key}.npy").exists() for key in KEYS):
        return _load_npy_folder(path)
    if path.is_dir():
        return _load_idx_folder(path)
    if path.is_file():
        return _load_npz(path)
    raise ValueError(f"{path}: no such file or folder; expected an .npz file or a folder of four IDX or .npy files")


def class_count(data: Dataset) -> int:
    """Return the number of classes: the largest label of both parts, and one more for the label 0."""
    (_, y_train), (_, y_test) = data
    return int(max(y_train.max(), y_test.max())) + 1


def scale(images: Images) -> NDArray[np.float32]:
    """Turn ``(n, 28, 28)`` uint8 into float32 in [0, 1]."""
    return np.divide(images, 255, dtype=np.float32)


def split(images: Images, labels: Labels, validation: float) -> Dataset:
    """Hold out the fraction ``validation`` of a training set: ``(training part), (validation part)``.

    The images are drawn with a fixed seed of its own, so that runs with different seeds are judged on the
    same ones, and a data set that is sorted by label is split fairly.

    Raises:
        ValueError: the fraction leaves no image on one of the sides.
    """
    held_out = round(len(images) * validation)
    if not 0 < held_out < len(images):
        raise ValueError(
            f"validation={validation} holds out {held_out} of {len(images)} images; choose a fraction "
            "between 0 and 1 that leaves images for both training and validation"
        )
    order = np.random.default_rng(0).permutation(len(images))
    validating, training = np.sort(order[:held_out]), np.sort(order[held_out:])
    return (images[training], labels[training]), (images[validating], labels[validating])


def _load_npz(path: Path) -> Dataset:
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            missing = [key for key in KEYS if key not in file]
            if missing:
                found = ", ".join(file) or "nothing"
                raise ValueError(f"no {', '.join(missing)}; found {found}, expected {', '.join(KEYS)}")
            x_train, y_train, x_test, y_test = (file[key] for key in KEYS)
    except (
        ValueError,
        OSError,
        EOFError,
        AttributeError,
        TypeError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        reason = str(error).splitlines()[0] if str(error) else "the file ends too early"
        if "allow_pickle" in str(error):
            reason = "it holds pickled objects, which could run code; expected plain arrays"
        elif isinstance(error, (AttributeError, TypeError)):
            reason = "it holds a single array; expected an .npz with " + ", ".join(KEYS)
        raise ValueError(f"{path}: not a data set: {reason}") from error
    return _check(x_train, y_train, f"{path} (train)"), _check(x_test, y_test, f"{path} (test)")


def rows(array: NDArray[Any], start: int, stop: int) -> NDArray[Any]:
    """Return ``array[start:stop]``; of a memory-mapped file a copy, mapped for this moment alone.

    A page that was read counts as this process' memory until its mapping ends.
    """
    if type(array) is not np.memmap:
        return array[start:stop]
    stop = min(stop, len(array))
    shape = (stop - start, *array.shape[1:])
    offset = array.offset + start * array.itemsize * int(np.prod(array.shape[1:]))
    return np.array(np.memmap(str(array.filename), array.dtype, "r", offset, shape))


def _load_npy_folder(folder: Path) -> Dataset:
    arrays = []
    for key in KEYS:
        path = folder / f"{key}.npy"
        try:
            arrays.append(np.load(path, mmap_mode="r" if key.startswith("x") else None, allow_pickle=False))
        except (ValueError, OSError, EOFError) as error:
            raise ValueError(f"{path}: not an array: {str(error).splitlines()[0]}") from error
    x_train, y_train, x_test, y_test = arrays
    return _check(x_train, y_train, f"{folder} (train)"), _check(x_test, y_test, f"{folder} (test)")


def _load_idx_folder(folder: Path) -> Dataset:
    found: dict[tuple[str, str], list[Path]] = {}
    for file in sorted(folder.iterdir()):
        if match := IDX_NAME.search(file.name):
            part = "train" if match[1] == "train" else "test"
            found.setdefault((part, match[2]), []).append(file)
    parts = []
    for part, usual in (("train", "train"), ("test", "t10k")):
        arrays = []
        for kind, rank in (("images", 3), ("labels", 1)):
            files = found.get((part, kind), [])
            # An unpacked file beside its .gz is the same file.
            files = [file for file in files if file.suffix != ".gz" or file.with_suffix("") not in files]
            if len(files) != 1:
                names = ", ".join(file.name for file in files) or "none"
                raise ValueError(
                    f"{folder}: expected one file of {part} {kind}, such as {usual}-{kind}-idx{rank}-ubyte "
                    f"or the same with .gz; found {names}"
                )
            arrays.append(_read_idx(files[0], rank))
        images, labels = arrays
        if files[0].name.startswith("emnist"):  # EMNIST's images are stored transposed
            images = images.transpose(0, 2, 1).copy()
        parts.append(_check(images, labels, f"{folder} ({part})"))
    return parts[0], parts[1]


def _read_idx(path: Path, rank: int) -> NDArray[Any]:
    """Read an IDX file: 0, 0, dtype, rank, then ``rank`` sizes as big-endian uint32, then the numbers."""
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == b"\x1f\x8b"
        with gzip.open(path) if zipped else path.open("rb") as file:
            header = file.read(4 + 4 * rank)
            magic = header[:4]
            if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in IDX_DTYPES or magic[3] != rank:
                expected = bytes([0, 0, 0x08, rank]).hex()
                raise ValueError(f"magic number 0x{magic.hex()}, expected 0x{expected}: not an IDX file of rank {rank}")
            if len(header) < 4 + 4 * rank:
                raise ValueError(f"truncated: the header has {len(header)} bytes, expected {4 + 4 * rank}")
            shape = struct.unpack(f">{rank}I", header[4:])
            dtype = np.dtype(IDX_DTYPES[magic[2]])
            expected_bytes = int(np.prod(shape, dtype=object)) * dtype.itemsize
            body = file.read()
            if len(body) != expected_bytes:
                problem = "truncated" if len(body) < expected_bytes else "too long"
                raise ValueError(f"{problem}: {len(body)} bytes of data, expected {expected_bytes} for shape {shape}")
    except (ValueError, OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path}: {error}") from error
    return np.frombuffer(body, dtype).reshape(shape).astype(dtype.newbyteorder("="))


def _check(images: NDArray[Any], labels: NDArray[Any], where: str) -> tuple[Images, Labels]:
    if images.ndim != 3 or images.shape[1:] != (28, 28) or len(images) == 0:
        raise ValueError(f"{where}: images of shape {images.shape}, expected (n, 28, 28) with n at least 1")
    if images.dtype != np.uint8:
        raise ValueError(f"{where}: images of dtype {images.dtype}, expected uint8 from 0 to 255")
    if labels.shape != (len(images),):
        raise ValueError(f"{where}: {len(images)} images but labels of shape {labels.shape}, expected ({len(images)},)")
    if not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(f"{where}: labels of dtype {labels.dtype}, expected whole numbers (an integer dtype)")
    if labels.min() < 0:
        raise ValueError(f"{where}: a label is {labels.min()}, expected whole numbers from 0")
    return images, labels
