"""Any picture -> (28, 28): the golden vectors, two languages that agree, and digits that stay readable."""

import numpy as np
import pytest
from golden_vectors import GOLDEN
from photos import encode
from PIL import Image
from scenes import enlarge, line_of, paper, prepare_in_javascript, scene

from study_keras import mnist
from study_keras.data.dataset import scale
from study_keras.report import evaluation
from study_keras.train import fit, models
from study_keras.vision import binarize, components, normalize
from study_keras.vision.image_io import read_image
from study_keras.vision.prepare import CONTRACT, prepare
from study_keras.vision.segment import segment_lines


@pytest.fixture(scope="module")
def test_set():
    """The 10,000 test images and their labels."""
    return mnist.load_data()[1]


@pytest.fixture(scope="module")
def network():
    """The tutorial's network after 5 epochs over 6,000 training images."""
    (images, labels), _ = mnist.load_data()
    fit.set_seed(6)
    model = models.mlp()
    models.compile(model)
    fit.train(model, images[:6_000], labels[:6_000], epochs=5, seed=6)
    return model


def segment_digits(grey):
    """The boxes and the ink of all digits, in reading order."""
    return [digit for line in segment_lines(grey).lines for digit in line]


def accuracy(model, digits, labels):
    images = np.round(255 * np.array(digits)).astype(np.uint8)
    return float((evaluation.predict(model, images).argmax(axis=1) == labels).mean())


# The contract


def test_both_languages_meet_the_golden_vectors(tmp_path):
    names = sorted(path.stem for path in GOLDEN.glob("*.png") if path.stem != "digits")
    greys = [read_image(GOLDEN / f"{name}.png") for name in names]
    sheet = read_image(GOLDEN / "digits.png")
    expected = np.array(np.split(sheet, len(names), axis=1))
    said, digits, _ = prepare_in_javascript(greys, tmp_path)
    assert len(names) >= 36
    assert said == {"contract": CONTRACT, "errors": [None] * len(names)}
    for name, grey, answer, digit in zip(names, greys, expected, digits, strict=True):
        np.testing.assert_allclose(prepare(grey), answer, atol=1.001 / 255, err_msg=name)
        np.testing.assert_allclose(digit, answer, atol=1.001 / 255, err_msg=name)


def test_python_and_javascript_agree_on_500_pictures(test_set, tmp_path):
    rng = np.random.default_rng(1)
    greys = [scene(digit, rng, inverted=index % 2 == 1) for index, digit in enumerate(test_set[0][:500])]
    said, digits, _ = prepare_in_javascript(greys, tmp_path)
    assert said["errors"] == [None] * 500
    np.testing.assert_array_equal(digits, [prepare(grey) for grey in greys])


def test_both_refuse_the_same_and_see_the_same_colours(test_set, tmp_path):
    rng = np.random.default_rng(2)
    blank = np.full((40, 50), 0.5, np.float32)
    greys = [blank, np.clip(paper((90, 120), rng), 0, 1), np.full((2, 9), 1, np.float32), np.eye(600, 2) * 1.0]
    colours = rng.integers(0, 256, (30, 20, 4), np.uint8)
    said, _, light = prepare_in_javascript(greys, tmp_path, colours.tobytes())
    assert all(said["errors"])
    for grey in greys:
        with pytest.raises(ValueError, match="expected"):
            prepare(grey)
    np.testing.assert_array_equal(light.reshape(30, 20), read_image(encode(Image.fromarray(colours))))


def test_the_contract_is_stable_once_met(test_set):
    rng = np.random.default_rng(3)
    for digit in test_set[0][:50]:
        once = prepare(scene(digit, rng))
        np.testing.assert_array_equal(prepare(once), once)
        np.testing.assert_array_equal(once, np.round(255 * once).astype(np.uint8) / np.float32(255))


# MNIST itself


def test_all_test_images_and_their_negatives_pass_unchanged(test_set):
    for image in scale(test_set[0]):
        np.testing.assert_array_equal(prepare(image), image)
    for image in scale(test_set[0][:500]):
        np.testing.assert_array_equal(prepare(1 - image), image)


