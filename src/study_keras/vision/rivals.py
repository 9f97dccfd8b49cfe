"""Marks that claim the same ink: which of them to keep. Needs only NumPy; the twin of ``page/vision/rivals.js``."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from study_keras.vision.overlaps import overlaps_of_widened, widened
from study_keras.vision.views import VIEW, view

if TYPE_CHECKING:
    from study_keras.vision.marks import Mark

# SAME_INK and GIVES_WAY were chosen on pages of the 5,000 training images that no network saw; the others follow from
# single pictures, and change nothing on those pages.
SAME_INK = 0.6  # two marks are rivals if so much of the ink of one is the other's, too
SAME_BOX = 0.5  # or if their boxes have so much in common
AROUND = 0.7  # or if so much of a box is in the larger one of a mark that is worth less
GIVES_WAY = 1.1  # a mark gives way to two of its rivals or more that are together worth so many times as much,
EACH = 0.8  # and of which each is so many times as likely


def without_rivals(marks: Sequence[Mark], worths: Sequence[float]) -> list[Mark]:
    """Return marks of which no two are rivals: the worthiest of each place, but several before one.

    A box may frame two digits that touch, or a fold many, and the reader may take their ink for that of one.

    Args:
        marks: of a picture.
        worths: by how much each is preferred.
    """
    order = sorted(range(len(marks)), key=lambda at: -worths[at])
    marks, worths = [marks[at] for at in order], [worths[at] for at in order]
    rivals = _rivals(marks)
    kept = _with_free(set(), rivals)
    for one in sorted(kept):
        least = EACH * marks[one].likelihood
        free = sorted(at for at in rivals[one] if marks[at].likelihood >= least and rivals[at] & kept == {one})
        others = _apart(free, rivals, worths)
        if sum(worths[at] for at in others) > GIVES_WAY * worths[one]:
            kept = _with_free(kept - {one} | set(others), rivals)
    return [marks[at] for at in sorted(kept)]


def _apart(free: Sequence[int], rivals: Sequence[set[int]], worths: Sequence[float]) -> list[int]:
    """Return the worthiest two that are no rivals and, from the worthiest on, all others that are none of theirs."""
    pairs = [(first, second) for first, second in combinations(free, 2) if second not in rivals[first]]
    apart = list(max(pairs, key=lambda pair: worths[pair[0]] + worths[pair[1]], default=()))
    for at in free if apart else ():
        if at not in apart and not rivals[at].intersection(apart):
            apart.append(at)
    return apart


def _with_free(kept: set[int], rivals: Sequence[set[int]]) -> set[int]:
    """Return the numbers of kept marks and, from the worthiest on, of those that are no rival of one."""
    kept = set(kept)
    for at, others in enumerate(rivals):
        if not others & kept:
            kept.add(at)
    return kept


def _rivals(marks: Sequence[Mark]) -> list[set[int]]:
    """Return for each mark the numbers of its rivals; the worthiest come first."""
    rivals: list[set[int]] = [set() for _ in marks]
    boxes = np.array([mark.box for mark in marks]).reshape(-1, 4)
    wide = widened(boxes)
    areas = (wide[:, 2:] - wide[:, :2]).prod(axis=1)
    for one, mark in enumerate(marks):
        meets = (np.minimum(boxes[:, 2:], mark.box[2:]) > np.maximum(boxes[:, :2], mark.box[:2])).all(axis=1)
        common, covered = overlaps_of_widened(wide[one : one + 1], wide)
        same = (common > SAME_BOX) | ((covered > AROUND) & (areas > areas[one]))
        for other in np.flatnonzero(meets | same).tolist():
            if other > one and (same[other] or ink_in_common(mark, marks[other]) > SAME_INK):
                rivals[one].add(other)
                rivals[other].add(one)
    return rivals


def ink_in_common(one: Mark, other: Mark) -> float:
    """Return the part of the ink of two marks, by that of the one with less, that is in both."""
    (left, top, side), (x, y, other_side) = one.square, other.square
    pixel = other_side / VIEW
    seen = view(other.ink, (left - x) / pixel, (top - y) / pixel, side / pixel)
    least = min(float(one.ink.sum()), float(other.ink.sum()) * (other_side / side) ** 2)
    return float(np.minimum(one.ink, seen).sum()) / max(least, 1e-6)  # there may be none
