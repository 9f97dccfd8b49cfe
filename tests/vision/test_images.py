"""Any picture -> its digits, (28, 28): the golden vectors, two languages that agree, and digits that stay readable."""

import json

import numpy as np
import pytest
from golden_vectors import GOLDEN, cell, thick
from photos import encode
from PIL import Image
from scenes import enlarge, in_a_large_photo, in_a_shadow, line_of, paper, read_in_javascript, ruled, scene, specked

from study_keras import mnist
from study_keras.data.dataset import scale
from study_keras.report import evaluation
from study_keras.train import fit, models
from study_keras.vision import components, levels, normalize
from study_keras.vision.classifier import load_network
from study_keras.vision.image_io import read_image
from study_keras.vision.marks import load_finder
from study_keras.vision.prepare import CONTRACT, prepare
from study_keras.vision.recognize import detect, recognize


@pytest.fixture(scope="module")
def test_set():
    """The 10,000 test images and their labels."""
    return mnist.load_data()[1]


@pytest.fixture(scope="module")
def finder():
    """The shipped networks that find digits."""
    return load_finder()


@pytest.fixture(scope="module")
def shipped():
    """The shipped network for one digit."""
    return load_network()


@pytest.fixture(scope="module")
def network():
    """The tutorial's network after 5 epochs over 6,000 training images."""
    (images, labels), _ = mnist.load_data()
    fit.set_seed(6)
    model = models.mlp()
    models.compile(model)
    fit.train(model, images[:6_000], labels[:6_000], epochs=5, seed=6)
    return model


def accuracy(model, digits, labels):
    images = np.round(255 * np.array(digits)).astype(np.uint8)
    return float((evaluation.predict(model, images).argmax(axis=1) == labels).mean())


def boxes_of(answer):
    return [digit["box"] for digit in answer["digits"]] + answer["unread"]


# The contract


def assert_alike(one, other, name):
    """The page's networks have bytes as weights, and Python's the same numbers rounded to float16."""
    apart = np.abs(one - other)
    assert (apart > 3.001 / 255).mean() <= 0.01, name
    assert apart.max() < 0.2, name


def test_both_languages_meet_the_golden_vectors(finder, shipped, tmp_path):
    expected = json.loads((GOLDEN / "expected.json").read_text())
    names = sorted(path.stem for path in GOLDEN.glob("*.png") if path.stem != "digits")
    assert list(expected) == names
    assert len(names) >= 42
    greys = [read_image(GOLDEN / f"{name}.png") for name in names]
    said = read_in_javascript(greys, tmp_path)
    assert said.contract == CONTRACT
    sheet = np.split(read_image(GOLDEN / "digits.png"), len(names), axis=1)
    for name, grey, image, picture, digit in zip(names, greys, sheet, said.pictures, said.images, strict=True):
        answer = recognize(grey, shipped, finder=finder)
        for one in (answer, picture):
            assert (one["text"], one["turned"]) == (expected[name]["text"], expected[name]["turned"]), name
        assert (picture["prepareError"] is None) == expected[name]["prepared"], name
        assert_alike(digit, image, name)
        if expected[name]["prepared"]:
            assert_alike(prepare(grey, finder), image, name)
        else:
            with pytest.raises(ValueError, match="no digit found"):
                prepare(grey, finder)


def pictures_of_all_kinds(images, rng):
    """150 greys: digits in any light, lines, cells, pages upright and turned, and digits in 28 x 28 pixels."""
    for index, digit in enumerate(images[:60]):
        yield scene(digit, rng, inverted=index % 2 == 1)
    for digit in images[60:66]:
        for look in (ruled, specked, in_a_shadow, in_a_large_photo):
            yield look(digit, rng)
    for start in range(100, 220, 6):
        yield line_of(images[start : start + 6], rng)
    for start in range(220, 280, 3):
        rows = [line_of(images[start : start + 3], rng) for _ in range(2)]
        width = min(row.shape[1] for row in rows)
        yield np.rot90(np.vstack([row[:, :width] for row in rows]), start)
    for digit in images[300:310]:
        yield cell(digit)
        yield thick(digit)
    for digit in images[310:316]:
        yield np.roll(digit / 255, 2, axis=1)


def test_python_and_javascript_agree_on_150_pictures(test_set, finder, shipped, tmp_path):
    greys = [grey.astype(np.float32) for grey in pictures_of_all_kinds(test_set[0], np.random.default_rng(1))]
    said = read_in_javascript(greys, tmp_path)
    other_texts, other_images = [], []
    for number, (grey, picture, image) in enumerate(zip(greys, said.pictures, said.images, strict=True)):
        answer = recognize(grey, shipped, finder=finder)
        if (answer["text"], answer["turned"]) != (picture["text"], picture["turned"]):
            other_texts.append(number)
            continue
        for one, other in zip(answer["digits"], picture["digits"], strict=True):
            np.testing.assert_allclose(one["probabilities"], other["probabilities"], atol=0.02)
        ours, theirs = boxes_of(answer), [digit["box"] for digit in picture["digits"]] + picture["unread"]
        np.testing.assert_allclose(np.reshape(ours, -1), np.reshape(theirs, -1), atol=0.75)  # whole pixels in Python
        prepared = image if picture["prepareError"] else prepare(grey, finder)
        if (np.abs(prepared - image) > 3.001 / 255).mean() > 0.01:
            other_images.append(number)
    print(f"other texts: {other_texts}, other images: {other_images}")
    assert len(greys) == 150
    assert len(other_texts) <= 1
    assert len(other_images) <= 3