@pytest.mark.parametrize("shift", [(0, 3), (2, 0), (-2, -2)])
def test_a_picture_of_28_pixels_that_is_not_as_mnists_is_prepared(test_set, shift):
    image = scale(test_set[0][0])
    assert np.abs(prepare(np.roll(image, shift, axis=(0, 1))) - image).mean() < 0.06
    assert not normalize.is_mnist(np.roll(image, shift, axis=(0, 1)))


@pytest.mark.parametrize("inverted", [False, True])
def test_enlarged_digits_come_back_and_are_still_read(test_set, network, inverted):
    images, labels = test_set[0][:500], test_set[1][:500]
    rng = np.random.default_rng(4)
    digits = [prepare(scene(image, rng, inverted, degrees=0)) for image in images]
    before, after = accuracy(network, scale(images), labels), accuracy(network, digits, labels)
    difference = np.abs(np.array(digits) - scale(images)).mean()
    assert before > 0.9
    assert after > before - 0.02, (before, after)
    assert difference < 0.045, difference


def test_turned_digits_are_still_read(test_set, network):
    images, labels = test_set[0][:300], test_set[1][:300]
    rng = np.random.default_rng(5)
    digits = [prepare(scene(image, rng)) for image in images]
    assert accuracy(network, digits, labels) > accuracy(network, scale(images), labels) - 0.03


