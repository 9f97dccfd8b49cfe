"""Networks of any format and shape: they give the same answers, and what is none for digits is refused."""

import json
from functools import partial

import keras
import numpy as np
import pytest
from photos import encoded
from scenes import enlarge

from study_keras import formats, mnist
from study_keras.cli import main
from study_keras.data.dataset import scale
from study_keras.formats.export import tensorflow_process
from study_keras.vision.classifier import load_network
from study_keras.vision.recognize import detect


@pytest.fixture(scope="module")
def test_set():
    """The 10,000 test images and their labels."""
    return mnist.load_data()[1]


@pytest.fixture
def one(tmp_path, test_set):
    """The path of a picture of a 1."""
    path = tmp_path / "one.jpg"
    path.write_bytes(encoded(1 - 0.8 * enlarge(test_set[0][2], 4), "JPEG"))
    return path


@pytest.fixture(scope="module")
def model():
    """A small Keras model for digits, untrained: what it answers does not matter, only that all formats agree."""
    keras.utils.set_random_seed(3)
    hidden = [keras.layers.Flatten(), keras.layers.Dense(12, "relu")]
    return keras.Sequential([keras.Input((28, 28)), *hidden, keras.layers.Dense(10, "softmax")])


def test_every_format_of_a_model_gives_the_same_answers(model, test_set, tmp_path):
    images = scale(test_set[0][:30])
    expected = model.predict(images, verbose=0)
    files = {"model.keras": {}, "model.h5": {}, "model.tfjs": {}, "model.tflite": {}, "one.tflite": {"batch": 1}}
    files |= {"four.tflite": {"batch": 4}, "model.onnx": {}}
    files["int8.tflite"] = {"quantize": "int8", "images": [images]}
    jobs = {name: partial(formats.save, path=tmp_path / name, **options) for name, options in files.items()}
    for name in ("model.keras", "model.h5", "model.tfjs"):
        jobs.pop(name)(model)
    tensorflow_process.export_many(model, list(jobs.values()))
    for name in files:
        found = load_network(tmp_path / name)(images)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, atol=0.02 if "int8" in name else 1e-5, err_msg=name)


def test_predict_takes_any_model(model, one, tmp_path, capsys):
    path = formats.save_keras(model, tmp_path / "model.keras")
    row = model.predict(detect(one, load_network()).candidates[0].image[None], verbose=0)[0]
    assert main(["predict", str(one), "--model", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["digits"]
    assert [digit["probabilities"] for digit in found] == (
        [pytest.approx(row.tolist(), abs=1e-5)] if row.max() >= 0.5 else []
    )


def test_a_network_gets_a_softmax_or_none_once_and_for_all(tmp_path):
    """Sums of 0.98, as bytes give them, are probabilities; an answer that looks like one among logits is none."""
    layers = keras.layers
    dense = layers.Dense(2)
    logits = keras.Sequential([keras.Input((28, 28)), layers.Flatten(), dense])
    bytewise = keras.Sequential([keras.Input((28, 28)), *logits.layers, layers.Softmax(), layers.Rescaling(0.98)])
    dense.set_weights([np.eye(784, 2, dtype="float32"), np.zeros(2, "float32")])
    images = np.zeros((1, 28, 28), "float32")
    images[0, 0, :2] = 1, 0  # the logits are 1 and 0
    high = 1 / (1 + np.exp(-1))
    for model, factor in ((logits, 1), (bytewise, 0.98)):
        network = load_network(formats.save(model, tmp_path / "model.keras"))
        np.testing.assert_allclose(network(images), [[factor * high, factor * (1 - high)]], rtol=1e-6)


@pytest.mark.parametrize("shape", [(28, 28, 1), (784,)])
def test_other_shapes_and_no_softmax_are_met(shape, test_set, tmp_path):
    keras.utils.set_random_seed(4)
    model = keras.Sequential([keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(10)])
    images = scale(test_set[0][:5])
    outputs = np.exp(model.predict(images.reshape(-1, *shape), verbose=0))
    found = load_network(formats.save(model, tmp_path / "model.keras"))(images)
    np.testing.assert_allclose(found, outputs / outputs.sum(axis=1, keepdims=True), atol=1e-5)


def wrong_models(folder):
    layers = keras.layers
    other = keras.Sequential([keras.Input((32, 32, 3)), layers.Flatten(), layers.Dense(10)])
    image = keras.Sequential([keras.Input((28, 28)), layers.Dense(3)])
    (folder / "text.tflite").write_text("no model")
    (folder / "text.onnx").write_text("no model")
    (folder / "text.docx").write_text("no model")
    (folder / "empty.tflite").write_bytes(b"")
    formats.save_json(other, folder / "structure.json")
    formats.save_keras(other, folder / "other.keras")
    formats.save_keras(image, folder / "image.keras")
    return {
        "missing.tflite": "no such file; expected a model",
        "text.tflite": "LiteRT cannot run it",
        "empty.tflite": "LiteRT cannot run it",
        "text.onnx": "onnxruntime cannot run it",
        "text.docx": "expected a name that ends in",
        "structure.json": "contains only structure; expected a whole model",
        "other.keras": r"takes images of (32, 32, 3); expected (28, 28), (28, 28, 1), (784,)",
        "image.keras": "gives (28, 3) for one image; expected one row",
    }


def test_what_is_no_model_for_digits_is_refused(tmp_path, one, capsys):
    for name, message in wrong_models(tmp_path).items():
        assert main(["predict", str(one), "--model", str(tmp_path / name)]) == 1, name
        shown = capsys.readouterr()
        assert shown.out == ""
        assert shown.err.count("\n") == 1
        assert f"{tmp_path / name}: " in shown.err
        assert message in shown.err
