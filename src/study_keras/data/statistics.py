"""What a data set is: how much of what, what occurs twice, what contradicts itself. NumPy alone."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from study_keras.data.class_names import name_of
from study_keras.data.dataset import Dataset, Images, Labels
from study_keras.data.lazy_array import PIECE, rows


def describe_data(dataset: Dataset, names: Sequence[str] | None = None) -> dict[str, Any]:
    """Count a data set's images, classes, duplicates and contradictions, and measure its ink.

    Images are compared by a hash of 64 bits of their bytes: among 4 million different ones, two look the same with a
    probability of 4e-7. 8 bytes an image are kept, so that the set may be larger than memory.

    Args:
        names: of the classes, as ``names.class_names`` gives them.

    Returns:
        Ready for JSON: ``training_images`` and ``test_images``; ``shape`` and ``dtype`` of an image; ``classes``: the
        ``label``, ``name`` and number of ``training`` and ``test`` images of each; ``balance``: the training images of
        the rarest class for one of the commonest, in [0, 1]; ``duplicates``: how many images of ``training`` and of
        ``test`` occur earlier in the same part, and how many test images occur ``in_both``; ``conflicts``: how many
        different images occur with more than one label; ``ink``, of the training images: ``mean`` and ``deviation`` of
        the pixels in [0, 1], the share of pixels that are ``touched``, and how many images are ``blank``.
    """
    (x_train, y_train), (x_test, y_test) = dataset
    (seen, ink), (tested, _) = _read(x_train), _read(x_test)
    once, once_tested = np.unique(seen), np.unique(tested)
    count = int(max(y_train.max(), y_test.max())) + 1
    training, test = (np.bincount(labels, minlength=max(count, len(names or ()))) for labels in (y_train, y_test))
    classes = [
        {"label": label, "name": name_of(label, names), "training": int(training[label]), "test": int(test[label])}
        for label in range(len(training))
    ]
    return {
        "training_images": len(x_train),
        "test_images": len(x_test),
        "shape": list(x_train.shape[1:]),
        "dtype": str(x_train.dtype),
        "classes": classes,
        "balance": float(training.min() / training.max()),
        "duplicates": {
            "training": len(seen) - len(once),
            "test": len(tested) - len(once_tested),
            "in_both": int(np.isin(tested, once).sum()),
        },
        "conflicts": _conflicts(np.concatenate([seen, tested]), np.concatenate([y_train, y_test])),
        "ink": ink,
    }


def _read(images: Images) -> tuple[NDArray[np.uint64], dict[str, Any]]:
    """Return a hash of each image, and the ink of all."""
    marks = np.empty(len(images), np.uint64)
    levels = np.zeros(256, np.int64)  # how many pixels have each value
    blank = 0
    for start in range(0, len(images), PIECE):
        part = np.ascontiguousarray(rows(images, start, start + PIECE)).reshape(-1, 28 * 28)
        digests = b"".join(blake2b(image.data, digest_size=8).digest() for image in part)
        marks[start : start + len(part)] = np.frombuffer(digests, np.uint64)
        levels += np.bincount(part.reshape(-1), minlength=256)
        blank += int((part.max(axis=1) == 0).sum())
    values, pixels = np.arange(256) / 255, levels.sum()
    mean = float(levels @ values / pixels)
    deviation = float(np.sqrt(levels @ (values - mean) ** 2 / pixels))
    return marks, {"mean": mean, "deviation": deviation, "touched": float(1 - levels[0] / pixels), "blank": blank}


def _conflicts(marks: NDArray[np.uint64], labels: Labels) -> int:
    order = np.lexsort((labels, marks))
    marks, labels = marks[order], labels[order]
    differ = (marks[1:] == marks[:-1]) & (labels[1:] != labels[:-1])
    return len(np.unique(marks[1:][differ]))