def test_the_cpu_backend_reads_as_wasm_does(test_set, tmp_path):
    rng = np.random.default_rng(7)
    greys = [scene(test_set[0][0], rng), line_of(test_set[0][:4], rng).astype(np.float32)]
    wasm, cpu = (read_in_javascript(greys, tmp_path, backend=backend) for backend in ("wasm", "cpu"))
    np.testing.assert_allclose(wasm.images, cpu.images, atol=1.001 / 255)
    assert [picture["text"] for picture in wasm.pictures] == [picture["text"] for picture in cpu.pictures]


def test_a_picture_for_classes_with_names_goes_to_the_network_as_a_whole_in_both(test_set, shipped, tmp_path):
    rng = np.random.default_rng(11)
    greys = [rng.random(shape) for shape in ((60, 90), (91, 35), (56, 3))]
    greys += [in_a_large_photo(digit, rng) for digit in test_set[0][:3]]
    greys = [*(grey.astype(np.float32) for grey in greys), *scale(test_set[0][3:5])]
    for grey, picture in zip(greys, read_in_javascript(greys, tmp_path, unchanged=True).pictures, strict=True):
        (ours,), (theirs,) = detect(grey, shipped, list("abcdefghij")).candidates, picture["candidates"]
        np.testing.assert_allclose(ours.probabilities, theirs["probabilities"], atol=5e-4)  # rounded to float16 here
        np.testing.assert_allclose(ours.box, theirs["box"], atol=1e-9)


def test_both_refuse_the_same_and_see_the_same_colours(finder, shipped, tmp_path):
    rng = np.random.default_rng(2)
    blank, few, narrow, bright = np.full((40, 50), 0.5), np.full((2, 9), 1), np.eye(3, 4000), 2 * np.eye(30)
    empty = [np.clip(paper((90, 120), rng), 0, 1), np.linspace(0.3, 0.9, 10_000).reshape(100, 100)]
    greys = [grey.astype(np.float32) for grey in (blank, few, narrow, bright, *empty)]
    colours = rng.integers(0, 256, (30, 20, 4), np.uint8)
    said = read_in_javascript(greys, tmp_path, colours.tobytes())
    for grey, picture in zip(greys, said.pictures, strict=True):
        assert "expected" in picture["prepareError"]
        with pytest.raises(ValueError, match="expected"):
            prepare(grey, finder)
    for grey, picture in zip(greys[:4], said.pictures, strict=False):
        assert "expected" in picture["error"]
        with pytest.raises(ValueError, match="expected"):
            recognize(grey, shipped, finder=finder)
    assert [picture["text"] for picture in said.pictures[4:]] == ["", ""]
    np.testing.assert_array_equal(said.colours.reshape(30, 20), read_image(encode(Image.fromarray(colours))))


def found_in(grey, finder):
    """The prepared digit; an arbitrary other one, which is read wrong, where none is found."""
    try:
        return prepare(grey, finder)
    except ValueError:
        return np.pad(np.ones((20, 20), np.float32), 4)


def test_the_contract_is_stable_once_met(test_set, finder):
    rng = np.random.default_rng(3)
    for digit in test_set[0][:50]:
        once = found_in(scene(digit, rng), finder)
        np.testing.assert_array_equal(prepare(once, finder), once)
        np.testing.assert_array_equal(once, np.round(255 * once).astype(np.uint8) / np.float32(255))


# MNIST itself


def test_all_test_images_and_their_negatives_pass_unchanged(test_set):
    for image in scale(test_set[0]):
        np.testing.assert_array_equal(prepare(image), image)
    for image in scale(test_set[0][:500]):
        np.testing.assert_array_equal(prepare(1 - image), image)


@pytest.mark.parametrize("shift", [(0, 3), (2, 0), (-2, -2)])
def test_a_picture_of_28_pixels_that_is_not_as_mnists_is_prepared(test_set, finder, shift):
    image = scale(test_set[0][0])
    assert np.abs(prepare(np.roll(image, shift, axis=(0, 1)), finder) - image).mean() < 0.07
    assert not normalize.is_mnist(np.roll(image, shift, axis=(0, 1)))


