"""MNIST's normalization: scale the ink to 20 pixels and centre its mass in 28 x 28. Needs only NumPy.

``page/vision/normalize.js`` is the twin in JavaScript.
"""

import numpy as np
from numpy.typing import NDArray

from study_keras.vision.components import Mask
from study_keras.vision.levels import Grey


def is_mnist(grey: Grey) -> bool:
    """Return whether a picture is already normalized as MNIST's are; all 70,000 of them meet this rule.

    The rule: 28 x 28; the four corners are 0; the largest value is at least 254/255; the bounding box of what is not 0
    has a longer side of 19 or 20; its centre of mass is within 0.53 of (14, 14).
    """
    if grey.shape != (28, 28) or grey[::27, ::27].any() or grey.max() < np.float32(253.5 / 255):
        return False
    left, top, right, bottom = bounding_box(grey > 0)
    y, x = _centre_of_mass(grey.astype(np.float64))
    return 19 <= max(right - left, bottom - top) <= 20 and max(abs(y - 14), abs(x - 14)) < 0.53


def normalize(strength: NDArray[np.float64]) -> NDArray[np.float32]:
    """Crop, scale and centre ink: ``(h, w)`` in [0, 1], 0 for paper -> ``(28, 28)`` float32.

    Raises:
        ValueError: there is no ink.
    """
    if not strength.any():
        raise ValueError(f"no ink in a picture of shape {strength.shape}; expected values above 0")
    left, top, right, bottom = bounding_box(strength > 0)
    ink = strength[top:bottom, left:right].astype(np.float64)
    longer = max(ink.shape)
    height, width = (max(1, (40 * side + longer) // (2 * longer)) for side in ink.shape)  # 20 side / longer, rounded
    ink = resample(resample(ink, height).T, width).T
    ink = np.floor(ink / ink.max() * 255 + 0.5)
    y, x = _centre_of_mass(ink)
    top, left = min(max(int(np.floor(14.5 - y)), 0), 28 - height), min(max(int(np.floor(14.5 - x)), 0), 28 - width)
    image = np.zeros((28, 28), np.float32)
    image[top : top + height, left : left + width] = ink / 255
    return image


def bounding_box(mask: Mask) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom, the last two exclusive, of the true pixels of ``(h, w)``; at least one is."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _centre_of_mass(ink: NDArray[np.float64]) -> tuple[float, float]:
    """Return its row and its column."""
    rows, columns = np.cumsum(ink, axis=1)[:, -1], np.cumsum(ink, axis=0)[-1]
    mass = np.cumsum(rows)[-1]
    y, x = (np.cumsum(sums * np.arange(len(sums)))[-1] / mass for sums in (rows, columns))
    return float(y), float(x)


def resample(values: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Resample the rows of ``values`` to ``size`` rows, each the average of the area that it covers."""
    length = len(values)
    sums = np.zeros((length + 2, values.shape[1]))
    np.cumsum(values, axis=0, out=sums[1 : length + 1])
    sums[length + 1] = sums[length]
    places = np.arange(size + 1) * length / size
    whole = np.floor(places).astype(np.int64)
    part = (places - whole)[:, None]
    until = sums[whole] + part * (sums[whole + 1] - sums[whole])
    return (until[1:] - until[:-1]) * (size / length)
