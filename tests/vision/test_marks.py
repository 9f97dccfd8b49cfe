"""Marks: what the networks' numbers mean in pixels, and which boxes are of one mark. The networks are none here."""

import numpy as np
import pytest

from study_keras.vision.levels import Level
from study_keras.vision.marks import IS_DIGIT, OFTEN, SHIPPED, Finder, find_marks, load_detector, propose
from study_keras.vision.overlaps import SAME, overlaps
from study_keras.vision.views import view


def level_of(contrast, scale):
    return Level(contrast, contrast, scale)


def detector_of(cells):
    """Return a detector that finds ``cells``: (row, column) -> (logit, left, top, right, bottom, dark), in spans."""

    def detect(planes):
        assert planes.dtype == np.float32
        assert planes.shape[1] % 8 == planes.shape[2] % 8 == 0
        answer = np.full((1, planes.shape[1] // 8, planes.shape[2] // 4, 6), -9, np.float32)
        for (row, column), values in cells.items():
            answer[0, row, column] = values
        return answer

    return detect


def reader_of(logits):
    """Return a reader that says the same of every mark, and that all of it is ink; it notes what it saw."""
    seen = []

    def read(views):
        seen.append(views[0, ..., 0])
        return np.array(logits, np.float32), np.full((32, 32), 9, np.float32)

    return read, seen


# Overlaps


def test_a_box_and_itself_are_the_same():
    common, covered = overlaps((3, 4, 30, 40), np.array([(3, 4, 30, 40), (100, 4, 130, 40)]))
    np.testing.assert_allclose(common, [1, 0])
    np.testing.assert_allclose(covered, [1, 0])


def test_a_box_in_another_is_covered():
    common, covered = overlaps((0, 0, 20, 20), np.array([(5, 5, 15, 15)]))
    assert (common[0], covered[0]) == (pytest.approx(0.25), pytest.approx(1))


def test_boxes_of_one_thin_stroke_are_of_one_mark_though_they_are_disjoint():
    """Two guesses at a "1" of 3 pixels may lie side by side; two digits beside each other do not count as one."""
    for boxes in (((10, 0, 13, 40), (14, 0, 17, 40)), ((0, 10, 40, 13), (0, 14, 40, 17))):
        common, _ = overlaps(boxes[0], np.array(boxes[1:]))
        assert common[0] > SAME
    common, _ = overlaps((10, 0, 13, 40), np.array([(24, 0, 27, 40), (26, 0, 46, 40)]))
    assert (common < SAME).all()


def test_nothing_overlaps_with_nothing():
    for found in overlaps((0, 0, 5, 5), np.zeros((0, 4))):
        assert found.shape == (0,)


# Proposals


def test_a_cell_is_a_box_around_its_middle():
    page = level_of(np.zeros((30, 50), np.float32), 1.0)
    finder = Finder(detector_of({(1, 5): (3, 0.5, 1, 0.25, 0.5, 2)}), reader_of(np.zeros(11))[0])
    boxes, scores, dark = propose(page, finder)
    np.testing.assert_allclose(boxes, [(22 - 11, 12 - 22, 22 + 5.5, 12 + 11)], rtol=1e-6)
    np.testing.assert_allclose(scores, [1 / (1 + np.exp(-3))], rtol=1e-6)
    assert dark.tolist() == [True]


def test_neighbours_that_see_one_mark_are_one_box_and_their_mean():
    near = {(1, 5): (3, 0.5, 0.5, 0.5, 0.5, 2), (1, 6): (3, 0.5, 0.5, 0.5, 0.5, -2)}
    finder = Finder(detector_of(near | {(1, 40): (1, 0.5, 0.5, 0.5, 0.5, 2)}), reader_of(np.zeros(11))[0])
    boxes, scores, _ = propose(level_of(np.zeros((30, 200), np.float32), 1.0), finder)
    np.testing.assert_allclose(boxes, [(13, 1, 35, 23), (151, 1, 173, 23)], rtol=1e-6)
    assert scores[0] > scores[1]


def test_nothing_is_found_on_empty_paper():
    finder = Finder(detector_of({}), reader_of(np.zeros(11))[0])
    assert find_marks([level_of(np.zeros((30, 50), np.float32), 1.0)], finder) == []


def test_a_mark_is_in_pixels_of_the_picture_and_white_on_black_for_the_reader():
    contrast = np.zeros((48, 80), np.float32)
    contrast[9:31, 29:51] = -0.5  # 22 pixels around (20, 40)
    read, seen = reader_of([0] * 7 + [5] + [0] * 3)
    finder = Finder(detector_of({(2, 9): (4, 9 / 22, 11 / 22, 13 / 22, 11 / 22, 3)}), read)
    (mark,) = find_marks([level_of(contrast, 4.0)], finder)
    np.testing.assert_allclose(mark.box, (4 * 29, 4 * 9, 4 * 51, 4 * 31), rtol=1e-5)
    np.testing.assert_allclose(mark.square, (4 * 24, 4 * 4, 4 * 32), rtol=1e-5)
    assert (mark.dark, mark.level, mark.probabilities.argmax()) == (True, 0, 7)
    assert mark.digit == pytest.approx(1 - 1 / (np.exp(5) + 10))
    np.testing.assert_allclose(seen[0][5:27, 5:27], 0.5, atol=1e-5)
    np.testing.assert_allclose(seen[0][:5], 0, atol=1e-5)


def test_of_two_levels_that_see_one_mark_only_the_likelier_is_kept():
    finest, half = (
        level_of(np.full((side, 2 * side), size / 9, np.float32), size) for side, size in ((48, 1.0), (24, 2.0))
    )

    def detect(planes):  # the same box in pixels of the picture, with a higher score in the half
        if len(planes[0]) == 48:
            return detector_of({(2, 9): (1, 0.5, 0.5, 0.5, 0.5, 1)})(planes)
        return detector_of({(1, 4): (3, 4.5 / 22, 7.5 / 22, 6.5 / 22, 3.5 / 22, 1)})(planes)

    found = find_marks([finest, half], Finder(detect, reader_of(np.zeros(11))[0]))
    assert [mark.level for mark in found] == [1]


def test_what_is_no_digit_takes_no_place_of_a_digit_in_it():
    finest, eighth = (level_of(np.zeros((side, 2 * side), np.float32), size) for side, size in ((384, 1.0), (48, 8.0)))

    def detect(planes):  # a likely digit of 20 pixels, and around it a shadow of 320 that is hardly one
        if len(planes[0]) == 384:
            return detector_of({(20, 40): (3, 10 / 22, 10 / 22, 10 / 22, 10 / 22, 1)})(planes)
        return detector_of({(2, 4): (-1.2, 20 / 22, 20 / 22, 20 / 22, 20 / 22, 1)})(planes)

    found = find_marks([finest, eighth], Finder(detect, reader_of(np.zeros(11))[0]))
    assert [mark.level for mark in found if mark.likelihood >= IS_DIGIT] == [0]


@pytest.mark.parametrize(("strokes", "count"), [((30,), 1), ((30, 51), 2)])
def test_one_stroke_that_is_framed_twice_is_one_mark(strokes, count):
    """Two boxes that have little in common, of one stroke of 3 x 40 pixels or of one each."""
    plane = np.zeros((64, 96), np.float32)
    for left in strokes:
        plane[12:52, left : left + 3] = 0.8

    def read(views):  # a mark's own ink is in the middle of what is seen
        seen = views[0, ..., 0]
        ink = np.where((seen > 0.2) & (np.abs(np.arange(32) - 15.5) < 7), 9, -9).astype(np.float32)
        return np.where(np.arange(11) == 1, 9, 0).astype(np.float32), ink

    half, high = 2 / 22, 20 / 22
    cells = {(3, 7): (3, half, high, half, high, -1), (3, 11): (2, 15 / 22, high, 6 / 22, high, -1)}
    if count == 2:
        cells[3, 12] = (2, half, high, half + 4 / 22, high, -1)
        del cells[3, 11]
    found = find_marks([level_of(plane, 1.0)], Finder(detector_of(cells), read))
    assert len(found) == count


def test_the_detector_answers_the_same_for_a_size_however_often_it_comes():
    detect, rng = load_detector(SHIPPED), np.random.default_rng(3)
    planes = [rng.uniform(-1, 1, (1, *size, 1)).astype(np.float32) for size in ((16, 24), (48, 32), (16, 24))]
    first = [detect(plane) for plane in planes]
    for _ in range(OFTEN):
        for plane, answer in zip(planes, first, strict=True):
            np.testing.assert_array_equal(detect(plane), answer)


# Views


def test_a_view_of_32_pixels_is_the_picture_itself():
    plane = np.random.default_rng(1).random((50, 60)).astype(np.float32)
    np.testing.assert_allclose(view(plane, 11, 7, 32), plane[7:39, 11:43], atol=1e-6)


def test_a_larger_view_is_averaged_and_a_shift_of_half_a_pixel_is_met():
    plane = np.random.default_rng(2).random((80, 80)).astype(np.float32)
    np.testing.assert_allclose(
        view(plane, 4, 8, 64), plane[8:72, 4:68].reshape(32, 2, 32, 2).mean(axis=(1, 3)), atol=1e-6
    )
    between = (plane[:32, :32] + plane[:32, 1:33]) / 2
    np.testing.assert_allclose(view(plane, 0.5, 0, 32), between, atol=1e-6)


@pytest.mark.parametrize(("left", "top"), [(-10, -10), (40, 40), (-10.5, 43.25), (-200, 3), (300, 300)])
def test_outside_of_the_picture_is_nothing(left, top):
    plane = np.ones((50, 50), np.float32)
    seen = view(plane, left, top, 32)
    middles = (left + np.arange(32) + 0.5, top + np.arange(32) + 0.5)
    inside = [(places > 0.5) & (places < 49.5) for places in middles]
    outside = [(places < -0.5) | (places > 50.5) for places in middles]
    np.testing.assert_allclose(seen[np.ix_(inside[1], inside[0])], 1, atol=1e-5)
    np.testing.assert_allclose(seen[outside[1]], 0, atol=1e-5)
    np.testing.assert_allclose(seen[:, outside[0]], 0, atol=1e-5)
