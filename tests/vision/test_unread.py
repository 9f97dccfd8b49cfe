"""Ink that is no digit: in a line it is a ? with a box, alone it is nothing."""

import numpy as np
import photos
import pytest
import rows
import strokes
from scenes import paper

from study_keras import mnist
from study_keras.vision.levels import levels_of
from study_keras.vision.marks import Mark
from study_keras.vision.unread import unread_boxes, without_low


@pytest.fixture(scope="module")
def read():
    """``recognize`` with the shipped networks."""
    return photos.reader()


@pytest.fixture(scope="module")
def test_set():
    """The 10,000 test images and their labels."""
    return mnist.load_data()[1]


def common(one, other):
    """Return the intersection over union of two boxes."""
    wide, high = (min(one[at + 2], other[at + 2]) - max(one[at], other[at]) for at in (0, 1))
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    both = max(wide, 0) * max(high, 0)
    return both / (areas - both)


# In a line


@pytest.mark.parametrize("make", [rows.splotch, rows.hatching], ids=lambda make: make.__name__)
def test_ink_that_is_not_read_is_a_question_mark_and_has_a_box(read, test_set, make):
    images, labels = test_set
    answers = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        some = rng.integers(0, 10_000, 5)
        pieces = [rows.digit_ink(images[one]) for one in some]
        light, boxes = rows.row([*pieces[:3], make(), *pieces[3:]], rng)
        answer = read(light)
        written = "".join(map(str, labels[some]))
        answers.append((f"{written[:3]}?{written[3:]}", answer["text"]))
        if answers[-1][0] == answers[-1][1]:
            (box,) = answer["unread"]
            assert common(box, boxes[3]) > 0.6, (box, boxes[3])
            assert len(answer["digits"]) == 5
    assert photos.right(answers) >= 0.9, photos.failures(answers)


@pytest.mark.parametrize("make", [rows.full_stop, rows.comma, rows.dash], ids=lambda make: make.__name__)
def test_commas_dots_and_dashes_are_left_out(read, test_set, make):
    images, labels = test_set
    answers = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        some = rng.integers(0, 10_000, 5)
        pieces = [rows.digit_ink(images[one]) for one in some]
        answer = read(rows.row([*pieces[:3], make(), *pieces[3:]], rng)[0])
        answers.append(("".join(map(str, labels[some])), answer["text"]))
        assert len(answer["unread"]) == answer["text"].count("?")
    assert photos.right(answers) >= 0.9, photos.failures(answers)


def test_a_sign_of_degrees_is_no_zero(read, test_set):
    images, labels = test_set
    answers = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        some = rng.integers(0, 10_000, 2)
        pieces = [*(rows.digit_ink(images[one], 150) for one in some), rows.degree(150)]
        answers.append(("".join(map(str, labels[some])), read(rows.row(pieces, rng, 150)[0])["text"]))
    assert photos.right(answers) >= 0.9, photos.failures(answers)


@pytest.mark.parametrize(
    ("heights", "kept"), [([40, 41, 39], [0, 1, 2]), ([40, 19, 41], [0, 2]), ([120, 30], [0]), ([120, 50], [0, 1])]
)
def test_marks_as_low_as_commas_are_left_out(heights, kept):
    marks = marks_at(*((30 * at, 0, 30 * at + 20, high) for at, high in enumerate(heights)))
    assert without_low(range(len(heights)), marks) == kept


# Alone


@pytest.mark.parametrize("kind", list(strokes.blobs()))
def test_a_blob_is_no_digit(read, kind):
    assert read(strokes.blobs()[kind]) == {"text": "", "digits": [], "unread": [], "turned": 0}


def letter(rng):
    fonts = [photos.fontsource(font) for font in photos.LIKE_HANDWRITING + photos.PRINT]
    return photos.typed(str(rng.choice(list("AEFHKMNPRTWXadehkmnrwx"))), rng.choice(fonts), rng)


def empty(rng):
    return photos.encoded(paper(tuple(rng.integers(60, 300, 2)), rng))


def print_comma(rng):
    return photos.typed(",", rng.choice([photos.fontsource(font) for font in photos.PRINT]), rng)


def test_ink_alone_that_is_no_digit_is_nothing(read):
    makers = [letter, print_comma, empty, strokes.cross, strokes.scribble, strokes.arrow]
    rng = np.random.default_rng(16)
    found = {make.__name__: [text for _ in range(25) if (text := read(make(rng))["text"])] for make in makers}
    assert sum(map(len, found.values())) <= 0.1 * 25 * len(makers), found


