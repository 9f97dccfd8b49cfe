"""The shipped network: its files are those of its card and reach the figures on it, in LiteRT and in TensorFlow.js."""

import hashlib
import json

import corruptions
import numpy as np
import pytest

from study_keras import formats, mnist
from study_keras.data.dataset import scale
from study_keras.runtimes.litert import interpreter_of
from study_keras.vision.classifier import SHIPPED, load_network
from study_keras.vision.recognize import CERTAIN, NO_DIGIT

CARD = json.loads((SHIPPED.parent / "card.json").read_text())
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
    stored = {str(path.relative_to(SHIPPED.parent)) for path in SHIPPED.parent.rglob("*") if path.is_file()}
    assert stored - {"card.json", "README.md"} == set(CARD["sha256"])
    for name, digest in CARD["sha256"].items():
        content = (SHIPPED.parent / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest, name
        assert len(content) == CARD["bytes"][name]
    assert sum(CARD["bytes"].values()) < 500_000
    assert CARD["thresholds"] == {"no_digit": NO_DIGIT, "certain": CERTAIN}


def test_the_card_says_the_same_to_people():
    text = (SHIPPED.parent / "README.md").read_text()
    assert f"{100 * ACCURACY['test']:.2f} % of MNIST's 10,000 test images" in text
    for name, value in ACCURACY["as_they_are"].items():
        assert f"| {name} | {100 * value:.2f} % | {100 * ACCURACY['prepared'][name]:.2f} % |" in text


def test_it_reads_as_much_of_the_test_set_as_the_card_says(network, test_set):
    # Another processor may round the last bit otherwise, and so turn an image or two.
    assert accuracy(network, *test_set) == pytest.approx(ACCURACY["test"], abs=2e-4)
    assert ACCURACY["test"] >= 0.994


def test_it_reads_as_much_of_each_variation_as_the_card_says(network, test_set):
    images, labels = test_set
    for name, pictures in corruptions.corrupt(images).items():
        assert accuracy(network, pictures, labels) == pytest.approx(ACCURACY["as_they_are"][name], abs=1e-3), name
    for name, pictures in corruptions.corrupt(images[:1_000]).items():
        found = accuracy(network, corruptions.prepared(pictures), labels)
        assert found == pytest.approx(ACCURACY["prepared"][name], abs=2e-3), name


def test_the_copy_for_the_page_gives_the_same_answers(network, test_set):
    images = test_set[0][:1_000]
    model = formats.load_tfjs(SHIPPED.with_name("digits.tfjs"))
    np.testing.assert_allclose(model.predict(images, verbose=0), network(images), atol=2e-3)
    assert model.count_params() == CARD["weights"]


def test_it_takes_one_image_at_a_time_as_a_web_page_needs_it():
    (details,) = interpreter_of(SHIPPED).get_input_details()
    assert details["shape_signature"].tolist() == [1, 28, 28]
