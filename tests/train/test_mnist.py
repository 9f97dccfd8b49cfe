"""Models, training, evaluation, pictures and the terminal."""

import io

import keras
import numpy as np
import pytest
from rich.console import Console

from study_keras.report import evaluation, plots, terminal
from study_keras.train import fit, models


@pytest.fixture(scope="module")
def judged(digits):
    """A network trained on 600 images, and what it says of 200 others."""
    fit.set_seed(1)
    model = models.mlp()
    models.compile(model)
    history = fit.train(model, *digits[0], epochs=5, validation=0.1)
    return model, history, evaluation.evaluate(model, *digits[1])


def test_the_network_is_the_tutorials():
    assert models.mlp().count_params() == 101_770
    two = models.mlp((512, 128), "sigmoid", 0.5, classes=47)
    assert [layer.units for layer in two.layers if isinstance(layer, keras.layers.Dense)] == [512, 128, 47]
    assert [layer.rate for layer in two.layers if isinstance(layer, keras.layers.Dropout)] == [0.5, 0.5]


def test_a_few_hundred_images_teach_it_to_read(judged):
    _, history, result = judged
    assert set(history.history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert len(history.history["loss"]) == 5
    assert result["accuracy"] > 0.7  # 600 images for 5 epochs; chance is 0.1


def test_one_hot_labels_train_the_same_network(digits):
    results = []
    for one_hot in (False, True):
        fit.set_seed(3)
        model = models.mlp(dropout=0.0)
        models.compile(model, one_hot=one_hot)
        history = fit.train(model, *digits[0], epochs=2, seed=3)
        results.append(history.history["loss"])
    np.testing.assert_allclose(results[0], results[1], rtol=1e-4)  # one loss in two spellings


def test_evaluation_is_what_keras_says(judged, digits):
    model, _, result = judged
    images, labels = digits[1]
    loss, accuracy = model.evaluate(images / 255.0, labels, verbose=0)
    assert result["loss"] == pytest.approx(loss, rel=1e-4)
    assert result["accuracy"] == pytest.approx(accuracy)
    guesses = model.predict(images / 255.0, verbose=0).argmax(axis=1)
    assert result["mistakes"] == [index for index in range(200) if guesses[index] != labels[index]]
    assert result["accuracy"] == 1 - len(result["mistakes"]) / 200


@pytest.mark.parametrize("shape", [(28, 28, 1), (784,)])
def test_models_that_take_the_image_in_another_shape_are_served(digits, shape):
    model = keras.Sequential([keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(10)])
    probabilities = evaluation.predict(model, digits[1][0])  # logits get their softmax
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    logits = model.predict(digits[1][0].reshape(-1, *shape) / 255.0, verbose=0)
    np.testing.assert_array_equal(probabilities.argmax(axis=1), logits.argmax(axis=1))


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([keras.Input((32, 32, 3)), keras.layers.Flatten(), keras.layers.Dense(10)], r"takes images of \(32, 32, 3\)"),
        ([keras.Input((None, 28)), keras.layers.GlobalAveragePooling1D()], r"takes images of \(None, 28\)"),
        ([keras.Input((28, 28)), keras.layers.Dense(10)], r"gives \(28, 10\)"),
        ([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(5)], "has 5 classes"),
    ],
)
def test_a_model_for_other_data_is_refused(digits, layers, message):
    with pytest.raises(ValueError, match=message):
        evaluation.evaluate(keras.Sequential(layers), *digits[1])


def test_the_gallery_shows_the_most_confident_mistake_first(digits):
    images, labels = digits[1]
    probabilities = np.eye(10, dtype="float32")[labels] * 0.9 + 0.01
    for index, sure in ((7, 0.6), (30, 0.99), (100, 0.8)):
        probabilities[index] = (1 - sure) / 9
        probabilities[index, (labels[index] + 1) % 10] = sure
    figure = plots.mistakes(images, labels, probabilities)
    assert [axes.get_title().split("#")[1] for axes in figure.axes if axes.get_title()] == ["30", "100", "7"]
    assert "99.0%" in figure.axes[0].get_title()
    assert f"{labels[30]} read as {(labels[30] + 1) % 10}" in figure.axes[0].get_title()
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), images[30])


def test_a_model_without_mistakes_has_a_picture_too(digits, tmp_path):
    images, labels = digits[1]
    figure = plots.mistakes(images, labels, np.eye(10, dtype="float32")[labels])
    assert "0 of 200" in figure.get_suptitle()
    assert plots.save(figure, tmp_path / "none.png").read_bytes().startswith(b"\x89PNG")


def test_the_network_is_drawn_without_graphviz(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))  # no dot on this path
    path = plots.plot_model(models.mlp(), tmp_path / "model.png")
    assert path.read_bytes().startswith(b"\x89PNG")
    assert path.stat().st_size > 10_000


def fit_on(console, digits):
    model = models.mlp((4,))
    models.compile(model)
    fit.train(model, *digits[0], epochs=2, callbacks=[terminal.TrainingProgress(console, 600)])


def test_progress_is_one_line_an_epoch_where_there_is_no_terminal(digits):
    file = io.StringIO()
    fit_on(Console(file=file, width=100), digits)
    lines = file.getvalue().splitlines()
    assert [line.split()[1] for line in lines] == ["1/2", "2/2"]
    assert all("loss" in line and "accuracy" in line and "images/s" in line for line in lines)


def test_progress_is_a_bar_in_a_terminal(digits):
    file = io.StringIO()
    fit_on(Console(file=file, width=140, force_terminal=True), digits)
    assert "100%" in file.getvalue()
    assert "━" in file.getvalue()


def test_digits_are_drawn_as_many_as_fit_and_not_where_they_would_not_read_well(digits):
    images, captions = digits[1][0][:8], [f"caption {index}" for index in range(8)]

    def drawn(**options):
        return terminal.draw_digits(images, captions, Console(file=io.TextIOWrapper(io.BytesIO(), "utf-8"), **options))

    picture = drawn(width=100, force_terminal=True, color_system="truecolor")
    assert len(picture.plain.splitlines()) == 15  # the captions, and 28 rows of pixels two a line
    assert "caption 2" in picture.plain
    assert "caption 3" not in picture.plain
    assert drawn(width=100) is None
    assert drawn(width=20, force_terminal=True, color_system="truecolor") is None
    assert drawn(width=100, force_terminal=True, color_system=None) is None
