"""Pages that lie on their side or upside down: they are read turned, and boxes are those of the file."""

import numpy as np
import photos
import pytest
import rows
from pages import on_page

from study_keras import mnist
from study_keras.vision import recognize
from study_keras.vision.detection import Candidate, Detection, to_dict


@pytest.fixture(scope="module")
def read():
    """``recognize`` with the shipped networks."""
    return photos.reader()


def number(rng, text="235"):
    """The light of a page with a number of test digits."""
    images, labels = mnist.load_data()[1]
    digits = [images[rng.choice(np.flatnonzero(labels == int(letter)))] for letter in text]
    return on_page(rows.line_ink(np.array(digits), rng), rng)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_turned_number_is_read(read, quarters):
    answers = []
    for seed in range(12):
        light = np.rot90(number(np.random.default_rng(seed)), quarters)
        answer = read(light)
        answers.append((f"235 {360 - 90 * quarters}", f"{answer['text']} {answer['turned']}"))
        for digit in answer["digits"]:
            left, top, right, bottom = digit["box"]
            assert light[top:bottom, left:right].min() < light.mean() - 0.1, digit  # there is ink
    assert photos.right(answers) >= 0.6, answers


def test_an_upright_number_is_not_turned(read):
    numbers = ("235", "47", "60918", "11", "69", "76651")
    turned = [read(number(np.random.default_rng(seed), text))["turned"] for text in numbers for seed in range(3)]
    assert turned.count(0) >= 0.95 * len(turned), turned


@pytest.mark.parametrize(("likelihood", "text"), [(0.9, "4"), (0.4, "17")])
def test_one_clear_digit_is_not_turned_into_two(monkeypatch, likelihood, text):
    """An open 4 upside down looks like a 1 and a 7."""
    page, image = np.random.default_rng(1).random((60, 40)), np.zeros((28, 28), np.float32)

    def candidates(grey, *_):
        probability, labels, digit = (0.6, [4], likelihood) if np.array_equal(grey, page) else (0.99, [1, 7], 0.5)
        rows = [np.where(np.arange(10) == label, probability, 0).astype(np.float32) for label in labels]
        return [Candidate((10 * at, 5, 10 * at + 9, 50), image, row, 0, digit) for at, row in enumerate(rows)]

    monkeypatch.setattr(recognize, "_candidates", candidates)
    assert to_dict(recognize.detect(page, None, finder=object()))["text"] == text


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_boxes_lie_on_their_ink_in_the_upright_file(quarters):
    grey = np.ones((60, 100))
    grey[10:40, 70:85] = 0
    turned = np.rot90(grey, quarters)
    ink = np.argwhere(turned == 0)
    (top, left), (bottom, right) = ink.min(axis=0), ink.max(axis=0) + 1
    row = np.eye(10, dtype="float32")[5]
    one = Candidate((left, top, right, bottom), np.zeros((28, 28), "float32"), row, 0)
    other = one._replace(digit=0.0)
    answer = to_dict(Detection(turned, 2.0, [one, other], list("0123456789"), 90 * quarters))
    assert answer["text"] == "5?"
    assert answer["turned"] == 90 * quarters
    assert answer["digits"][0]["box"] == answer["unread"][0] == [140, 20, 170, 80]


def test_boxes_end_at_the_edge_of_the_file():
    row = np.eye(10, dtype="float32")[5]
    one = Candidate((-3.2, -1, 104, 60.4), np.zeros((28, 28), "float32"), row, 0)
    assert to_dict(Detection(np.ones((60, 100)), 1.0, [one], list("0123456789")))["digits"][0]["box"] == [0, 0, 100, 60]
