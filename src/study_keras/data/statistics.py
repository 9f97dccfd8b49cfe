"""Statistics of a dataset: class sizes, duplicates, contradicting labels, ink. Uses only NumPy."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from study_keras.data.class_names import class_name
from study_keras.data.dataset import Dataset, Images, Labels, class_count
from study_keras.data.lazy_array import CHUNK_ROWS, read_rows


def describe_data(dataset: Dataset, names: Sequence[str] | None = None) -> dict[str, Any]:
    """Count a dataset's images, classes, duplicates and contradicting labels, and measure its ink.

    Images are compared by a 64-bit hash of their bytes: among 4 million different images, two collide with a
    probability of 4e-7. 8 bytes per image are kept, so that the dataset may be larger than memory.

    Args:
        names: of the classes, as ``find_class_names`` returns them.

    Returns:
        Ready for JSON: ``training_images`` and ``test_images``; ``shape`` and ``dtype`` of an image; ``classes``: the
        ``label``, ``name`` and number of ``training`` and ``test`` images of each; ``balance``: the training images of
        the rarest class divided by those of the most common one, in [0, 1]; ``duplicates``: how many images of
        ``training`` and of ``test`` occur earlier in the same part, and how many test images occur ``in_both``;
        ``conflicts``: how many different images occur with more than one label; ``ink``, of the training images:
        ``mean`` and ``deviation`` of the pixels in [0, 1], the fraction of pixels that are ``touched``, and how many
        images are ``blank``.
    """
    (x_train, y_train), (x_test, y_test) = dataset
    (hashes, ink), (test_hashes, _) = _scan(x_train), _scan(x_test)
    count = max(class_count(dataset), len(names or ()))
    training, test = (np.bincount(labels, minlength=count).tolist() for labels in (y_train, y_test))
    return {
        "training_images": len(x_train),
        "test_images": len(x_test),
        "shape": list(x_train.shape[1:]),
        "dtype": str(x_train.dtype),
        "classes": [
            {"label": label, "name": class_name(label, names), "training": training[label], "test": test[label]}
            for label in range(count)
        ],
        "balance": min(training) / max(training),
        "duplicates": {
            "training": len(hashes) - len(np.unique(hashes)),
            "test": len(test_hashes) - len(np.unique(test_hashes)),
            "in_both": int(np.isin(test_hashes, hashes).sum()),
        },
        "conflicts": _count_conflicts(np.concatenate([hashes, test_hashes]), np.concatenate([y_train, y_test])),
        "ink": ink,
    }


def _scan(images: Images) -> tuple[NDArray[np.uint64], dict[str, Any]]:
    """Return a hash of each image, and the ink of all images."""
    hashes = np.empty(len(images), np.uint64)
    histogram = np.zeros(256, np.int64)  # of the pixel values
    blank = 0
    for start in range(0, len(images), CHUNK_ROWS):
        chunk = np.ascontiguousarray(read_rows(images, start, start + CHUNK_ROWS)).reshape(-1, 28 * 28)
        digests = b"".join(blake2b(image.data, digest_size=8).digest() for image in chunk)
        hashes[start : start + len(chunk)] = np.frombuffer(digests, np.uint64)
        histogram += np.bincount(chunk.reshape(-1), minlength=256)
        blank += int((chunk.max(axis=1) == 0).sum())
    values, pixels = np.arange(256) / 255, histogram.sum()
    mean = float(histogram @ values / pixels)
    deviation = float(np.sqrt(histogram @ (values - mean) ** 2 / pixels))
    return hashes, {"mean": mean, "deviation": deviation, "touched": float(1 - histogram[0] / pixels), "blank": blank}


def _count_conflicts(hashes: NDArray[np.uint64], labels: Labels) -> int:
    order = np.lexsort((labels, hashes))
    hashes, labels = hashes[order], labels[order]
    differ = (hashes[1:] == hashes[:-1]) & (labels[1:] != labels[:-1])
    return len(np.unique(hashes[1:][differ]))