# The boxes


def marks_at(*boxes, dark=True):
    """Return marks for certain digits at these boxes of the finest level."""
    nothing = np.zeros(11), np.zeros((32, 32))
    return [Mark(box, 1.0, *nothing, (box[0], box[1], 40), dark, 0) for box in boxes]


def page_of(*boxes):
    """Return a dark-on-light page (120, 400) with these boxes drawn, with a pen of 5 pixels."""
    page = np.full((120, 400), 0.9)
    for left, top, right, bottom in boxes:
        page[top:bottom, left:right] = 0.2
        page[top + 5 : bottom - 5, left + 5 : right - 5] = 0.9
    return page


ZEROS = (80, 40, 105, 80), (140, 40, 165, 80)
ONES = (95, 40, 100, 80), (150, 40, 155, 80)


@pytest.mark.parametrize(
    ("other", "found"),
    [
        ((190, 40, 215, 80), True),
        ((114, 45, 132, 75), True),
        ((40, 40, 60, 80), True),
        ((200, 70, 206, 76), False),  # a full stop
        ((200, 72, 206, 88), False),  # a comma
        ((190, 58, 212, 63), False),  # a dash
        ((190, 22, 215, 98), False),  # a frame
        ((260, 40, 285, 80), False),  # too far away
        ((120, 50, 121, 80), False),  # a hair
    ],
)
def test_boxes_of_ink_as_high_as_the_digits(other, found):
    page = page_of(*ZEROS, other)
    for grey, dark in ((page, True), (1 - page, False)):
        boxes = unread_boxes(marks_at(*ZEROS, dark=dark), [], [levels_of(grey)[0]])
        assert len(boxes) == found
        if found:
            np.testing.assert_allclose(boxes[0], other, atol=2)


@pytest.mark.parametrize(("line", "blot"), [(ZEROS, False), (ONES, False), (ZEROS, True)])
def test_neither_thin_digits_nor_a_blot_hide_it(line, blot):
    """Contrast is relative to what is around: that of a thin stroke is higher, and that of a blot lower."""
    page = page_of(*line, (185, 40, 210, 80))
    if blot:
        page[40:80, 185:210] = 0.2
    (box,) = unread_boxes(marks_at(*line), [], levels_of(page))
    np.testing.assert_allclose(box, (185, 40, 210, 80), atol=2)


def test_faint_ink_is_not_that_of_the_line():
    page = page_of(*ZEROS)
    page[40:80, 185:210] = 0.83  # what shows through from the other side of the sheet
    assert unread_boxes(marks_at(*ZEROS), [], levels_of(page)) == []


@pytest.mark.parametrize("rise", [0, 12, -12])
def test_ink_of_another_line_is_not_reported(rise):
    """Lines that rise reach into each other: what is read in one is not unread in the other."""
    below = [(left, top + 38 + rise, right, bottom + 38 + rise) for left, top, right, bottom in ZEROS]
    page = np.pad(page_of(*ZEROS, *below), ((0, 60), (0, 0)), constant_values=0.9)
    for line, others in ((ZEROS, below), (below, ZEROS)):
        assert unread_boxes(marks_at(*line), marks_at(*others), levels_of(page)) == []


def test_ink_between_two_lines_that_rise_is_reported_in_the_line_that_it_is_in():
    upper = [(60 + 50 * at, 70 - 15 * at, 80 + 50 * at, 94 - 15 * at) for at in range(5)]
    lower = [(left, top + 40, right, bottom + 40) for left, top, right, bottom in upper]
    blot = lower.pop(3)  # as high on the page as the left of the line above
    page = np.pad(page_of(*upper, *lower, blot), ((0, 60), (0, 0)), constant_values=0.9)
    assert unread_boxes(marks_at(*upper), marks_at(*lower), levels_of(page)) == []
    (box,) = unread_boxes(marks_at(*lower), marks_at(*upper), levels_of(page))
    np.testing.assert_allclose(box, blot, atol=2)


def test_boxes_are_in_pixels_of_the_picture():
    page = page_of(*ZEROS, (185, 40, 210, 80))
    marks = [mark._replace(box=tuple(4 * side for side in mark.box)) for mark in marks_at(*ZEROS)]
    (box,) = unread_boxes(marks, [], [levels_of(page)[0]._replace(scale=4.0)])
    np.testing.assert_allclose(box, (740, 160, 840, 320), atol=8)
