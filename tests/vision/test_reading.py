"""What is read: photos of digits and of print, lines, MNIST's own images; where, and how certainly."""

import io

import numpy as np
import photos
import pytest
from golden_vectors import GOLDEN
from pages import cropped
from PIL import Image
from scenes import enlarge, line_of, paper

from study_keras import mnist
from study_keras.data.dataset import scale
from study_keras.vision.classifier import load_network


@pytest.fixture(scope="module")
def read():
    """``recognize`` with the shipped networks."""
    return photos.reader()


@pytest.fixture(scope="module")
def network():
    """The shipped one for single digits."""
    return load_network()


@pytest.fixture(scope="module")
def test_set():
    """The 10,000 test images and their labels."""
    return mnist.load_data()[1]


# Photos. The figures, more of them and font by font: python tests/vision/photos.py


def test_photos_of_single_digits_are_read(read):
    answers = photos.read_singles(read, 200)
    assert photos.right(answers) >= 0.97, photos.failures(answers)


def test_photos_of_six_digits_are_read_as_a_number(read):
    answers = photos.read_lines(read, 100)
    assert photos.right(answers) >= 0.88, photos.failures(answers)


HARDEST = {
    "gochi-hand": 0.65,
    "shadows-into-light": 0.4,
}  # what is reached, with some room


@pytest.mark.parametrize("font", photos.LIKE_HANDWRITING + photos.PRINT)
def test_typed_numbers_are_read(read, font):
    answers = photos.read_typed(read, font, 20)
    assert photos.right(answers) >= HARDEST.get(font, 0.85), photos.failures(answers)


def filling(digit, side):
    """A digit in ink without greys that fills a picture, from edge to edge."""
    ink = cropped(enlarge(digit, 4))
    size = [max(1, round(side * length / max(ink.shape))) for length in ink.shape[::-1]]
    small = np.asarray(Image.fromarray(np.round(255 * ink).astype(np.uint8)).resize(size, Image.Resampling.BOX)) > 76
    page = np.zeros((side, side))
    top, left = ((side - length) // 2 for length in small.shape)
    page[top : top + small.shape[0], left : left + small.shape[1]] = small
    return page


@pytest.mark.parametrize("dark", [False, True])
def test_a_digit_that_fills_a_small_picture_is_read(read, test_set, dark):
    images, labels = test_set
    pages = [filling(image, 32) for image in images[:150]]
    answers = [
        (str(label), read(1 - page if dark else page)["text"]) for page, label in zip(pages, labels, strict=False)
    ]
    assert photos.right(answers) >= 0.96, photos.failures(answers)


def test_lines_are_read_from_the_top(read, test_set):
    rng = np.random.default_rng(4)
    images, labels = test_set
    rows = [line_of(images[start : start + 4], rng) for start in (0, 10, 20)]
    page = np.full((sum(len(row) for row in rows), max(row.shape[1] for row in rows)), 0.8)
    top = 0
    for row in rows:
        part = page[top : top + len(row), : row.shape[1]]
        np.minimum(part, row, out=part)
        top += len(row)
    expected = ["".join(map(str, labels[start : start + 4])) for start in (0, 10, 20)]
    answer = read(page)
    assert answer["text"].split("\n") == expected
    assert len(answer["digits"]) == 12


def test_what_the_contract_prepares_is_read_as_a_number_too(read, test_set):
    labels = test_set[1]
    shown = {f"{kind}_{number}": labels[number] for kind in ("plain", "paper", "night") for number in range(10)}
    shown |= {"mnist": labels[0], "negative": labels[0], "ruled": labels[3], "small": labels[4]}
    for name, label in shown.items():
        assert read(GOLDEN / f"{name}.png")["text"] == str(label), name


@pytest.mark.parametrize(("rules", "dark"), [([0], 0.6), ([0, 1], 0.7), ([0, 1, 2], 0.6)])
def test_digits_on_ruled_paper_are_read(read, test_set, rules, dark):
    answers = []
    for digit, label in zip(test_set[0][:60], test_set[1], strict=False):
        drawn = np.pad(enlarge(digit, 5), 20)
        page = paper(drawn.shape, np.random.default_rng(int(label)), 0.01) * (1 - 0.7 * drawn)
        for row in rules:
            page[7 + row :: 40] *= dark
        answers.append((str(label), read(page.clip(0, 1))["text"]))
    assert photos.right(answers) >= 0.95, photos.failures(answers)


def test_the_box_is_where_the_digit_is(read, test_set):
    page = np.full((200, 300), 0.9)
    page[40:124, 150:234] -= 0.8 * enlarge(test_set[0][0], 3)
    (digit,) = read(photos.encoded(page))["digits"]
    inked = np.argwhere(page < 0.5)
    top, left = inked.min(axis=0)
    bottom, right = inked.max(axis=0) + 1
    np.testing.assert_allclose(digit["box"], [left, top, right, bottom], atol=3)
    assert digit["digit"] == digit["probabilities"].index(digit["probability"]) == 7


def test_a_photo_on_its_side_is_read_upright(read, test_set):
    page = Image.fromarray(np.round(255 - 200 * enlarge(test_set[0][0], 5)).astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    page.transpose(Image.Transpose.ROTATE_90).save(file, "JPEG", exif=exif)
    assert read(file.getvalue())["text"] == "7"


def test_mnists_own_images_pass_to_the_network_unchanged(read, network, test_set):
    for image in test_set[0][:20]:
        for pixels in (image, 255 - image):
            answer = read(photos.encoded(pixels / 255))
            expected = network(scale(image[None]))[0]
            assert answer["digits"][0]["probabilities"] == pytest.approx(expected.tolist(), abs=1e-6)


def test_uncertain_answers_are_marked_and_are_wrong_more_often(read, network, test_set):
    images, labels = test_set
    rows = network(scale(images))
    wrong = rows.argmax(axis=1) != labels
    doubtful = [read(photos.encoded(images[one] / 255)) for one in np.argsort(rows.max(axis=1))[:40]]
    assert not any(digit["certain"] for answer in doubtful for digit in answer["digits"])
    certain = rows.max(axis=1) >= 0.9999
    assert wrong[~certain].mean() > 20 * wrong[certain].mean()
    digits = [digit for image in images[:40] for digit in read(photos.encoded(image / 255))["digits"]]
    assert sum(digit["certain"] for digit in digits) >= 38
