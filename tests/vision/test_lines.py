"""Boxes in reading order."""

import numpy as np

from study_keras.vision.lines import lines_of


def boxes_at(*middles, width=20, height=40):
    return [(x - width / 2, y - height / 2, x + width / 2, y + height / 2) for x, y in middles]


def test_nothing_is_no_line():
    assert lines_of([]) == []
    assert lines_of([(3, 4, 5, 6)]) == [[0]]


def test_a_line_may_rise_or_fall():
    for slope in (-0.3, -0.1, 0.1, 0.3):
        boxes = boxes_at(*((30 * number, 500 + slope * 30 * number) for number in range(15)))
        assert lines_of(boxes) == [list(range(15))], slope


def test_lines_that_rise_together_stay_apart():
    boxes = boxes_at(*((30 * column, 100 + 60 * row - 8 * column) for row in range(3) for column in range(10)))
    assert lines_of(boxes) == [list(range(10 * row, 10 * row + 10)) for row in range(3)]


def test_two_columns_far_apart_are_read_across():
    boxes = boxes_at(*((x, y) for x in (50, 80, 800, 830) for y in (50, 130, 210)))
    assert lines_of(boxes) == [[0, 3, 6, 9], [1, 4, 7, 10], [2, 5, 8, 11]]


def test_a_column_between_the_lines_of_another_has_lines_of_its_own():
    boxes = boxes_at(*((x, y) for x in (50, 80) for y in (50, 150)), *((x, y) for x in (800, 830) for y in (100, 200)))
    assert lines_of(boxes) == [[0, 2], [4, 6], [1, 3], [5, 7]]


def test_digits_of_a_line_may_be_uneven():
    rng = np.random.default_rng(1)
    for _ in range(20):
        boxes, at = [], 0.0
        for _ in range(12):
            height = 40 * rng.uniform(0.6, 1.4)
            base = 100 + rng.uniform(-4, 4)
            boxes.append((at, base - height, at + height / 2, base))
            at += height / 2 + rng.uniform(2, 30)
        assert lines_of(boxes) == [list(range(12))]


def test_lines_come_from_the_top_and_digits_from_the_left_in_any_order_of_the_boxes():
    boxes = boxes_at(*((40 * column, 80 * row) for row in range(4) for column in range(6)))
    order = np.random.default_rng(2).permutation(24)
    lines = lines_of([boxes[one] for one in order])
    assert [[int(order[one]) for one in line] for line in lines] == [
        list(range(6 * row, 6 * row + 6)) for row in range(4)
    ]


def test_digits_one_above_the_other_are_lines_of_their_own():
    assert lines_of(boxes_at((50, 150), (50, 50), (50, 100))) == [[1], [2], [0]]
