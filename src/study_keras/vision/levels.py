"""A picture at several sizes, each normalized by its local contrast: what the detector sees. Needs only NumPy.

``page/vision/levels.js`` is the twin in JavaScript.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.floating[Any]]

MAX_SIDE = 1024  # pixels a side of the largest level
SMALL = 64  # pixels; a picture whose sides are all at most that long is looked at in double size, too
SHORTEST = 20  # pixels; the detector finds digits of 20 to 44 pixels, so halving misses none
RADIUS = 24  # pixels around each in which the mean and the deviation are taken
FLOOR = 0.02  # added to the deviation, so that the noise of blank paper stays low
RANGE = 4.0  # deviations that become 1


class Level(NamedTuple):
    """``light`` (h, w) in [0, 1], its ``contrast`` in [-1, 1]; a pixel of them is ``scale`` pixels of the picture."""

    light: Grey
    contrast: NDArray[np.float32]
    scale: float


def check_grey(grey: Grey) -> Grey:
    """Return ``grey`` as an array.

    Raises:
        ValueError: it is not ``(height, width)`` of finite numbers in [0, 1], is too small, or has only one colour.
    """
    grey = np.asarray(grey)
    if grey.ndim != 2 or min(grey.shape) < 3 or grey.dtype.kind != "f":
        raise ValueError(
            f"an array of shape {grey.shape} and dtype {grey.dtype}; expected (height, width) of floats, at least "
            "3 x 3: use read_image, or divide bytes by 255"
        )
    lowest, highest = float(grey.min()), float(grey.max())
    if not 0 <= lowest <= highest <= 1:
        raise ValueError(f"values from {lowest} to {highest}; expected finite numbers from 0 (black) to 1 (white)")
    if lowest == highest:
        raise ValueError(f"every pixel is {lowest:.3f}: a picture of one colour; expected a digit on a background")
    return grey


def levels_of(grey: Grey) -> list[Level]:
    """Return the picture in halves of its size, the finest first; the coarsest has one digit or less.

    Args:
        grey: ``(height, width)``, from 0 to 1.

    Raises:
        ValueError: the picture is narrower than one pixel of the finest level.
    """
    light, scale = downscale(grey, MAX_SIDE)
    levels = [_level(doubled(light), scale / 2)] if max(light.shape) <= SMALL else []
    size = float(scale)
    while True:
        levels.append(_level(light, size))
        if max(light.shape) < 2 * SHORTEST or min(light.shape) < 6:
            return levels
        light, size = _halved(light), 2 * size


def _level(light: NDArray[np.float64], scale: float) -> Level:
    return Level(light, contrast(light), scale)


def downscale(grey: Grey, max_side: int) -> tuple[NDArray[np.float64], int]:
    """Average blocks of k x k pixels, with the smallest k that leaves at most ``max_side`` pixels a side.

    Returns:
        The smaller picture, float64, without the incomplete blocks at the right and the bottom; and k.

    Raises:
        ValueError: the picture is narrower than one block.
    """
    k = -(-max(grey.shape) // max_side)
    if k == 1:
        return grey.astype(np.float64), 1
    if min(grey.shape) < k:
        raise ValueError(
            f"a picture of {grey.shape[1]} x {grey.shape[0]} pixels: too narrow for a digit; expected the shorter side "
            f"to be at least {k}"
        )
    height, width = grey.shape[0] // k * k, grey.shape[1] // k * k
    rows = np.zeros((height // k, width))
    for row in range(k):
        rows += grey[row:height:k, :width]
    small = np.zeros((height // k, width // k))
    for column in range(k):
        small += rows[:, column::k]
    return small / (k * k), k


def _halved(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average blocks of 2 x 2 pixels; an odd last row or column counts twice."""
    light = np.pad(light, ((0, light.shape[0] % 2), (0, light.shape[1] % 2)), mode="edge")
    return (light[::2, ::2] + light[1::2, ::2] + light[::2, 1::2] + light[1::2, 1::2]) / 4


def doubled(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the picture in double size, interpolated linearly between the middles of its pixels."""
    for _ in range(2):  # rows, then columns
        padded = np.concatenate([light[:1], light, light[-1:]])
        near, above, below = 0.75 * light, 0.25 * padded[:-2], 0.25 * padded[2:]
        light = np.stack([near + above, near + below], axis=1).reshape(2 * len(light), -1).T
    return light


def contrast(light: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Normalize by local contrast: ``(h, w)`` in [0, 1] -> ``(h, w)`` float32 in [-1, 1], 0 where all is the same."""
    values: NDArray[np.float64] = light.astype(np.float64)
    width = values.shape[1]
    down, across = (_counts(side) for side in values.shape)
    both = _sums_down(np.concatenate([values, values * values], axis=1))
    area = down[:, None] * across
    mean, deviation = (_sums_across(part) / area for part in (both[:, :width], both[:, width:]))
    deviation -= mean * mean
    np.sqrt(np.maximum(deviation, 0, out=deviation), out=deviation)
    result: NDArray[np.float64] = np.subtract(values, mean, out=mean)
    result /= deviation + FLOOR
    result /= RANGE
    return np.clip(result, -1, 1, out=result).astype(np.float32)


def _sums_down(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each of n rows the sum of the rows up to ``RADIUS`` away."""
    sums = np.zeros((len(values) + 1, values.shape[1]))
    for above, row, here in zip(sums, values, sums[1:], strict=False):  # faster than np.cumsum down the columns
        np.add(above, row, here)
    return _differences(sums.T).T


def _sums_across(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each of n columns the sum of the columns up to ``RADIUS`` away."""
    sums = np.zeros((len(values), values.shape[1] + 1))
    np.cumsum(values, axis=1, out=sums[:, 1:])
    return _differences(sums)


def _differences(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sums of the columns up to ``RADIUS`` away, from those of the columns before each (m, n + 1)."""
    n = sums.shape[1] - 1
    inner = max(n - RADIUS, 0)  # number of boxes that end before the last one, and of those that start after the first
    boxes = np.empty_like(sums[:, 1:])
    boxes[:, :inner] = sums[:, RADIUS + 1 :][:, :inner]
    boxes[:, inner:] = sums[:, n:]
    boxes[:, n - inner :] -= sums[:, :inner]
    return boxes


def _counts(n: int) -> NDArray[np.float64]:
    """Return for each of n rows how many are up to ``RADIUS`` away."""
    rows = np.arange(n)
    return (np.minimum(rows + RADIUS + 1, n) - np.maximum(rows - RADIUS, 0)).astype(np.float64)
