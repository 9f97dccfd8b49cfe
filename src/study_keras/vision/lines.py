"""Boxes -> lines, in reading order. Needs only NumPy."""

from collections.abc import Sequence

Box = tuple[float, float, float, float]  # left, top, right, bottom; the last two exclusive

IN_LINE = 1 / 3  # of the lower one's height that two neighbours in a line have in common


def lines_of(boxes: Sequence[Box]) -> list[list[int]]:
    """Return the numbers of the boxes line by line from the top, each line from the left.

    A box joins the line of the nearest box to its left with which it has at least a third of the lower one's height in
    common; so a line may rise or fall, and its digits may be uneven.
    """
    lines: list[list[int]] = []
    for number in sorted(range(len(boxes)), key=lambda number: boxes[number][0] + boxes[number][2]):
        best = max(lines, key=lambda line: _affinity(boxes[line[-1]], boxes[number]), default=None)
        if best is not None and _affinity(boxes[best[-1]], boxes[number]) > 0:
            best.append(number)
        else:
            lines.append([number])
    return sorted(lines, key=lambda line: sum(boxes[number][1] + boxes[number][3] for number in line) / len(line))


def _affinity(one: Box, other: Box) -> float:
    """Return how likely ``other`` is the next one in the line of ``one``; 0 if it is not."""
    common, high = common_height(one, other), max(one[3] - one[1], other[3] - other[1])
    return common / (1 + max(0.0, other[0] - one[2]) / high) if common >= IN_LINE else 0


def common_height(one: Box, other: Box) -> float:
    """Return the part of the lower box's height that two boxes have in common; negative if one is above the other."""
    return (min(one[3], other[3]) - max(one[1], other[1])) / min(one[3] - one[1], other[3] - other[1])
