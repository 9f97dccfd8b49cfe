"""The page of questions: its cells print what it shows, and the messages of its index are those of today."""

import re
import warnings
import zipfile
from pathlib import Path

import course
import keras
import make_questions
import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf
from conftest import ROOT
from keras.src.backend.tensorflow import nn as tensorflow_backend

from study_keras import formats, mnist
from study_keras.vision import prepare

CHINESE, ENGLISH = make_questions.PAGES
QUESTIONS = range(1, 16)
ROW = re.compile(r"^\| (`+)(.+?)\1 \| (.+) \| \[(\d+)\]\(#q\4\) \|$", re.MULTILINE)
IMAGE = np.zeros((28, 28), "float32")
LABELS = np.zeros(4)
NOT_HERE = {"CERTIFICATE_VERIFY_FAILED"}  # takes a server with a certificate that nobody knows
each_page = pytest.mark.parametrize("page", make_questions.PAGES, ids=lambda page: page.name)


def sections(page):
    """The text of each question, from its heading to the next, without code."""
    text = course.FENCE.sub("", page.read_text())
    return re.findall(
        r"^<a id=\"q(\d+)\"></a>\n\n## (\d+)\. (.+?)\n(.+?)(?=^<a id|^## )", text, re.MULTILINE | re.DOTALL
    )


def index(page):
    """The messages at the top of a page, with the number of the question that each leads to."""
    return {message.strip(): int(number) for _, message, _, number in ROW.findall(page.read_text())}


def glossary(page):
    """The terms at the end of a page: English and Chinese."""
    _, _, table = page.read_text().rpartition("\n## ")
    return [tuple(line.strip("| ").split(" | ")[:2]) for line in table.splitlines()[4:]]


@each_page
def test_each_question_is_short_and_has_its_number(page):
    found = sections(page)
    assert [(int(anchor), int(number)) for anchor, number, _, _ in found] == [(number, number) for number in QUESTIONS]
    for _, _, heading, text in found:
        assert len(text.strip().splitlines()) <= 25, heading


def test_both_languages_show_the_same_cells_outputs_and_messages():
    chinese, english = (
        [[block[2:] for block in pair] for pair in make_questions.cells(page)] for page in (CHINESE, ENGLISH)
    )
    assert chinese == english
    assert [(code[0], output[0]) for code, output in english] == [("python", "text")] * len(QUESTIONS)
    assert index(CHINESE) == index(ENGLISH)
    assert set(index(ENGLISH).values()) <= set(QUESTIONS)


def test_both_languages_use_the_terms_of_the_glossary():
    assert len(glossary(ENGLISH)) == 20
    assert glossary(CHINESE) == glossary(ENGLISH)
    for place, page in enumerate((ENGLISH, CHINESE)):
        text = "".join(f"{heading} {text}" for _, _, heading, text in sections(page)).lower()
        for terms in glossary(page):
            assert terms[place] in " ".join(text.split()), terms


# The messages of the index


def small_model(shape=(28, 28), activation=None):
    layers = [keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(10, activation=activation, name="digit")]
    return keras.Sequential(layers)


def fit(labels=LABELS, loss="sparse_categorical_crossentropy", activation=None, steps=None):
    model = small_model(activation=activation)
    model.compile("sgd", loss)
    images = np.zeros((4, 28, 28))
    data = ((batch for batch in [(images, labels)]),) if steps else (images, labels)
    model.fit(*data, steps_per_epoch=steps, verbose=0)


def download(origin, digest=None):
    Path("here.npz").write_text("not what was expected")
    address = origin or Path("here.npz").resolve().as_uri()
    keras.utils.get_file("mnist.npz", address, file_hash=digest, cache_dir=".")


def load_keras_of_keras_2():
    """A file with an argument that Keras 3 no longer has; question 10 does it with one of Keras 2."""
    small_model().save("old.keras")
    with zipfile.ZipFile("old.keras") as new:
        entries = {name: new.read(name).replace(b'"units"', b'"groups": 1, "units"') for name in new.namelist()}
    with zipfile.ZipFile("old.keras", "w") as old:
        for name, content in entries.items():
            old.writestr(name, content)
    keras.models.load_model("old.keras")


def load_weights_as_a_model():
    model = small_model()
    model.save_weights("model.weights.h5")
    formats.load("model.weights.h5")


def open_in_tfjs(old, new):
    formats.export_tfjs(small_model(), "model.tfjs")
    file = Path("model.tfjs/model.json")
    file.write_text(file.read_text().replace(old, new))
    formats.open("model.tfjs")


