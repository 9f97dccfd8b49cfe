"""A picture with several digits -> the ink of each digit, in reading order. Needs only NumPy."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from study_keras.vision.binarize import Grey, Ink, Mask, binarize, dilate
from study_keras.vision.components import Components, connected_components, remove_ruled_lines

MAX_SIDE = 1024  # a line of digits is wider than one digit, so more than in `prepare`
MAX_COMPONENTS = 500  # the largest are kept; more than that is texture

Box = tuple[int, int, int, int]  # left, top, right, bottom; the last two exclusive
Segment = tuple[Box, NDArray[np.float64]]  # a digit's box in the picture, and its ink (h, w) in [0, 1], white on black


class Segmentation(NamedTuple):
    """``ink`` (h, w) float64 in [0, 1]: all ink of the downscaled picture; ``lines``: its digits, line by line."""

    ink: NDArray[np.float64]
    lines: list[list[Segment]]


def segment_lines(grey: Grey) -> Segmentation:
    """Segment a picture into digits, in lines from the top, each from the left.

    All sizes are relative to the typical height of the digits. A low component joins the one that it is above, below
    or beside, such as the bar of a 5. What is then lower than two fifths of the typical height is a speck, a dash or a
    full stop, and is dropped. What is much wider than high is two touching digits, and is split where it has least ink.
    Ruled lines from edge to edge are removed.

    Args:
        grey: ``(height, width)``, from 0 to 1; dark on light or light on dark.

    Returns:
        The segmentation; ``normalize.normalize`` turns the ink of each digit into ``(28, 28)``.

    Raises:
        ValueError: as ``prepare.prepare``.
    """
    ink = binarize(grey, MAX_SIDE)
    components = connected_components(remove_ruled_lines(ink.mask))
    if components.areas.max(initial=0) < 4:
        raise ValueError("no ink found but specks; expected digits of at least 4 pixels of ink")
    height = _typical_height(components)
    groups = _join_strokes(components, height)
    group_of_label = np.append(groups, -1)  # the last for label -1, the paper
    digits = []
    for group in range(int(groups.max()) + 1):
        boxes = components.boxes[groups == group]
        left, top = (int(side) for side in boxes[:, :2].min(axis=0))
        right, bottom = (int(side) for side in boxes[:, 2:].max(axis=0))
        if bottom - top >= 0.4 * height:
            own = np.zeros_like(ink.mask)
            own[top:bottom, left:right] = group_of_label[components.labels[top:bottom, left:right]] == group
            digits += [_crop(ink, own, box) for box in _split(own, (left, top, right, bottom), height)]
    return Segmentation(ink.strength, _in_reading_order(digits))


def _typical_height(components: Components) -> float:
    heights = components.boxes[:, 3] - components.boxes[:, 1]
    return float(np.median(heights[heights >= heights.max() / 2]))


def _join_strokes(components: Components, height: float) -> NDArray[np.int64]:
    """Return ``(n,)``, the group of each component, from 0; -1 for specks, which are dropped."""
    order = np.argsort(-components.areas, kind="stable")[:MAX_COMPONENTS]
    order = order[components.areas[order] >= (0.05 * height) ** 2]
    left, top, right, bottom = components.boxes[order].T
    low = bottom - top < 0.7 * height
    x_gap = np.maximum(left[:, None], left) - np.minimum(right[:, None], right)  # negative where they overlap
    y_gap = np.maximum(top[:, None], top) - np.minimum(bottom[:, None], bottom)
    narrower = np.minimum((right - left)[:, None], right - left)
    stacked = (-x_gap >= 0.5 * narrower) & (y_gap <= 0.25 * height)
    touching = (x_gap <= 0.1 * height) & (y_gap <= 0.1 * height)
    joined = (low[:, None] | low) & (stacked | touching) | np.eye(len(order), dtype=bool)
    roots = np.arange(len(order))
    while not np.array_equal(roots, lowest := np.where(joined, roots, len(order)).min(axis=1)):
        roots = lowest
    groups = np.full(len(components.areas), -1)
    groups[order] = np.unique(roots, return_inverse=True)[1]
    return groups


def _split(own: Mask, box: Box, height: float) -> list[Box]:
    """Split a box that is too wide for one digit where its ``own`` ink is thinnest, until none is too wide."""
    left, top, right, bottom = box
    width = right - left
    if width <= 1.25 * max(height, bottom - top):
        return [box]
    middle = np.count_nonzero(own[top:bottom, left + width * 3 // 10 : right - width * 3 // 10], axis=0)
    cut = left + width * 3 // 10 + int(middle.argmin())
    boxes = []
    for start, end in ((left, cut), (cut, right)):
        rows, columns = np.nonzero(own[top:bottom, start:end])
        tight = (start + columns.min(), top + rows.min(), start + columns.max() + 1, top + rows.max() + 1)
        boxes += _split(own, tight, height)
    return boxes


def _crop(ink: Ink, own: Mask, box: Box) -> Segment:
    """Return the box in the full picture, and the digit's own ink with the soft edges of its strokes."""
    left, top, right, bottom = box
    inside = np.s_[max(top - 1, 0) : bottom + 1, max(left - 1, 0) : right + 1]
    strength = np.where(dilate(own[inside], 1) & (own | ~ink.mask)[inside], ink.strength[inside], 0)
    k = ink.scale
    return (k * left, k * top, k * right, k * bottom), strength


def _in_reading_order(digits: list[Segment]) -> list[list[Segment]]:
    """Sort into lines, each from the left; a digit joins the line whose last digit it overlaps most in height."""
    lines: list[list[Segment]] = []
    for digit in sorted(digits, key=lambda digit: digit[0][0]):
        overlaps = [_overlap(line[-1][0], digit[0]) for line in lines]
        if max(overlaps, default=0) >= 0.2:  # a line may rise by 10 degrees, and its digits may be uneven
            lines[overlaps.index(max(overlaps))].append(digit)
        else:
            lines.append([digit])
    lines.sort(key=lambda line: min(top for (_, top, _, _), _ in line))
    return lines


def _overlap(one: Box, other: Box) -> float:
    """Return the vertical overlap of two boxes as a fraction of the lower one's height."""
    lower = min(one[3] - one[1], other[3] - other[1])
    return (min(one[3], other[3]) - max(one[1], other[1])) / lower
