"""Loading, checking and splitting MNIST or any dataset in the same formats.

A dataset is ``(x_train, y_train), (x_test, y_test)``: images ``(n, 28, 28)`` uint8 from 0 (paper) to 255
(ink), labels ``(n,)`` integers from 0.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from study_keras import limits
from study_keras.data.lazy_array import LazyArray, take_rows
from study_keras.data.readers import array_folder, idx, npz

Images = NDArray[Any]
Labels = NDArray[Any]
Dataset = tuple[tuple[Images, Labels], tuple[Images, Labels]]


@limits.reader
def load_data(path: str | Path | None = None) -> Dataset:
    """Load MNIST from inside the package, or another dataset from ``path``.

    A replacement for ``keras.datasets.mnist.load_data()``: the same arrays in the same order, without network
    and without Keras. No file is ever changed or removed.

    Args:
        path: an ``.npz`` as Keras writes it (keys x_train, y_train, x_test, y_test); a folder with these four as
            ``.npy`` files, or with shards as ``readers.array_folder`` names them, whose images stay on the disk, so
            that they may be larger than memory; a folder with the four IDX files of MNIST, Fashion-MNIST, KMNIST,
            QMNIST or EMNIST, plain or ``.gz``; or, if a folder contains several such datasets, one file of a dataset.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: images ``(n, 28, 28)`` uint8, labels ``(n,)`` integers,
        uint8 if the file stores bytes. MNIST: 60,000 and 10,000. Images on the disk are a ``numpy.memmap`` or a
        ``LazyArray``, which can be sliced like an array.

    Raises:
        ValueError: the path is missing, broken or not such a dataset; the message names the file.
    """
    path = Path(__file__).with_name("mnist.npz") if path is None else Path(path)
    if path.is_dir():
        return _load_folder(path) if array_folder.has_parts(path) else _load_idx(path)
    if not path.exists():
        raise ValueError(
            f"{path}: no such file or folder; expected an .npz file, or a folder of IDX files, .npy or shards"
        )
    prefix = idx.prefix_of(path)
    if prefix is not None:
        return _load_idx(path.parent, prefix)
    x_train, y_train, x_test, y_test = npz.read(path)
    return _check(x_train, y_train, f"{path} (train)"), _check(x_test, y_test, f"{path} (test)")


def class_count(data: Dataset) -> int:
    """Return the number of classes: the largest label of both parts plus one."""
    (_, y_train), (_, y_test) = data
    return int(max(y_train.max(), y_test.max())) + 1


def scale(images: Images) -> NDArray[np.float32]:
    """Convert ``(n, 28, 28)`` uint8 to float32 in [0, 1]."""
    return np.divide(images, 255, dtype=np.float32)


def training_count(count: int, validation: float) -> int:
    """Return how many of ``count`` training images remain when the fraction ``validation`` is held out."""
    return count - round(count * validation)


def split(images: Images, labels: Labels, validation: float) -> Dataset:
    """Hold out the fraction ``validation`` of a training set: ``(training part), (validation part)``.

    The images are drawn with a fixed seed, so that runs with different seeds are validated on the same images, and
    a dataset that is sorted by label is split evenly.

    Raises:
        ValueError: the fraction leaves no image on one of the sides.
    """
    held_out = len(images) - training_count(len(images), validation)
    if not 0 < held_out < len(images):
        raise ValueError(
            f"validation={validation} holds out {held_out} of {len(images)} images; choose a fraction "
            "between 0 and 1 that leaves images for both training and validation"
        )
    validating, training = np.split(np.random.default_rng(0).permutation(len(images)), [held_out])
    return _rows(images, labels, training), _rows(images, labels, validating)


def draw(images: Images, labels: Labels, count: int) -> tuple[Images, Labels]:
    """Return ``count`` images and their labels, drawn with a fixed seed, in their order.

    Raises:
        ValueError: there are fewer.
    """
    if count > len(images):
        raise ValueError(f"received {count} images to draw, expected at most the {len(images)} training images")
    return _rows(images, labels, np.random.default_rng(1).permutation(len(images))[:count])


def _rows(images: Images, labels: Labels, chosen: NDArray[np.int64]) -> tuple[Images, Labels]:
    chosen = np.sort(chosen)
    return take_rows(images, chosen), labels[chosen]


def _load_folder(folder: Path) -> Dataset:
    parts = []
    for part, found in array_folder.open_parts(folder).items():
        checked = [_check(images, labels, str(path)) for path, images, labels in found]
        images: Any = checked[0][0] if len(checked) == 1 else LazyArray([one for one, _ in checked])
        parts.append(_check(images, np.concatenate([labels for _, labels in checked]), f"{folder} ({part})"))
    return parts[0], parts[1]


def _load_idx(folder: Path, prefix: str | None = None) -> Dataset:
    parts = idx.read_folder(folder, prefix)
    train, test = (_check(*parts[part], f"{folder} ({part})") for part in ("train", "test"))
    return train, test


def _check(images: NDArray[Any], labels: NDArray[Any], source: str) -> tuple[Images, Labels]:
    if images.ndim != 3 or images.shape[1:] != (28, 28) or len(images) == 0:
        raise ValueError(f"{source}: images of shape {images.shape}, expected (n, 28, 28) with n at least 1")
    if images.dtype != np.uint8:
        raise ValueError(f"{source}: images of dtype {images.dtype}, expected uint8 from 0 to 255")
    if labels.shape != (len(images),):
        raise ValueError(
            f"{source}: {len(images)} images but labels of shape {labels.shape}, expected ({len(images)},)"
        )
    if not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(f"{source}: labels of dtype {labels.dtype}, expected whole numbers (an integer dtype)")
    if labels.min() < 0:
        raise ValueError(f"{source}: a label is {labels.min()}, expected whole numbers from 0")
    if labels.max() >= limits.MAX_CLASSES:
        raise ValueError(f"{source}: a label is {labels.max()}, expected at most {limits.MAX_CLASSES - 1:,}")
    return images, labels
