"""The images that the page trains on: all of MNIST from the server, a sample of it inside the page as one file."""

import io
from pathlib import Path

import numpy as np

from study_keras.data import dataset
from study_keras.data.dataset import Images, Labels

MNIST = Path(dataset.__file__).with_name("mnist.npz")
TRAINING, TEST = 300, 50  # images of each digit in the sample
LEVELS = 8  # of grey: a third of the bytes of 256, and no difference that the test accuracy shows


def pack_sample() -> bytes:
    """Return the sample as an ``.npz`` file with the same arrays as MNIST's own.

    The images of each class are drawn at random: the first half of MNIST's test images is easier than the second.
    """
    (x_train, y_train), (x_test, y_test) = dataset.load_data()
    train, test = _draw(y_train, TRAINING), _draw(y_test, TEST)
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        x_train=_coarse(x_train[train]),
        y_train=y_train[train],
        x_test=_coarse(x_test[test]),
        y_test=y_test[test],
    )
    return buffer.getvalue()


def _draw(labels: Labels, count: int) -> Labels:
    """Return the places of ``count`` images of each digit."""
    random = np.random.default_rng(0)
    drawn = [random.choice(np.flatnonzero(labels == digit), count, replace=False) for digit in range(10)]
    return np.sort(np.concatenate(drawn))


def _coarse(images: Images) -> Images:
    step = 255 / (LEVELS - 1)
    return np.round(np.round(images / step) * step).astype(np.uint8)