def run_onnx(outputs, inputs):
    one = onnx.helper.make_tensor_value_info
    image, digit = (one(name, onnx.TensorProto.FLOAT, [28, 28]) for name in ("image", "digit"))
    node = onnx.helper.make_node("Relu", ["image"], ["digit"])
    graph = onnx.helper.make_graph([node], "graph", [image], [digit])
    opset = [onnx.helper.make_opsetid("", 17)]
    model = onnx.helper.make_model(graph, ir_version=8, opset_imports=opset)
    onnxruntime.InferenceSession(model.SerializeToString()).run(outputs, inputs)


def write_c():
    model = keras.Sequential([keras.Input((28, 28)), keras.layers.LSTM(2)])
    formats.save(model, "model.c")


def softmax_and_from_logits():
    """The loss of Keras on TensorFlow, which this process does not use otherwise; on JAX nothing is said."""

    @tf.function
    def loss(logits):
        return tensorflow_backend.sparse_categorical_crossentropy([1], tf.nn.softmax(logits), from_logits=True)

    loss(tf.zeros((1, 10)))


checkpoint = keras.callbacks.ModelCheckpoint
PROVOKED = {
    "but input has incompatible shape (28, 28)": lambda: small_model().predict(IMAGE),
    "no digit found in a picture of": lambda: prepare.prepare(np.linspace(0, 1, 3600, dtype="float32").reshape(60, 60)),
    "Your input ran out of data; interrupting training": lambda: fit(steps=3),
    "URL fetch failure on": lambda: download("http://127.0.0.1:9/mnist.npz"),
    "Incomplete or corrupted file detected": lambda: download(None, digest="0" * 64),
    "no such file or folder; expected an .npz file": lambda: mnist.load_data("mnist.npz"),
    "The filepath provided must end in `.keras`": lambda: checkpoint("model.ckpt"),
    "the filepath provided must end in `.weights.h5`": lambda: checkpoint("model.h5", save_weights_only=True),
    "The filename must end in `.weights.h5`": lambda: small_model().save_weights("model.h5"),
    "Invalid filepath extension for saving": lambda: small_model().save("model"),
    "got an unexpected keyword argument 'period'": lambda: checkpoint("model.keras", period=2),
    "Unrecognized keyword arguments passed to DepthwiseConv2D: {'groups': 1}": (
        lambda: keras.layers.DepthwiseConv2D.from_config({"kernel_size": 3, "groups": 1})
    ),
    "could not be deserialized properly": load_keras_of_keras_2,
    "File format not supported: filepath=": lambda: keras.models.load_model("saved_model"),
    "Could not locate class 'Sequential'": (
        lambda: keras.models.model_from_json('{"class_name": "Sequential", "config": {"layers": []}}')
    ),
    "has no attribute 'model_from_yaml'": lambda: keras.models.model_from_yaml(""),
    "contains only weights; load them into a model": load_weights_as_a_model,
    "An InputLayer should be passed either a `batchInputShape` or an `inputShape`": (
        lambda: open_in_tfjs("batch_input_shape", "batch_shape")
    ),
    "Provided weight data has no target variable": lambda: open_in_tfjs("digit/kernel", "sequential/digit/kernel"),
    "are missing from input feed": lambda: run_onnx(None, {"x": IMAGE}),
    "Unexpected input data type. Actual: (tensor(double))": lambda: run_onnx(None, {"image": IMAGE.astype("float64")}),
    "Invalid output name": lambda: run_onnx(["y"], {"image": IMAGE}),
    "needs images=: some hundred typical inputs": lambda: formats.save(small_model(), "model.c", quantize="int8"),
    "written source has no such layer": write_c,
    "Arguments `target` and `output` must have the same shape": lambda: fit(labels=np.zeros((4, 10))),
    "received `from_logits=True`, but the `output` argument was produced by a Softmax": softmax_and_from_logits,
}


def test_every_message_of_the_index_is_provoked():
    assert set(index(ENGLISH)) == {*PROVOKED, *NOT_HERE}


@pytest.mark.parametrize("message", PROVOKED)
def test_a_message_of_the_index_is_that_of_today(message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            PROVOKED[message]()
            said = ""
        except Exception as error:
            said = str(error)
    assert message in "\n".join([said, *(str(warning.message) for warning in warned)])


@pytest.mark.slow
@pytest.mark.parametrize("number", QUESTIONS)
def test_a_cell_prints_what_the_page_shows(number, tmp_path):
    for name in ("src", "tests"):
        (tmp_path / name).symlink_to(ROOT / name)
    printed = make_questions.run(number, tmp_path)
    for page in make_questions.PAGES:
        course.check_output(make_questions.cells(page)[number - 1][1], printed)
        shown = f"(pictures/question_{number}.webp)" in page.read_text()
        assert shown == (tmp_path / f"output/question_{number}.png").exists()
