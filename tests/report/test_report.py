"""The report is one file that opens in a real browser and asks for nothing else."""

import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from conftest import ROOT

from study_keras.cli import main
from study_keras.report import model_plots, plots


def open_page(url, *arguments):
    """What a real Chromium saw on the page."""
    node = Path(sys.executable).with_name("node")
    command = [node, ROOT / "tests/browser/open_page.mjs", url, *arguments]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_the_report_opens_from_a_file_and_asks_for_nothing(trained, small, tmp_path, capsys):
    assert main(["report", str(trained), "--data", str(small), "--output", str(tmp_path)]) == 0
    path = tmp_path / "hello_mnist_report.html"
    assert str(path) in capsys.readouterr().out
    seen = open_page(path.as_uri())
    assert seen["errors"] == []
    assert seen["requests"] == [path.as_uri()[:100]]
    assert seen["headings"] == ["hello_mnist.keras", "The model", "The training", "The test", "How it was made"]
    assert len(seen["pictures"]) == 7
    assert all(picture["width"] > 300 and picture["alt"] for picture in seen["pictures"])
    for shown in ("101,770", "relu", "of 200 test images right", "hello-mnist train --data", keras.__version__, "loss"):
        assert shown in seen["text"]


def test_a_model_without_a_record_and_with_other_layers_has_a_report_too(small, tmp_path, capsys):
    model = keras.Sequential([keras.Input((28, 28)), keras.layers.LSTM(4), keras.layers.Dense(10)], name="<b>")
    path = tmp_path / "a<b>.keras"
    model.save(path)
    assert main(["report", str(path), "--data", str(small), "--output", str(tmp_path)]) == 0
    page = (tmp_path / "a<b>_report.html").read_text()
    assert "is not known" in page
    assert "Not shown" in page
    assert "<b>" not in page


def test_the_history_shows_training_and_validation(tmp_path):
    curves = {"loss": [2.0, 1.0], "accuracy": [0.5, 0.75], "val_loss": [2.5, 1.5], "val_accuracy": [0.4, 0.7]}
    loss, accuracy = plots.history(curves).axes
    assert [list(line.get_ydata()) for line in loss.lines] == [[2.0, 1.0], [2.5, 1.5]]
    assert [list(line.get_ydata()) for line in accuracy.lines] == [[0.5, 0.75], [0.4, 0.7]]
    assert [text.get_text() for text in loss.get_legend().texts] == ["training", "validation"]
    assert loss.get_xlabel() == "epoch"
    assert "nats" in loss.get_ylabel()


def test_the_confusion_matrix_counts_each_pair():
    labels = np.array([0, 0, 0, 1, 2, 2])
    probabilities = np.eye(3, dtype="float32")[[0, 0, 2, 1, 2, 0]]
    figure = plots.confusion(labels, probabilities)
    counts = {text.get_position(): text.get_text() for text in figure.axes[0].texts}
    assert counts == {(0, 0): "2", (2, 0): "1", (1, 1): "1", (2, 2): "1", (0, 2): "1"}  # (read as, truth)
    assert figure.axes[0].get_title() == "2 of 6 images read wrong"


def test_of_a_thousand_classes_the_pictures_show_those_with_the_most_mistakes():
    labels = np.arange(1000).repeat(2)
    guesses = labels.copy()
    guesses[labels == 700] = 900
    probabilities = np.zeros((2000, 1000), "float32")
    probabilities[np.arange(2000), guesses] = 1
    for figure in (plots.confusion(labels, probabilities), plots.accuracy_per_class(labels, probabilities)):
        ticks = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
        assert len(ticks) == plots.MAX_CLASSES
        assert "700" in ticks
        assert max(figure.get_size_inches()) < 40
    assert len(plots.samples(np.zeros((2000, 28, 28), np.uint8), labels, each=1).axes) == plots.MAX_CLASSES


def test_accuracy_per_class_is_the_fraction_read_right():
    labels = np.array([0, 0, 0, 0, 7])
    figure = plots.accuracy_per_class(labels, np.eye(10, dtype="float32")[[0, 0, 0, 1, 7]])
    _, points = figure.axes[0].lines
    assert list(points.get_xdata()) == [0.75, 1.0]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["0", "7"]


def test_the_samples_stand_in_the_row_of_their_digit(digits):
    (images, labels), _ = digits
    figure = plots.samples(images, labels, each=3)
    assert len(figure.axes) == 30
    np.testing.assert_array_equal(figure.axes[3 * 4 + 1].images[0].get_array(), images[labels == 4][1])
    assert figure.axes[3 * 4].get_ylabel() == "4"


def test_the_first_weights_are_shown_as_images():
    dense = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(5)])
    figure = model_plots.first_weights(dense)
    np.testing.assert_array_equal(
        figure.axes[3].images[0].get_array(), np.asarray(dense.layers[1].kernel)[:, 3].reshape(28, 28)
    )
    convolution = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Conv2D(6, 5)])
    figure = model_plots.first_weights(convolution)
    np.testing.assert_array_equal(
        figure.axes[2].images[0].get_array(), np.asarray(convolution.layers[0].kernel)[:, :, 0, 2]
    )
    with pytest.raises(ValueError, match=r"expected \(784, units\)"):
        model_plots.first_weights(keras.Sequential([keras.Input((28, 28)), keras.layers.Dense(5)]))


def test_the_walk_shows_what_each_layer_makes_of_the_image(digits):
    layers = [
        keras.Input((28, 28, 1)),
        keras.layers.Conv2D(6, 5),
        keras.layers.Flatten(),
        keras.layers.Dense(10, activation="softmax"),
    ]
    model = keras.Sequential(layers)
    image = digits[1][0][0]
    figure = model_plots.activations(model, image)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[0] == "image (28, 28)"
    assert "(24, 24, 6)" in titles[1]
    outputs = model.predict(image.reshape(1, 28, 28, 1) / 255.0, verbose=0)[0]
    assert [bar.get_width() for bar in figure.axes[-1].patches] == pytest.approx(outputs.tolist(), rel=1e-5)
    shown = figure.axes[1].images[0].get_array()
    assert shown.shape == (48, 72)  # six channels of 24 x 24, two rows of three
