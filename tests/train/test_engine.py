"""The engine trains as Keras' own ``fit`` does, on JAX; warps move what they say."""

import keras
import numpy as np
import pytest

if keras.backend.backend() != "jax":
    pytest.fail("the engine is JAX' alone; run these tests without KERAS_BACKEND or with jax", pytrace=False)

from study_keras import mnist
from study_keras.data import dataset
from study_keras.data.readers import npz
from study_keras.train import augmentation, fit, jax_loop, models, shuffle


def network(dropout=0.0, normalized=False, **compiling):
    """A small network, built and compiled, its metrics too."""
    model = models.mlp((16,), dropout=dropout)
    if normalized:
        inner = [keras.layers.Dense(16, use_bias=False), keras.layers.BatchNormalization(), keras.layers.ReLU()]
        end = keras.layers.Dense(10, activation="softmax")
        model = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), *inner, end])
    models.compile(model, **compiling)
    model.fit(np.zeros((1, 28, 28), "float32"), np.zeros(1, "int32"), epochs=0, verbose=0)
    return model


def twins(**options):
    """Two models with the same weights."""
    one, other = network(**options), network(**options)
    other.set_weights(one.get_weights())
    return one, other


@pytest.mark.parametrize("options", [{}, {"normalized": True}, {"rate": 0.01, "steps": 9}, {"average": 0.9}])
def test_its_steps_are_keras_steps(digits, options):
    x, y = (part[:250] for part in digits[0])  # seven batches of 32 and one of 26
    one, other = twins(**options)
    history = jax_loop.fit(one, x, y, 32, epochs=2, seed=5)
    for epoch in range(2):
        figures = np.zeros(2)
        for batch in jax_loop._batches(x, y, 32, np.random.default_rng([5, epoch])):
            for place in range(batch.first, batch.first + batch.steps * batch.size, batch.size):
                at = batch.order[place : place + batch.size]
                figures += len(at) / len(x) * np.array(other.train_on_batch(dataset.scale(x[at]), y[at]))
        assert [history.history[name][epoch] for name in ("loss", "accuracy")] == pytest.approx(figures, abs=1e-5)
    other.optimizer.finalize_variable_values(other.trainable_variables)
    for weight, expected in zip(one.weights, other.weights, strict=True):
        np.testing.assert_allclose(weight, expected, atol=1e-5, err_msg=weight.path)


@pytest.mark.slow
def test_twenty_trainings_end_where_twenty_of_fit_end():
    (x, y), (x_test, y_test) = ((images[:2000], labels[:2000]) for images, labels in mnist.load_data())
    model = network(dropout=0.2)
    blank = [variable.numpy() for variable in model.optimizer.variables]

    def accuracies(train):
        found = []
        for seed in range(20):
            keras.utils.set_random_seed(seed)
            model.set_weights(models.mlp((16,), dropout=0.2).get_weights())
            for variable, value in zip(model.optimizer.variables, blank, strict=True):
                variable.assign(value)
            train(seed)
            found.append(jax_loop.evaluate(model, x_test, y_test, 1000)["accuracy"])
        return np.array(found)

    ours = accuracies(lambda seed: jax_loop.fit(model, x, y, 32, 3, seed=seed))
    theirs = accuracies(lambda seed: model.fit(dataset.scale(x), y, 32, 3, verbose=0))
    error = np.sqrt((ours.var(ddof=1) + theirs.var(ddof=1)) / 20)
    assert abs(ours.mean() - theirs.mean()) < 2 * error
    assert ours.std() < 2 * theirs.std()
    assert theirs.std() < 2 * ours.std()
    assert ours.mean() > 0.7


def test_it_measures_as_keras_does(digits):
    (x, y), (x_test, y_test) = digits
    model = network()
    figures = jax_loop.evaluate(model, x_test, y_test, 48)  # the last batch has eight images
    expected = model.evaluate(dataset.scale(x_test), y_test, verbose=0, return_dict=True)
    assert figures == pytest.approx(expected, abs=1e-5)
    history = jax_loop.fit(model, x, y, 100, seed=1, validation_data=(x_test, y_test))
    assert history.history["val_loss"] == [pytest.approx(jax_loop.evaluate(model, x_test, y_test)["loss"], abs=1e-5)]


