"""A picture with several digits -> each digit's ink, in reading order. NumPy alone."""

import numpy as np
from numpy.typing import NDArray

from study_keras.vision.binarize import Grey, Ink, near, reduce, separate
from study_keras.vision.components import Pieces, find_pieces, without_rules
from study_keras.vision.prepare import check_grey

LONGEST = 1024  # a line of digits is wider than one digit, so more pixels a side than `prepare` looks at
MOST_PIECES = 500  # the largest are kept; more than that is texture

Box = tuple[int, int, int, int]  # left, top, right, bottom; the last two exclusive


def find_digits(grey: Grey) -> list[tuple[Box, NDArray[np.float64]]]:
    """Return the digits of ``find_lines`` one after the other."""
    return [digit for line in find_lines(grey) for digit in line]


def find_lines(grey: Grey) -> list[list[tuple[Box, NDArray[np.float64]]]]:
    """Cut a picture into digits: pieces of ink that hang together, and strokes that belong to one of them.

    All is measured by the usual height of the digits. A low piece joins the one that it is over, under or
    beside, such as the bar of a 5; what then has less than two fifths of the usual height is a speck, a dash or
    a full stop; what is much wider than high is two digits that touch, and is cut where it has least ink.
    Ruled lines that follow the edges of the picture are taken out.

    Args:
        grey: ``(height, width)``, from 0 to 1; dark on light or light on dark.

    Returns:
        Line by line, and each line from the left: the box in pixels of ``grey``, and the ink in it, ``(h, w)``
        float64 in [0, 1], white on black, which ``framing.frame`` makes ``(28, 28)``.

    Raises:
        ValueError: as ``images.prepare``.
    """
    small, k = reduce(check_grey(grey), LONGEST)
    ink = separate(small)
    pieces = find_pieces(without_rules(ink.mask))
    if pieces.areas.max(initial=0) < 4:
        raise ValueError("no ink found but specks; expected digits of at least 4 pixels of ink")
    height = _usual_height(pieces)
    groups = _join_strokes(pieces, height)
    owners = np.append(groups, -1)  # of labels, -1 for paper
    digits = []
    for group in range(int(groups.max()) + 1):
        left, top, right, bottom = _around(pieces.boxes[groups == group])
        if bottom - top >= 0.4 * height:
            own = np.zeros_like(ink.mask)
            own[top:bottom, left:right] = owners[pieces.labels[top:bottom, left:right]] == group
            digits += [_cut(ink, own, box) for box in _split(own, (left, top, right, bottom), height)]
    lines = _in_reading_order(digits)
    return [[((k * a, k * b, k * c, k * d), crop) for (a, b, c, d), crop in line] for line in lines]


def _usual_height(pieces: Pieces) -> float:
    heights = pieces.boxes[:, 3] - pieces.boxes[:, 1]
    return float(np.median(heights[heights >= heights.max() / 2]))


def _join_strokes(pieces: Pieces, height: float) -> NDArray[np.int64]:
    """Return ``(n,)`` the number of each piece's group, from 0; -1 for specks that are dropped."""
    order = np.argsort(-pieces.areas, kind="stable")[:MOST_PIECES]
    order = order[pieces.areas[order] >= (0.05 * height) ** 2]
    left, top, right, bottom = pieces.boxes[order].T
    low = bottom - top < 0.7 * height
    beside = np.maximum(left[:, None], left) - np.minimum(right[:, None], right)  # negative where they overlap
    above = np.maximum(top[:, None], top) - np.minimum(bottom[:, None], bottom)
    narrower = np.minimum((right - left)[:, None], right - left)
    stacked = (-beside >= 0.5 * narrower) & (above <= 0.25 * height)
    touching = (beside <= 0.1 * height) & (above <= 0.1 * height)
    joined = (low[:, None] | low) & (stacked | touching) | np.eye(len(order), dtype=bool)
    names = np.arange(len(order))
    while not np.array_equal(names, lowest := np.where(joined, names, len(order)).min(axis=1)):
        names = lowest
    groups = np.full(len(pieces.areas), -1)
    groups[order] = np.unique(names, return_inverse=True)[1]
    return groups


def _split(own: NDArray[np.bool_], box: Box, height: float) -> list[Box]:
    """Cut a box that is too wide for one digit where its ``own`` ink is thinnest, until none is."""
    left, top, right, bottom = box
    width = right - left
    if width <= 1.25 * max(height, bottom - top):
        return [box]
    middle = np.count_nonzero(own[top:bottom, left + width * 3 // 10 : right - width * 3 // 10], axis=0)
    cut = left + width * 3 // 10 + int(middle.argmin())
    boxes = []
    for side in ((left, top, cut, bottom), (cut, top, right, bottom)):
        rows, columns = np.nonzero(own[top:bottom, side[0] : side[2]])
        x, y = side[0], top
        tight = (x + columns.min(), y + rows.min(), x + columns.max() + 1, y + rows.max() + 1)
        boxes += _split(own, tight, height)
    return boxes


def _cut(ink: Ink, own: NDArray[np.bool_], box: Box) -> tuple[Box, NDArray[np.float64]]:
    """Return the box and its ink: the digit's own, with the soft edges of its strokes, and no neighbour's."""
    left, top, right, bottom = box
    inside = np.s_[max(top - 1, 0) : bottom + 1, max(left - 1, 0) : right + 1]
    return box, np.where(near(own[inside], 1) & (own | ~ink.mask)[inside], ink.strength[inside], 0)


def _around(boxes: NDArray[np.int64]) -> Box:
    left, top = boxes[:, :2].min(axis=0)
    right, bottom = boxes[:, 2:].max(axis=0)
    return int(left), int(top), int(right), int(bottom)


def _in_reading_order(digits: list[tuple[Box, NDArray[np.float64]]]) -> list[list[tuple[Box, NDArray[np.float64]]]]:
    """Sort by lines, and within a line from the left; a digit follows the line whose last one it overlaps most."""
    lines: list[list[tuple[Box, NDArray[np.float64]]]] = []
    for digit in sorted(digits, key=lambda digit: digit[0][0]):
        shared = [_beside(line[-1][0], digit[0]) for line in lines]
        if max(shared, default=0) >= 0.2:  # a line may climb by 10 degrees, and its digits dance
            lines[shared.index(max(shared))].append(digit)
        else:
            lines.append([digit])
    lines.sort(key=lambda line: min(top for (_, top, _, _), _ in line))
    return lines


def _beside(one: Box, other: Box) -> float:
    """Return which part of the lower one's height two boxes share."""
    lower = min(one[3] - one[1], other[3] - other[1])
    return (min(one[3], other[3]) - max(one[1], other[1])) / lower
