"""The shipped networks: their files are those of the card and reach its figures, in LiteRT and in TensorFlow.js."""

import hashlib
import json

import corruptions
import model_card
import numpy as np
import photos
import pytest
from finder import figures

from study_keras import formats, mnist
from study_keras.data.dataset import scale
from study_keras.runtimes.litert import interpreter_of
from study_keras.vision.classifier import load_network
from study_keras.vision.image_io import read_picture
from study_keras.vision.marks import SHIPPED, Finder, load_finder
from study_keras.vision.recognize import recognize

CARD = json.loads((SHIPPED / "card.json").read_text())
ACCURACY = CARD["accuracy"]


@pytest.fixture(scope="module")
def network():
    return load_network()


@pytest.fixture(scope="module")
def test_set():
    """The test images, float32 in [0, 1], and their labels."""
    images, labels = mnist.load_data()[1]
    return scale(images), labels


def accuracy(network, images, labels):
    return float((network(images).argmax(axis=1) == labels[: len(images)]).mean())


def test_the_files_are_those_of_the_card_and_small():
    stored = {path.relative_to(SHIPPED).as_posix() for path in SHIPPED.rglob("*") if path.is_file()}
    assert stored - {"card.json", "README.md"} == set(CARD["sha256"])
    for name, digest in CARD["sha256"].items():
        content = (SHIPPED / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest, name
        assert len(content) == CARD["bytes"][name]
    assert sum(CARD["bytes"].values()) == CARD["total_bytes"] < 700_000


def test_the_thresholds_are_those_of_the_card():
    assert CARD["thresholds"] == model_card.thresholds()


def test_the_card_says_the_same_to_people():
    text = (SHIPPED / "README.md").read_text()
    assert text == model_card.text(CARD)
    assert f"{100 * ACCURACY['test']:.2f} % of MNIST's 10,000 test images" in text
    for name, value in ACCURACY["as_they_are"].items():
        assert f"| {name} | {100 * value:.2f} % | {100 * ACCURACY['prepared'][name]:.2f} % |" in text


# The network of one digit


def test_it_reads_as_much_of_the_test_set_as_the_card_says(network, test_set):
    # Another processor may round the last bit otherwise, and so turn an image or two.
    assert accuracy(network, *test_set) == pytest.approx(ACCURACY["test"], abs=2e-4)
    assert ACCURACY["test"] >= 0.994


@pytest.mark.slow
def test_it_reads_as_much_of_each_variation_as_the_card_says(network, test_set):
    images, labels = test_set
    for name, pictures in corruptions.corrupt(images).items():
        assert accuracy(network, pictures, labels) == pytest.approx(ACCURACY["as_they_are"][name], abs=1e-3), name
    for name, pictures in corruptions.corrupt(images[:1_000]).items():
        found = accuracy(network, corruptions.prepared(pictures), labels)
        assert found == pytest.approx(ACCURACY["prepared"][name], abs=2e-3), name


def test_the_copy_for_the_page_gives_the_same_answers(network, test_set):
    images = test_set[0][:1_000]
    model = formats.load_tfjs(SHIPPED / "digits.tfjs")
    np.testing.assert_allclose(model.predict(images, verbose=0), network(images), atol=2e-3)
    assert model.count_params() == CARD["networks"]["digits"]["weights"]


# The detector and the reader


@pytest.mark.slow
def test_they_read_as_much_of_the_pages_as_the_card_says(network):
    expected = CARD["pages"]
    found = figures.measure(network, load_finder(), expected["pages"])
    # Another processor may round the last bit otherwise, and so find a mark more or less.
    assert found == pytest.approx(expected, abs=5e-3)
    assert expected["recall"] >= 0.9
    assert expected["accuracy"] >= 0.95


def test_their_copies_for_the_page_give_the_same_answers(network):
    photo = photos.line(mnist.load_data()[1][0][:6], np.random.default_rng(4))
    shipped, copies = load_finder(), [formats.load_tfjs(SHIPPED / f"{name}.tfjs") for name in ("detector", "reader")]
    detector, reader = (copy.predict_on_batch for copy in copies)
    differences = {"cells": [], "classes": [], "ink": []}

    def compared(name, one, other):
        difference = np.abs(probabilities(one) - probabilities(np.asarray(other).reshape(one.shape)))
        differences[name].append(float(difference.max()))

    def detect(planes):
        cells = shipped.detector(planes)
        compared("cells", cells[..., 0], detector(planes)[..., 0])
        return cells

    def read(view):
        classes, ink = shipped.reader(view)
        for name, one, other in zip(("classes", "ink"), (classes, ink), reader(view), strict=True):
            compared(name, one, other)
        return classes, ink

    recognize(read_picture(photo, max_side=200), network, finder=Finder(detect, read))
    assert len(differences["classes"]) >= 6
    largest = {name: max(values) for name, values in differences.items()}
    assert largest["cells"] < 0.03
    assert largest["classes"] < 0.05
    assert largest["ink"] < 0.1
    for name, copy in zip(("detector", "reader"), copies, strict=True):
        assert copy.count_params() == CARD["networks"][name]["weights"]


def probabilities(logits):
    return 1 / (1 + np.exp(-np.asarray(logits)))


@pytest.mark.parametrize(
    ("name", "shape"), [("digits", [1, 28, 28]), ("detector", [-1, -1, -1, 1]), ("reader", [1, 32, 32, 1])]
)
def test_each_takes_what_its_callers_have(name, shape):
    # LiteRT in a web page needs a fixed batch size; the detector takes pictures of any size, in Python only.
    (details,) = interpreter_of(SHIPPED / f"{name}.tflite").get_input_details()
    assert details["shape_signature"].tolist() == shape