def test_callbacks_see_and_steer_the_training(digits):
    class Watcher(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.steps, self.weights = [], []

        def on_train_batch_end(self, batch, logs=None):
            self.steps.append(batch)
            assert 0 <= logs["accuracy"] <= 1

        def on_epoch_end(self, epoch, logs=None):
            self.weights.append(self.model.get_weights()[0])
            self.model.stop_training = epoch == 2

    watcher = Watcher()
    model = network()
    rates = keras.callbacks.LearningRateScheduler(lambda epoch: 0.0 if epoch else 0.01)
    history = jax_loop.fit(model, *digits[0], 64, epochs=9, seed=1, callbacks=[rates, watcher])
    assert len(history.history["loss"]) == 3
    assert watcher.steps[-1] == 9  # 600 images are ten batches of at most 64
    assert watcher.steps == sorted(watcher.steps[: len(watcher.steps) // 3]) * 3
    np.testing.assert_array_equal(watcher.weights[0], watcher.weights[2])  # a rate of 0 changes nothing


def test_what_is_interrupted_leaves_the_model_as_it_was_after_the_last_epoch(digits):
    class Interrupt(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise KeyboardInterrupt

    model = network()
    before = model.get_weights()
    with pytest.raises(KeyboardInterrupt):
        jax_loop.fit(model, *digits[0], 32, seed=1, callbacks=[Interrupt()])
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), before, strict=True))


def test_each_image_is_shown_once_an_epoch_also_when_there_are_more_than_a_window(monkeypatch):
    monkeypatch.setattr(shuffle, "WINDOW_ROWS", 100)
    x, y = np.arange(1030), np.arange(1030)
    shown = []
    for window, order, _, first, steps, size in jax_loop._batches(x, y, 32, np.random.default_rng(1)):
        shown.extend(window[0][order[first : first + steps * size]])
        assert len(window[0]) == 96
    assert sorted(shown) == list(range(1030))
    assert shown[:96] != sorted(shown[:96])


def test_a_folder_of_npy_files_stays_on_the_disk_and_trains_the_same(digits, tmp_path, monkeypatch):
    for name, array in zip(npz.KEYS, (*digits[0], *digits[1]), strict=True):
        np.save(tmp_path / f"{name}.npy", array)
    (x, y), _ = dataset.load_data(tmp_path)
    assert isinstance(x, np.memmap)
    monkeypatch.setattr(shuffle, "WINDOW_ROWS", 256)
    one, other = twins()
    jax_loop.fit(one, x, y, 32, seed=3)
    jax_loop.fit(other, *digits[0], 32, seed=3)
    assert all(np.array_equal(a, b) for a, b in zip(one.get_weights(), other.get_weights(), strict=True))


def test_a_warp_without_limits_changes_nothing(digits):
    images = digits[0][0][:50]
    unchanged = augmentation.warp_images(images, {}, [1])
    np.testing.assert_allclose(unchanged, dataset.scale(images), atol=1e-6)


def test_warps_move_turn_and_scale_by_no_more_than_their_limits():
    image = np.zeros((200, 28, 28), np.uint8)
    image[:, 3:6, 13:16] = image[:, 23:26, 13:16] = 255  # two dots, one above the other
    rows, columns = np.indices((28, 28))

    def centres(limits):
        warped = augmentation.warp_images(image, limits, [1])
        upper = warped * (rows < 14)
        return np.array([[(part * place).sum() / part.sum() for place in (rows, columns)] for part in upper])

    shifted = centres({"shift": 2})
    assert 1.5 < np.abs(shifted - [4, 14]).max() <= 2.5
    assert shifted.std(axis=0).min() > 0.8
    turned = centres({"rotation": 20})  # 9.5 pixels from the centre, so up to 3.3 pixels to the side
    assert 2.3 < np.abs(turned[:, 1] - 14).max() <= 4
    bent = centres({"elastic": 2})
    assert 0.5 < np.abs(bent - [4, 14]).max() <= 2.5


def test_augmented_training_follows_from_the_seed_and_learns(digits):
    weights = []
    for _ in range(2):
        fit.set_seed(4)
        model = network()
        history = fit.train(model, *digits[0], epochs=6, seed=4, augment={"shift": 1, "rotation": 10})
        weights.append(model.get_weights())
    assert all(np.array_equal(a, b) for a, b in zip(*weights, strict=True))
    assert history.history["accuracy"][-1] > 0.6
