"""The digits: MNIST out of the package, or any data set in MNIST's own formats.

A data set is ``(x_train, y_train), (x_test, y_test)``: images ``(n, 28, 28)`` uint8 from 0 (paper) to 255
(ink), labels ``(n,)`` of whole numbers from 0.
"""

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from study_keras.data.lazy_array import Shards, choose
from study_keras.data.readers import array_folder, idx

Images = NDArray[Any]
Labels = NDArray[Any]
Dataset = tuple[tuple[Images, Labels], tuple[Images, Labels]]

KEYS = ("x_train", "y_train", "x_test", "y_test")


def load_data(path: str | Path | None = None) -> Dataset:
    """Load MNIST from inside the package, or another data set from ``path``.

    A drop-in for ``keras.datasets.mnist.load_data()``: the same arrays in the same order, without network
    and without Keras. No file is ever changed or removed.

    Args:
        path: an ``.npz`` as Keras writes it (keys x_train, y_train, x_test, y_test); a folder with these four as
            ``.npy`` files, or with shards as ``disk`` names them, whose images stay on the disk, so that they may be
            larger than memory; a folder with the four IDX files of MNIST, Fashion-MNIST, KMNIST, QMNIST or EMNIST,
            plain or ``.gz``; or, where a folder holds several such sets, one of a set's files.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: images ``(n, 28, 28)`` uint8, labels ``(n,)`` integers,
        uint8 where the file has bytes. MNIST: 60,000 and 10,000. Images on the disk are a ``numpy.memmap`` or
        ``Shards``, which behave like an array where they are sliced.

    Raises:
        ValueError: the path is missing, broken or not such a data set; the text names the file.
    """
    path = Path(__file__).with_name("mnist.npz") if path is None else Path(path)
    if path.is_dir():
        return _load_folder(path) if array_folder.has_parts(path) else _load_idx(path)
    if path.is_file():
        prefix = idx.prefix_of(path)
        return _load_npz(path) if prefix is None else _load_idx(path.parent, prefix)
    raise ValueError(f"{path}: no such file or folder; expected an .npz file, or a folder of IDX files, .npy or shards")


def class_count(data: Dataset) -> int:
    """Return the number of classes: the largest label of both parts, and one more for the label 0."""
    (_, y_train), (_, y_test) = data
    return int(max(y_train.max(), y_test.max())) + 1


def scale(images: Images) -> NDArray[np.float32]:
    """Turn ``(n, 28, 28)`` uint8 into float32 in [0, 1]."""
    return np.divide(images, 255, dtype=np.float32)


def training_count(count: int, validation: float) -> int:
    """Return how many of ``count`` training images remain when the fraction ``validation`` is held out."""
    return count - round(count * validation)


def split(images: Images, labels: Labels, validation: float) -> Dataset:
    """Hold out the fraction ``validation`` of a training set: ``(training part), (validation part)``.

    The images are drawn with a fixed seed of its own, so that runs with different seeds are judged on the
    same ones, and a data set that is sorted by label is split fairly.

    Raises:
        ValueError: the fraction leaves no image on one of the sides.
    """
    held_out = len(images) - training_count(len(images), validation)
    if not 0 < held_out < len(images):
        raise ValueError(
            f"validation={validation} holds out {held_out} of {len(images)} images; choose a fraction "
            "between 0 and 1 that leaves images for both training and validation"
        )
    order = np.random.default_rng(0).permutation(len(images))
    validating, training = np.sort(order[:held_out]), np.sort(order[held_out:])
    return (choose(images, training), labels[training]), (choose(images, validating), labels[validating])


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


def _load_folder(folder: Path) -> Dataset:
    parts = []
    for part, found in array_folder.open_parts(folder).items():
        checked = [_check(images, labels, str(path)) for path, images, labels in found]
        images: Any = checked[0][0] if len(checked) == 1 else Shards([one for one, _ in checked])
        parts.append((images, np.concatenate([labels for _, labels in checked])))
        _check(*parts[-1], f"{folder} ({part})")
    return parts[0], parts[1]


def _load_idx(folder: Path, prefix: str | None = None) -> Dataset:
    parts = idx.read_folder(folder, prefix)
    train, test = (_check(*parts[part], f"{folder} ({part})") for part in ("train", "test"))
    return train, test


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
