"""Ridge regression in place of gradient descent: the network answers as the regression, however its images are read."""

import keras
import numpy as np
import pytest

from study_keras.data.dataset import scale
from study_keras.data.lazy_array import LazyArray
from study_keras.train import checkpoint, models, recipes, ridge, shuffle

UNITS = 12


def build(classes=10):
    model = models.ridge((UNITS,), classes)
    models.compile(model)
    return model


def fitted(images, labels, **settings):
    model = build()
    history = ridge.fit(model, images, labels, **settings).history
    return model, history


def test_the_network_answers_as_ridge_regression_on_the_products(digits):
    (images, labels), (test_images, _) = digits
    model, history = fitted(images, labels)
    components = keras.Model(model.input, model.get_layer("components").output)
    count = UNITS + 1

    def products(pictures):
        values = np.asarray(components(scale(pictures)))
        assert np.allclose(values[:, 0], 1)  # so that the components themselves are products too
        return np.stack(
            [values[:, i] * values[:, j] for i in range(count) for j in range(i, count) if i + j < count], 1
        )

    found = products(images).astype("float64")
    penalty = ridge.PENALTY * np.square(found).sum() / found.shape[1]
    # Ridge regression is least squares with a row for each squared weight.
    rows = np.concatenate([found, np.sqrt(penalty) * np.eye(found.shape[1])])
    wanted = np.concatenate([np.eye(10)[labels], np.zeros((found.shape[1], 10))])
    scores = products(test_images) @ np.linalg.lstsq(rows, wanted)[0]
    logarithms = np.log(np.asarray(model(scale(test_images))))
    ours = logarithms - logarithms.mean(1, keepdims=True)
    scores -= scores.mean(1, keepdims=True)
    factor = (ours * scores).sum() / np.square(scores).sum()
    assert factor > 1  # probabilities, not the scores of a regression between 0 and 1
    assert np.abs(ours - factor * scores).max() < 1e-2 * factor
    answers = np.asarray(model(scale(images)))
    assert history["accuracy"] == [pytest.approx((answers.argmax(1) == labels).mean())]
    assert history["loss"] == [pytest.approx(-np.log(answers[np.arange(600), labels]).mean(), rel=1e-3)]


def test_the_temperature_is_the_one_of_the_least_loss(digits):
    model, history = fitted(*digits[0])
    classes, images, labels = model.get_layer("classes"), scale(digits[0][0]), digits[0][1]
    for factor in (0.95, 1.05):
        other = keras.models.clone_model(model)
        other.set_weights(model.get_weights())
        other.get_layer("classes").set_weights([classes.get_weights()[0] * factor])
        answers = np.asarray(other(images))
        assert -np.log(answers[np.arange(600), labels]).mean() > history["loss"][0]


def test_it_reads_digits_it_has_not_seen(digits):
    (images, labels), (test_images, test_labels) = digits
    model = models.ridge((30,))
    models.compile(model)
    ridge.fit(model, images, labels)
    assert model.evaluate(scale(test_images), test_labels, verbose=0)[1] > 0.9


@pytest.mark.parametrize("how", ["again", "batches", "windows", "disk"])
def test_the_weights_do_not_depend_on_how_the_images_are_read(digits, monkeypatch, how):
    images, labels = digits[0]
    first, _ = fitted(images, labels)
    settings = {"batch_size": 7} if how == "batches" else {}
    if how == "windows":
        monkeypatch.setattr(shuffle, "WINDOW_ROWS", 250)
        monkeypatch.setattr(ridge, "ROWS", 100)
    again, _ = fitted(LazyArray([images]) if how == "disk" else images, labels, **settings)
    if how == "again":
        assert all(map(np.array_equal, again.get_weights(), first.get_weights()))
    assert np.allclose(again(scale(images)), first(scale(images)), atol=1e-3)


@pytest.mark.parametrize("images", [np.zeros((40, 28, 28), "uint8"), np.full((40, 28, 28), 255, "uint8")])
def test_images_without_edges_give_finite_weights(images):
    model, _ = fitted(images, np.arange(40) % 10)
    answers = np.asarray(model(scale(images)))
    assert np.allclose(answers, 0.1, atol=0.02)


def test_fewer_images_than_components(digits):
    images, labels = digits[0]
    model, _ = fitted(images[:5], labels[:5])
    assert (np.asarray(model(scale(images[:5]))).argmax(1) == labels[:5]).all()


def test_a_training_is_saved_validated_and_not_repeated(digits, tmp_path):
    recipe = recipes.Recipe("ridge", units=(UNITS,), epochs=1, batch_size=100, validation=0.25, seed=1)
    model, path, metadata = checkpoint.train_and_save(digits, recipe, tmp_path)
    assert {name: len(values) for name, values in metadata["history"].items()} == dict.fromkeys(
        ("accuracy", "loss", "val_accuracy", "val_loss"), 1
    )
    assert recipes.from_settings(metadata["settings"]) == recipe
    before = model.get_weights()
    ridge.fit(model, *digits[0], first_epoch=1)
    assert all(map(np.array_equal, before, model.get_weights()))
    assert np.allclose(keras.saving.load_model(path).predict(scale(digits[1][0]), verbose=0).sum(1), 1)


def test_its_progress_is_told_for_each_batch(digits):
    seen = []
    callback = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))
    fitted(*digits[0], batch_size=250, callbacks=[callback])
    assert seen == [0, 1, 2]


@pytest.mark.parametrize("units", [(0,), (201,), (30, 20)])
def test_other_numbers_of_components_are_refused(units):
    with pytest.raises(ValueError, match="from 1 to 200"):
        models.ridge(units)