@pytest.mark.parametrize("inverted", [False, True])
def test_enlarged_digits_come_back_and_are_still_read(test_set, network, finder, inverted):
    images, labels = test_set[0][:500], test_set[1][:500]
    rng = np.random.default_rng(4)
    digits = [found_in(scene(image, rng, inverted, degrees=0), finder) for image in images]
    before, after = accuracy(network, scale(images), labels), accuracy(network, digits, labels)
    difference = np.abs(np.array(digits) - scale(images)).mean()
    print(f"read {before:.3f} before and {after:.3f} after, {difference:.4f} apart")
    assert before > 0.9
    assert after > before - 0.02, (before, after)
    assert difference < 0.05, difference


def test_turned_digits_are_still_read(test_set, network, finder):
    images, labels = test_set[0][:300], test_set[1][:300]
    rng = np.random.default_rng(5)
    digits = [found_in(scene(image, rng), finder) for image in images]
    assert accuracy(network, digits, labels) > accuracy(network, scale(images), labels) - 0.03


@pytest.mark.parametrize("take", [ruled, specked, in_a_shadow, in_a_large_photo])
def test_hard_paper_costs_little(test_set, network, finder, take):
    images, labels = test_set[0][:100], test_set[1][:100]
    rng = np.random.default_rng(6)
    digits = [found_in(take(image, rng), finder) for image in images]
    assert accuracy(network, digits, labels) >= accuracy(network, scale(images), labels) - 0.03


# No digit


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
        (np.eye(3, 4000), "too narrow"),
    ],
)
def test_what_is_no_picture_is_refused(grey, message, finder, shipped):
    for read in (prepare, lambda grey, finder: recognize(grey, shipped, finder=finder)):
        with pytest.raises(ValueError, match=message):
            read(grey, finder)


@pytest.mark.parametrize(
    "grey", [np.linspace(0.3, 0.9, 10_000).reshape(100, 100), np.random.default_rng(0).uniform(0, 1, (80, 80))]
)
def test_pictures_without_a_digit_are_refused(grey, finder):
    with pytest.raises(ValueError, match="no digit found"):
        prepare(grey, finder)


@pytest.mark.parametrize("grain", [0.001, 0.02, 0.06])
def test_empty_paper_is_refused(finder, grain):
    for seed in range(10):
        with pytest.raises(ValueError, match="no digit found"):
            prepare(np.clip(paper((120, 160), np.random.default_rng(seed), grain), 0, 1), finder)


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


def test_lines_of_six_digits_are_read_as_six(test_set, finder, shipped):
    images, labels = test_set
    rng = np.random.default_rng(8)
    six, right = 0, 0
    for _ in range(60):
        chosen = rng.integers(0, 10_000, 6)
        text = recognize(line_of(images[chosen], rng), shipped, finder=finder)["text"]
        six += len(text) == 6
        right += text == "".join(map(str, labels[chosen]))
    print(f"{six} of 60 lines were read as six digits, {right} right")
    assert six >= 56
    assert right >= 54


def test_digits_are_read_line_by_line_and_boxes_hold_them(test_set, finder, shipped):
    page = np.ones((700, 600))
    places = [(20, 30), (35, 300), (20, 450), (400, 60), (420, 330)]  # top, left
    for digit, (top, left) in zip(test_set[0], places, strict=False):
        page[top : top + 112, left : left + 112] -= 0.8 * enlarge(digit, 4)
    page[250:254, 100:106] = page[650:655, 20:25] = 0.2  # specks
    page[350:353] = 0.4  # a ruled line
    answer = recognize(page, shipped, finder=finder)
    assert answer["text"] == "721\n04"
    for digit, (top, left) in zip(answer["digits"], places, strict=True):
        box = digit["box"]
        assert left - 8 <= box[0] < box[2] <= left + 120
        assert top - 8 <= box[1] < box[3] <= top + 120


def test_a_bar_apart_stays_with_its_digit(finder, shipped):
    page = np.ones((120, 260))
    page[20:100, 30:40] = page[30:60, 150:160] = page[52:60, 150:190] = page[60:100, 182:190] = 0.1
    page[92:100, 150:185] = page[20:26, 158:200] = 0.1  # the bar of a 5, apart from its body
    assert recognize(page, shipped, finder=finder)["text"] == "15"


def test_the_ink_of_a_digit_is_the_same_alone_and_in_company(test_set, finder, shipped):
    drawn = 1 - 0.9 * enlarge(test_set[0][2], 4)
    (alone,) = detect(drawn, shipped, finder=finder).candidates
    first, _ = detect(np.hstack([drawn, drawn]), shipped, finder=finder).candidates
    assert np.abs(alone.image - first.image).mean() < 0.03


def test_contrast_is_that_of_the_pixels_around():
    grey = np.random.default_rng(9).random((60, 70))
    found = levels.contrast(grey)
    for row, column in ((0, 0), (30, 35), (59, 2)):
        around = grey[max(row - 24, 0) : row + 25, max(column - 24, 0) : column + 25]
        expected = (grey[row, column] - around.mean()) / (around.std() + levels.FLOOR) / levels.RANGE
        assert found[row, column] == pytest.approx(np.clip(expected, -1, 1), abs=1e-6)
    assert np.abs(levels.contrast(np.full((30, 40), 0.7))).max() < 1e-9