def ruled(digit, rng):
    light = scene(digit, rng, degrees=0, grain=0.01)
    light[len(light) // 10 :: len(light) // 4] *= 0.5
    return light


def specked(digit, rng):
    light = scene(digit, rng, degrees=0, grain=0.01)
    light[2:4, 2:4] = light[-4:-2, 5:7] = 0.1
    return light


def in_a_shadow(digit, rng):
    drawn = np.pad(enlarge(digit, 8), 30)
    return np.linspace(0.4, 1, drawn.shape[1]) * (1 - 0.6 * drawn)


def in_a_large_photo(digit, rng):
    drawn = np.pad(enlarge(digit, 2), ((200, 400), (300, 100)))
    return np.clip(paper(drawn.shape, rng) * (1 - 0.7 * drawn), 0, 1)


@pytest.mark.parametrize("take", [ruled, specked, in_a_shadow, in_a_large_photo])
def test_hard_paper_costs_little(test_set, network, take):
    images, labels = test_set[0][:100], test_set[1][:100]
    rng = np.random.default_rng(6)
    digits = [prepare(take(image, rng)) for image in images]
    assert accuracy(network, digits, labels) >= accuracy(network, scale(images), labels) - 0.03


# No ink


@pytest.mark.parametrize(
    ("grey", "message"),
    [
        (np.zeros((0, 0)), r"shape \(0, 0\)"),
        (np.zeros((2, 50)), "at least 3 x 3"),
        (np.zeros((28, 28, 3)), r"expected \(height, width\)"),
        (np.zeros((28, 28), np.uint8), "divide bytes by 255"),
        (np.full((28, 28), np.nan), "expected finite numbers"),
        (np.linspace(0, 255, 900).reshape(30, 30), "values from 0.0 to 255.0"),
        (np.ones((28, 28)), "every pixel is 1.000: a picture of one colour"),
        (np.linspace(0.3, 0.9, 10_000).reshape(100, 100), "no ink found"),
        (np.random.default_rng(0).uniform(0, 1, (80, 80)), "no ink found"),
        (np.eye(3, 3000), "too narrow"),
    ],
)
def test_pictures_without_a_digit_are_refused(grey, message):
    for read in (prepare, segment_digits):
        if read is prepare or "narrow" not in message:
            with pytest.raises(ValueError, match=message):
                read(grey)


@pytest.mark.parametrize("grain", [0.001, 0.02, 0.06])
def test_empty_paper_is_refused(grain):
    for seed in range(10):
        with pytest.raises(ValueError, match="no ink found"):
            prepare(np.clip(paper((120, 160), np.random.default_rng(seed), grain), 0, 1))


# Several digits


def test_pieces_are_what_a_flood_fill_finds():
    mask = np.random.default_rng(7).random((60, 70)) < 0.35
    found = components.connected_components(mask)
    left = mask.copy()
    for number in range(len(found.areas)):
        row, column = np.argwhere(left)[0]  # pieces are numbered by their first pixels
        waiting, seen = [(row, column)], set()
        while waiting:
            y, x = waiting.pop()
            if 0 <= y < 60 and 0 <= x < 70 and left[y, x]:
                left[y, x] = False
                seen.add((y, x))
                waiting += [(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
        assert seen == set(map(tuple, np.argwhere(found.labels == number)))
        assert found.areas[number] == len(seen)
        rows, columns = zip(*seen, strict=True)
        assert tuple(found.boxes[number]) == (min(columns), min(rows), max(columns) + 1, max(rows) + 1)
    assert not left.any()


def test_lines_of_six_digits_are_cut_into_six(test_set, network):
    images, labels = test_set
    rng = np.random.default_rng(8)
    six, right = 0, 0
    for _ in range(60):
        chosen = rng.integers(0, 10_000, 6)
        found = segment_digits(line_of(images[chosen], rng))
        if len(found) == 6:
            six += 1
            read = evaluation.predict(network, np.round([255 * normalize.normalize(crop) for _, crop in found]))
            right += int((read.argmax(axis=1) == labels[chosen]).sum())
    assert six >= 57
    assert right / (6 * six) > 0.9


def test_digits_are_read_line_by_line_and_boxes_hold_them(test_set):
    page = np.ones((700, 600))
    places = [(20, 30), (35, 300), (20, 450), (400, 60), (420, 330)]  # top, left
    for digit, (top, left) in zip(test_set[0], places, strict=False):
        page[top : top + 112, left : left + 112] -= 0.8 * enlarge(digit, 4)
    page[250:254, 100:106] = page[650:655, 20:25] = 0.2  # specks
    page[350:353] = 0.4  # a ruled line
    found = segment_digits(page)
    assert len(found) == 5
    for (box, crop), (top, left) in zip(found, places, strict=True):
        assert left <= box[0] < box[2] <= left + 112
        assert top <= box[1] < box[3] <= top + 112
        assert 0 <= crop.min() < crop.max() <= 1


def test_a_bar_apart_stays_with_its_digit():
    page = np.ones((120, 260))
    page[20:100, 30:40] = page[30:100, 150:160] = page[92:100, 150:200] = 0.1
    page[20:26, 165:210] = 0.1  # the bar of a 5, apart from its body
    assert [box for box, _ in segment_digits(page)] == [(30, 20, 40, 100), (150, 20, 210, 100)]


def test_the_ink_of_a_digit_is_the_same_alone_and_in_company(test_set):
    drawn = 1 - 0.9 * enlarge(test_set[0][2], 4)
    ((_, alone),) = segment_digits(drawn)
    (_, first), _ = segment_digits(np.hstack([drawn, drawn]))
    assert np.abs(normalize.normalize(alone) - normalize.normalize(first)).mean() < 0.01


def test_box_sums_are_sums_over_boxes():
    values = np.random.default_rng(9).random((9, 14))
    sums = binarize.box_filter(values, 2)
    for row, column in np.ndindex(values.shape):
        box = values[max(row - 2, 0) : row + 3, max(column - 2, 0) : column + 3]
        assert sums[row, column] == pytest.approx(box.sum())
    np.testing.assert_array_equal(binarize.box_filter(values > 0.5, 3), binarize.box_filter((values > 0.5) * 1.0, 3))


def test_sums_in_a_faster_order_decide_nothing_that_is_close():
    difference = np.random.default_rng(10).normal(0, 1, 40_000)
    below = np.minimum(difference, 0)
    noise = float(np.sqrt(np.cumsum(below * below)[-1] / np.count_nonzero(below)))
    faster = float(np.sqrt((below * below).sum() / np.count_nonzero(below)))
    assert noise != faster  # so the order shows
    for limit in (0, noise / 2, np.nextafter(noise, 0), noise, np.nextafter(noise, 2), 1.0005 * noise):
        assert binarize._noise(difference, limit) == noise
    assert binarize._noise(difference, 2 * noise) == pytest.approx(noise)
    even = np.concatenate([difference, -difference[::-1]])  # its third powers add up to what rounding leaves
    assert binarize._sum_of_cubes(even) == np.cumsum(even * even * even)[-1]
    assert binarize._sum_of_cubes(difference + 0.1) == pytest.approx(np.cumsum((difference + 0.1) ** 3)[-1])
