"""Marks that claim the same ink: one of them is kept, or two instead of one."""

import numpy as np
import pytest

from study_keras.vision.marks import Mark
from study_keras.vision.rivals import GIVES_WAY, SAME_INK, ink_in_common, without_rivals


def mark_of(box, columns):
    """Return a mark at a box whose ink are these columns of the picture, in a square around the box."""
    left, top, right, bottom = box
    side = max(right - left, bottom - top) * 32 / 22
    square = ((left + right - side) / 2, (top + bottom - side) / 2, side)
    middles = square[0] + (np.arange(32) + 0.5) * side / 32
    rows = square[1] + (np.arange(32) + 0.5) * side / 32
    own = np.isin(np.floor(middles), list(columns))
    ink = np.outer((rows > top) & (rows < bottom), own).astype(float)
    return Mark(box, 0.9, np.zeros(11), ink, square, True, 0)


LEFT = mark_of((10, 10, 30, 42), range(10, 30))
RIGHT = mark_of((28, 10, 48, 42), range(29, 48))
BOTH = mark_of((10, 10, 48, 42), range(10, 48))


def kept(marks, worths):
    return [marks.index(mark) for mark in without_rivals(marks, worths)]


def test_marks_of_different_ink_are_all_kept_the_worthiest_first():
    assert kept([LEFT, RIGHT], [1, 2]) == [1, 0]


def test_of_two_marks_of_one_ink_the_worthier_is_kept():
    again = LEFT._replace(box=(9, 9, 29, 41))
    assert kept([LEFT, again], [1, 2]) == [1]
    assert kept([LEFT, again], [2, 1]) == [0]


def test_a_part_of_a_mark_is_its_rival():
    loop = mark_of((12, 10, 28, 26), range(12, 28))
    assert kept([loop, LEFT], [1, 1.5]) == [1]


def test_a_mark_in_the_box_of_another_is_kept_if_its_ink_is_its_own():
    """A 1 may stand in the bow of a 2: their boxes say nothing, their ink does."""
    bow = mark_of((10, 10, 40, 42), [*range(10, 22), *range(32, 40)])
    stroke = mark_of((25, 12, 29, 40), range(25, 29))
    assert kept([bow, stroke], [2, 1]) == [0, 1]


def test_a_large_mark_around_a_worthier_one_is_its_rival_whatever_its_ink():
    """At a coarse level two lines may look a little like one large digit."""
    around = mark_of((5, 0, 40, 80), range(5, 8))
    assert kept([LEFT, around], [2, 1]) == [0]
    assert kept([LEFT, around], [1, 2]) == [1, 0]


@pytest.mark.parametrize(("part", "which"), [(0.8, [1, 2]), (1.05, [0])])
def test_two_digits_that_touch_are_kept_instead_of_one_that_has_their_ink(part, which):
    assert kept([BOTH, LEFT, RIGHT], [part * 2 / GIVES_WAY, 1, 1]) == which


def test_a_mark_gives_way_to_many_that_are_together_worth_more():
    """Such as the fold of a paper, which looks a little like a digit, and has a bit of the ink of many."""
    digits = [mark_of((left, 10, left + 20, 42), range(left, left + 20)) for left in (10, 40, 70, 100)]
    fold = mark_of((10, 10, 120, 42), range(10, 120))
    assert kept([fold, *digits], [3, 1, 1.1, 1.2, 1]) == [3, 2, 1, 4]
    assert kept([fold, *digits], [5, 1, 1.1, 1.2, 1]) == [0]


def test_a_mark_does_not_give_way_to_one_and_a_doubtful_other():
    """Such as the loop of a 2, which looks like a 0, and the rest of it."""
    assert kept([BOTH, LEFT, RIGHT._replace(score=0.6)], [1, 1, 1]) == [0]
    assert kept([BOTH, LEFT, RIGHT._replace(score=0.8)], [1, 1, 1]) == [1, 2]


def test_two_marks_that_are_rivals_themselves_are_not_kept_instead_of_one():
    assert kept([BOTH, LEFT, LEFT._replace(box=(11, 9, 31, 41))], [1.3, 1, 1]) == [0]


def test_nothing_is_kept_of_nothing():
    assert without_rivals([], []) == []


def test_the_ink_in_common_is_a_part_of_the_lesser_ink_whatever_the_squares():
    assert ink_in_common(LEFT, LEFT) == pytest.approx(1)
    assert ink_in_common(LEFT, RIGHT) < 0.1
    for one, other in ((LEFT, BOTH), (BOTH, LEFT)):
        assert ink_in_common(one, other) > SAME_INK
    blank = LEFT._replace(ink=np.zeros((32, 32)))
    assert ink_in_common(blank, LEFT) == 0
