"""A picture -> the number in it: the digits found, framed as MNIST's, and read by a network. NumPy and Pillow alone."""

from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from study_keras.mnist.framing import box_of, frame
from study_keras.mnist.images import MOST_PIXELS, prepare, read_image
from study_keras.mnist.networks import Network, load_network
from study_keras.mnist.segmentation import Box, find_digits

__all__ = ["Network", "load_network", "read_digits"]

NO_DIGIT = 0.3  # a blob whose best class has less than this is no digit
CERTAIN = 0.8  # below this the answer is marked as uncertain


def read_digits(
    source: str | Path | bytes | BinaryIO, network: Network, most_pixels: int = MOST_PIXELS
) -> dict[str, Any]:
    """Read the digits in a picture, line by line from the left.

    Args:
        source: a picture as ``images.read_image`` takes it; one of MNIST's own passes to the network unchanged.
        network: as ``load_network`` gives it.
        most_pixels: refuse a larger picture before it is unpacked.

    Returns:
        ``text``: the digits in reading order, lines parted by a line feed, "" where the ink is no digit;
        ``digits``: for each its ``digit``, ``probability``, ``probabilities``, ``box`` (left, top, right, bottom
        in pixels of the picture turned upright, the last two exclusive) and ``certain``, whether the probability
        is at least ``CERTAIN``. Ready for JSON.

    Raises:
        ValueError: the picture cannot be read, or has no ink.
    """
    grey = read_image(source, most_pixels)
    found = _framed(grey)
    probabilities = network(np.array([image for _, image in found]))
    digits = [_answer(box, row) for (box, _), row in zip(found, probabilities, strict=True) if row.max() >= NO_DIGIT]
    return {"text": "".join(str(digit["digit"]) for digit in digits), "digits": digits}


def _framed(grey: NDArray[np.float32]) -> list[tuple[Box, NDArray[np.float32]]]:
    """Return box and ``(28, 28)`` image of each digit."""
    if grey.shape == (28, 28):
        image = prepare(grey)
        return [(box_of(image > 0), image)]
    return [(box, frame(ink)) for box, ink in find_digits(grey)]


def _answer(box: Box, row: NDArray[np.float32]) -> dict[str, Any]:
    best = int(row.argmax())
    return {
        "digit": best,
        "probability": float(row[best]),
        "probabilities": [float(value) for value in row],
        "box": [int(side) for side in box],
        "certain": bool(row[best] >= CERTAIN),
    }
