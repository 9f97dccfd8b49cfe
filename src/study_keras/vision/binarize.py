"""From a picture to its ink: background, polarity, threshold. NumPy alone.

``page/prepare.js`` does the same arithmetic in the same order, so both find the same ink, bit for bit. That is
why sums are running sums (``np.sum`` adds in an order of its own) and filters are boxes.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]

LEAST_CONTRAST = 0.06  # of the range from black to white; a hard pencil on paper has about 0.15
LEAST_SIGNAL = 5.0  # how many deviations of the paper's noise the ink must stand out


class Ink(NamedTuple):
    """How much ink there is, and where: ``strength`` (h, w) float64 in [0, 1], ``mask`` (h, w) bool."""

    strength: NDArray[np.float64]
    mask: Mask


def reduce(grey: Grey, longest: int) -> tuple[NDArray[np.float64], int]:
    """Average blocks of k x k pixels, with the smallest k that leaves at most ``longest`` pixels a side.

    Returns:
        The smaller picture, float64, without the incomplete blocks at the right and the bottom; and k.

    Raises:
        ValueError: the picture is narrower than one block.
    """
    k = -(-max(grey.shape) // longest)
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


def box_sum(values: NDArray[Any], radius: int) -> NDArray[Any]:
    """Sum over the (2 radius + 1) squared pixels around each; beyond the edge there is nothing.

    Returns:
        ``(h, w)`` float64, or int32 where ``values`` are bool.
    """
    height, width = values.shape
    kind = np.int32 if values.dtype == np.bool_ else np.float64
    down, across = np.zeros((height + 1, width), kind), np.zeros((height, width + 1), kind)
    if kind is np.int32:
        np.cumsum(values, axis=0, out=down[1:])
    else:  # np.cumsum down the columns of floats takes three times as long
        for above, row, here in zip(down, values, down[1:], strict=False):
            np.add(above, row, here)
    np.cumsum(_boxes(down, radius), axis=1, out=across[:, 1:])
    return _boxes(across.T, radius).T


def _boxes(sums: NDArray[Any], radius: int) -> NDArray[Any]:
    """From running sums ``(n + 1, m)``, sum for each of n rows those up to ``radius`` rows away."""
    n = len(sums) - 1
    full = max(n - radius, 0)  # so many boxes end before the edge, and so many begin after the other
    boxes = np.empty_like(sums[1:])
    boxes[:full] = sums[radius + 1 :]
    boxes[full:] = sums[n]
    boxes[n - full :] -= sums[:full]
    return boxes


def near(mask: Mask, radius: int) -> Mask:
    """Tell for each pixel whether any of the (2 radius + 1) squared around it is true."""
    for _ in range(2):
        wider = mask.copy(order="K")
        for step in range(1, radius + 1):
            wider[step:] |= mask[:-step]
            wider[:-step] |= mask[step:]
        mask = wider.T
    return mask


def separate(grey: Grey) -> Ink:
    """Tell ink from paper, whichever of the two is the darker.

    The paper's brightness around each pixel is the mean of a box a third of the picture wide; three more rounds
    leave out what looked like ink. Ink differs from its paper in one direction only, so the third power of
    the differences, summed, tells which; the differences the other way are the paper's noise.

    Raises:
        ValueError: nothing stands out from the paper.
    """
    longest = max(grey.shape)
    radius, blur = max(2, longest // 6), longest // 256
    light: NDArray[np.float64] = np.asarray(grey, np.float64)
    difference = light - box_sum(light, radius) / _box_areas(grey.shape, radius)
    if _lean(difference) < 0:
        light, difference = -light, -difference
    smooth = _smooth(difference, blur)
    threshold = _threshold(smooth)
    for _ in range(3):
        difference = _mean_of_paper(light, ~near(smooth > threshold * 0.7, 1), radius)
        np.subtract(light, difference, difference)
        smooth = _smooth(difference, blur)
        threshold = _threshold(smooth)
    mask = smooth > threshold
    level = _total(difference[mask]) / max(1, int(np.count_nonzero(mask)))
    noise = _noise(difference, level / LEAST_SIGNAL)
    if level < LEAST_CONTRAST or level < LEAST_SIGNAL * noise:
        raise ValueError(
            f"no ink found: at most {max(level, 0):.3f} of the range from black to white stands out from the paper, "
            f"whose noise is {noise:.3f}; expected a digit, clearly darker or clearly lighter than its background"
        )
    return Ink(np.clip((difference / level - 0.15) / 0.7, 0, 1), mask)


def _box_areas(shape: tuple[int, ...], radius: int) -> NDArray[np.float64]:
    """Return how many pixels lie in the box around each."""
    places = [np.arange(side) for side in shape]
    down, across = (np.minimum(at + radius + 1.0, len(at)) - np.maximum(at - radius, 0) for at in places)
    return down[:, None] * across


def _total(values: NDArray[np.float64]) -> float:
    return float(np.cumsum(values)[-1]) if values.size else 0.0


def _lean(difference: NDArray[np.float64]) -> float:
    """Return the sum of third powers; only its sign is used, so order matters near 0 alone."""
    cubes = difference * difference
    cubes *= difference
    roughly = float(cubes.sum())
    return roughly if abs(roughly) > 1e-6 * float(np.abs(cubes).sum()) else _total(cubes)


def _smooth(values: NDArray[np.float64], radius: int) -> NDArray[np.float64]:
    return box_sum(values, radius) / (2 * radius + 1) ** 2 if radius else values


def _noise(difference: NDArray[np.float64], limit: float) -> float:
    """Return the deviation of the paper, seen where it differs in the direction that ink does not.

    It is only compared with ``limit``: far below it, the last digits, which hang on the order of the sum, are left
    to a faster order.
    """
    squares = np.minimum(difference, 0)
    squares *= squares
    count = max(1, int(np.count_nonzero(difference < 0)))
    roughly = math.sqrt(float(squares.sum()) / count)
    return roughly if roughly < 0.999 * limit else math.sqrt(_total(squares) / count)


def _threshold(difference: NDArray[np.float64]) -> float:
    """Return Otsu's threshold of the positive differences, in 256 steps, or three deviations of the noise."""
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
    spread = apart * apart / np.maximum(below * (total - below), 1)  # the variance between the two sides
    step = (int(spread.argmax()) + 1) * top / 255
    return max(step, 3 * _noise(difference, step / 3))


def _mean_of_paper(grey: NDArray[np.float64], paper: Mask, radius: int) -> NDArray[np.float64]:
    light, count = np.where(paper, grey, 0), box_sum(paper, radius)
    if count.all():
        return box_sum(light, radius) / count
    everywhere = _total(light) / max(1, int(np.count_nonzero(paper)))
    return np.where(count > 0, box_sum(light, radius) / np.maximum(count, 1), everywhere)
