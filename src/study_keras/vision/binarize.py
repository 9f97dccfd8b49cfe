"""Separate the ink of a picture from its paper: background, polarity, threshold. Needs only NumPy.

``page/vision/binarize.js`` is the twin in JavaScript. It does the same arithmetic in the same order, so that both get
the same ink, bit for bit. That is why sums are running sums (``np.sum`` adds in another order) and filters are boxes.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]

MIN_CONTRAST = 0.06  # of the range from black to white; a hard pencil on paper has about 0.15
MIN_CONTRAST_TO_NOISE = 5.0  # minimum ratio of the ink's contrast to the standard deviation of the paper's noise


class Ink(NamedTuple):
    """The ink of a picture that was downscaled by ``scale``.

    ``strength`` (h, w) float64 in [0, 1]; ``mask`` (h, w) bool.
    """

    strength: NDArray[np.float64]
    mask: Mask
    scale: int


def binarize(grey: Grey, max_side: int) -> Ink:
    """Separate ink from paper; the ink may be darker or lighter than the paper.

    The background at each pixel is the mean of a box a third of the picture wide; three more rounds leave out what was
    taken for ink. Ink differs from the paper in one direction only, so the sign of the sum of the cubed differences
    tells whether it is dark or light; differences in the other direction are noise.

    Args:
        grey: ``(height, width)``, from 0 to 1, at least 3 pixels a side.
        max_side: the picture is downscaled until its longer side is at most this many pixels.

    Raises:
        ValueError: ``grey`` is not such an array, has only one colour, or nothing stands out from the paper.
    """
    grey, scale = downscale(check_grey(grey), max_side)
    longest = max(grey.shape)
    radius, blur = max(2, longest // 6), longest // 256
    light: NDArray[np.float64] = np.asarray(grey, np.float64)
    difference = light - box_filter(light, radius) / _box_areas(grey.shape, radius)
    if _sum_of_cubes(difference) < 0:
        light, difference = -light, -difference
    smooth = _smooth(difference, blur)
    level = threshold(smooth)
    for _ in range(3):
        difference = _background(light, ~dilate(smooth > level * 0.7, 1), radius)
        np.subtract(light, difference, difference)
        smooth = _smooth(difference, blur)
        level = threshold(smooth)
    mask = smooth > level
    contrast = _total(difference[mask]) / max(1, int(np.count_nonzero(mask)))
    noise = _noise(difference, contrast / MIN_CONTRAST_TO_NOISE)
    if contrast < MIN_CONTRAST or contrast < MIN_CONTRAST_TO_NOISE * noise:
        raise ValueError(
            f"no ink found: the contrast is {max(contrast, 0):.3f} of the range from black to white, and the noise of "
            f"the paper is {noise:.3f}; expected a digit that is clearly darker or clearly lighter than its background"
        )
    return Ink(np.clip((difference / contrast - 0.15) / 0.7, 0, 1), mask, scale)


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


def box_filter(values: NDArray[Any], radius: int) -> NDArray[Any]:
    """Return for each pixel the sum over the (2 radius + 1) x (2 radius + 1) square around it; outside is 0.

    Returns:
        ``(h, w)`` float64, or int32 if ``values`` are bool.
    """
    height, width = values.shape
    dtype = np.int32 if values.dtype == np.bool_ else np.float64
    down, across = np.zeros((height + 1, width), dtype), np.zeros((height, width + 1), dtype)
    if dtype is np.int32:
        np.cumsum(values, axis=0, out=down[1:])
    else:  # np.cumsum down the columns of floats takes three times as long
        for above, row, here in zip(down, values, down[1:], strict=False):
            np.add(above, row, here)
    np.cumsum(_box_sums(down, radius), axis=1, out=across[:, 1:])
    return _box_sums(across.T, radius).T


def _box_sums(sums: NDArray[Any], radius: int) -> NDArray[Any]:
    """From running sums ``(n + 1, m)``, return for each of n rows the sum of the rows up to ``radius`` away."""
    n = len(sums) - 1
    inner = max(n - radius, 0)  # number of boxes that end before the last row, and of those that start after the first
    boxes = np.empty_like(sums[1:])
    boxes[:inner] = sums[radius + 1 :]
    boxes[inner:] = sums[n]
    boxes[n - inner :] -= sums[:inner]
    return boxes


def _box_areas(shape: tuple[int, ...], radius: int) -> NDArray[np.float64]:
    """Return the number of pixels in the box around each pixel."""
    places = [np.arange(side) for side in shape]
    down, across = (np.minimum(at + radius + 1.0, len(at)) - np.maximum(at - radius, 0) for at in places)
    return down[:, None] * across


def threshold(difference: NDArray[np.float64]) -> float:
    """Return Otsu's threshold of the positive differences, in 256 steps, or 3 standard deviations of the noise."""
    top = float(difference.max())
    if top <= 0:
        return 0.0
    bins = np.maximum(difference, 0)
    bins /= top
    bins *= 255
    counts = np.bincount(bins.astype(np.int64).ravel(), minlength=256)
    below, moment = np.cumsum(counts), np.cumsum(counts * np.arange(256))
    total, mean = int(below[-1]), float(moment[-1] / below[-1])
    apart = mean * below - moment
    variance = apart * apart / np.maximum(below * (total - below), 1)  # between the two classes
    step = (int(variance.argmax()) + 1) * top / 255
    return max(step, 3 * _noise(difference, step / 3))


def _background(grey: NDArray[np.float64], paper: Mask, radius: int) -> NDArray[np.float64]:
    """Return the mean of the paper in the box around each pixel, or of all paper if the box has none."""
    light, count = np.where(paper, grey, 0), box_filter(paper, radius)
    if count.all():
        return box_filter(light, radius) / count
    overall = _total(light) / max(1, int(np.count_nonzero(paper)))
    return np.where(count > 0, box_filter(light, radius) / np.maximum(count, 1), overall)


def _smooth(values: NDArray[np.float64], radius: int) -> NDArray[np.float64]:
    return box_filter(values, radius) / (2 * radius + 1) ** 2 if radius else values


def _total(values: NDArray[np.float64]) -> float:
    return float(np.cumsum(values)[-1]) if values.size else 0.0


def _sum_of_cubes(difference: NDArray[np.float64]) -> float:
    """Return the sum of the third powers. Only its sign is used, so the order of the sum matters only near 0."""
    cubes = difference * difference
    cubes *= difference
    fast = float(cubes.sum())
    return fast if abs(fast) > 1e-6 * float(np.abs(cubes).sum()) else _total(cubes)


def _noise(difference: NDArray[np.float64], limit: float) -> float:
    """Return the standard deviation of the paper, from the differences in the direction opposite to ink.

    It is only compared with ``limit``. Far below it, the last digits do not matter, and the sum is in a faster order.
    """
    squares = np.minimum(difference, 0)
    squares *= squares
    count = max(1, int(np.count_nonzero(difference < 0)))
    fast = math.sqrt(float(squares.sum()) / count)
    return fast if fast < 0.999 * limit else math.sqrt(_total(squares) / count)


def dilate(mask: Mask, radius: int) -> Mask:
    """Return for each pixel whether any pixel of the (2 radius + 1) x (2 radius + 1) square around it is true."""
    for _ in range(2):  # rows, then columns
        wider = mask.copy(order="K")
        for step in range(1, radius + 1):
            wider[step:] |= mask[:-step]
            wider[:-step] |= mask[step:]
        mask = wider.T
    return mask
