"""Digits that are small in their picture: the part that has them is read in double size."""

import numpy as np
import photos
import pytest
import rows
from pages import jpeg, leant, on_page
from scenes import enlarge

from study_keras import mnist
from study_keras.vision.closer import SMALL_DIGITS, enlarged, in_place, small_part
from study_keras.vision.detection import Candidate


def boxes_of(height, left=100, top=50, count=4):
    return [(left + 2 * height * at, top, left + 2 * height * at + height / 2, top + height) for at in range(count)]


def page_of_small_digits(images, rng, height):
    """Return a page of three lines of digits that are so many pixels high, and their boxes in each line."""
    ink, boxes, top = np.zeros((7 * height + 40, 400)), [], 20
    for line in np.split(images, 3):
        left = 20 + int(rng.integers(0, 20))
        boxes.append([])
        for image in line:
            piece = leant(enlarge(image, height / 20), 0.1)
            place = ink[top : top + piece.shape[0], left : left + piece.shape[1]]
            np.maximum(place, piece, out=place)
            boxes[-1].append((left, top, left + piece.shape[1], top + piece.shape[0]))
            left += piece.shape[1] + int(rng.uniform(0.15, 0.6) * height)
        top += round(2.2 * height)
    return jpeg(on_page(ink, rng)), boxes


@pytest.mark.parametrize("height", [16, 18])
def test_small_digits_are_read_and_their_boxes_are_in_the_picture(height):
    read, (images, labels) = photos.reader(), mnist.load_data()[1]
    answers = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        some = rng.integers(0, 10_000, 18)
        picture, boxes = page_of_small_digits(images[some], rng, height)
        answer = read(picture)
        wanted = ["".join(map(str, line)) for line in np.split(labels[some], 3)]
        answers += zip(wanted, [*answer["text"].split("\n"), "", "", ""][:3], strict=True)
        if answer["text"] == "\n".join(wanted):
            found = [digit["box"] for digit in answer["digits"]]
            np.testing.assert_allclose(np.mean(found, axis=0), np.mean(np.concatenate(boxes), axis=0), atol=2)
    assert photos.right(answers) >= 0.8, photos.failures(answers)


def test_the_part_has_the_digits_and_what_is_around_them_and_no_more_than_the_picture():
    assert small_part((400, 600), boxes_of(20, left=150, top=150)) == (30, 30, 400, 290)
    assert small_part((100, 250), boxes_of(20)) == (0, 0, 250, 100)


@pytest.mark.parametrize(
    ("shape", "found"),
    [
        ((400, 600), []),
        ((400, 600), boxes_of(SMALL_DIGITS)),
        ((400, 600), [*boxes_of(20), *boxes_of(60, count=6)]),  # a few are small, such as a date
        ((64, 64), boxes_of(20, count=1)),  # has been looked at in double size
        ((900, 1024), [(10, 10, 20, 30), (980, 10, 990, 30)]),  # too large a part
    ],
)
def test_other_pictures_are_read_once(shape, found):
    assert small_part(shape, found) is None


def test_an_array_of_more_pixels_than_are_looked_at_has_larger_small_digits():
    one = (1000, 1000, 1010, 1030)
    assert small_part((3000, 4000), [one]) is not None  # four of its pixels are one
    assert small_part((1000, 1000), [one]) is None


def test_what_is_found_in_the_enlarged_part_is_in_its_place():
    grey = np.random.default_rng(1).random((50, 80))
    part = (10, 20, 40, 44)
    assert enlarged(grey, part).shape == (48, 60)
    (one,) = in_place([Candidate((6, 8, 20, 40), np.zeros((28, 28)), np.eye(10)[3], 0)], part)
    assert one.box == (13, 24, 20, 40)


def test_large_digits_are_read_as_before():
    read, (images, labels) = photos.reader(), mnist.load_data()[1]
    pieces = [rows.digit_ink(images[one]) for one in range(5)]
    light, _ = rows.row(pieces, np.random.default_rng(2))
    assert read(light)["text"] == "".join(map(str, labels[:5]))
