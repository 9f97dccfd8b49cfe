"""Training that can be interrupted after any epoch and resumed with the same result, on each backend's fastest loop."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from study_keras.data.dataset import Images, Labels, scale, split
from study_keras.data.lazy_array import is_on_disk, map_rows, read_rows
from study_keras.train import shuffle
from study_keras.train.models import one_hot


def set_seed(seed: int) -> None:
    """Make training reproducible bit for bit, on the same machine and versions.

    JAX on a CPU needs only the seed; TensorFlow also has to select its deterministic kernels.
    """
    keras.utils.set_random_seed(seed)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()


def train(
    model: keras.Model,
    images: Images,
    labels: Labels,
    *,
    epochs: int = 5,
    batch_size: int = 32,
    validation: float = 0.0,
    seed: int | None = None,
    first_epoch: int = 0,
    augment: Mapping[str, float] | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> keras.callbacks.History:
    """Train a compiled ``model``, with ``jax_loop`` on JAX and Keras' ``fit`` elsewhere, and return the history.

    ``ridge.fit`` computes the weights of a network of ``models.ridge`` without gradients.

    Everything random in an epoch (order, augmentation, dropout) depends only on ``seed`` and the epoch's number, so
    that a training resumed with ``first_epoch`` ends with the same weights as one without interruption.

    Args:
        images: ``(n, 28, 28)`` uint8; images on the disk stay there and are shuffled in windows.
        labels: ``(n,)`` integers; converted to one-hot rows if the model's loss expects them.
        validation: the fraction of the images that is held out and measured after each epoch; 0 for none.
        seed: from 0 to 2**32 - 1; random if it is ``None``.
        first_epoch: how many epochs the model has been trained for already.
        augment: limits as ``augmentation.make_warp`` takes them; ``None`` for no augmentation.

    Raises:
        ValueError: ``validation`` leaves too few images.
    """
    settings: dict[str, Any] = {"epochs": epochs, "batch_size": batch_size, "initial_epoch": first_epoch}
    settings |= {"seed": secrets.randbits(32) if seed is None else seed, "callbacks": callbacks}
    if validation:
        (images, labels), (x_val, y_val) = split(images, labels, validation)
        settings["validation_data"] = (x_val, to_targets(model, y_val))
    # The first `fit` of a model, new or loaded, draws random numbers to build itself: do that before seeding.
    blank = np.zeros((1, *model.input_shape[1:]), "float32")
    model.fit(blank, to_targets(model, labels[:1]), epochs=0, verbose=0)
    fit = _fit_on_jax if keras.backend.backend() == "jax" else _fit_epoch_by_epoch
    return fit(model, images, to_targets(model, labels), augment, **settings)


def to_targets(model: keras.Model, labels: Labels) -> Labels:
    """Return ``(n,)`` labels as the loss of ``model`` expects them: unchanged, or as one-hot rows."""
    return one_hot(labels, model.output_shape[-1]) if model.loss == "categorical_crossentropy" else labels


def _fit_on_jax(
    model: keras.Model, x: Images, y: Labels, augment: Any, *, seed: int, callbacks: Any, **settings: Any
) -> keras.callbacks.History:
    from study_keras.train import augmentation, jax_loop

    if augment:
        x, settings["transform"] = map_rows(x, augmentation.upsample), augmentation.make_warp(**augment)
    seeding = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: _seed_epoch(model, seed, epoch))
    return jax_loop.fit(model, x, y, seed=seed, callbacks=[seeding, *callbacks], **settings)


def _fit_epoch_by_epoch(
    model: keras.Model,
    x: Images,
    y: Labels,
    augment: Any,
    *,
    epochs: int,
    batch_size: int,
    initial_epoch: int,
    seed: int,
    callbacks: Any,
    validation_data: tuple[Images, Labels] | None = None,
) -> keras.callbacks.History:
    # `fit` would copy arrays to TensorFlow in every epoch.
    device = keras.ops.convert_to_tensor if keras.backend.backend() == "tensorflow" else np.asarray
    windowed = len(x) > shuffle.WINDOW_ROWS and is_on_disk(x)
    if not windowed:
        x = read_rows(x, 0, len(x))
        x, y = x if augment else device(scale(x)), device(y)
    steps = -(-len(x) // batch_size)
    watchers = _EntireTraining(callbacks, add_history=True, model=model, epochs=epochs, steps=steps)
    watchers.begin()
    try:
        for epoch in range(initial_epoch, epochs):
            settings: dict[str, Any] = {"initial_epoch": epoch, "epochs": epoch + 1, "callbacks": watchers}
            if windowed:
                settings |= {"x": batches(x, y, batch_size, augment, [seed, epoch]), "steps_per_epoch": steps}
            else:
                images = device(_warp(x, augment, [seed, epoch])) if augment else x
                settings |= {"x": images, "y": y, "batch_size": batch_size}
            if validation_data:
                settings["validation_data"] = batches(*validation_data, batch_size)
                settings["validation_steps"] = -(-len(validation_data[0]) // batch_size)
            _seed_epoch(model, seed, epoch)
            model.fit(**settings, verbose=0)
            if model.stop_training:
                break
    finally:
        watchers.end()
    return model.history


def batches(
    x: Images, y: Labels, batch_size: int, augment: Any = None, seed: list[int] | None = None
) -> Iterator[tuple[Any, Labels]]:
    """Yield the batches of an epoch as ``fit`` takes them, shuffled if there is a ``seed``."""
    rng = None if seed is None else np.random.default_rng(seed)
    for start, order in shuffle.windows(len(x), batch_size, rng):
        images, labels = read_rows(x, start, start + len(order)), y[start : start + len(order)]
        images = _warp(images, augment, [*seed, start]) if augment and seed else images
        for first in range(0, len(images), batch_size):
            batch = order[first : first + batch_size]
            yield images[batch] if augment else scale(images[batch]), labels[batch]


def _warp(images: Images, augment: Mapping[str, float], seed: list[int]) -> Any:
    from study_keras.train import augmentation

    return augmentation.warp_images(images, augment, seed)


class _EntireTraining(keras.callbacks.CallbackList):
    """Calls ``on_train_begin`` and ``on_train_end`` once, although each epoch is a separate ``fit``."""

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        pass

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        pass

    def begin(self) -> None:
        super().on_train_begin()

    def end(self) -> None:
        super().on_train_end()


def _seed_epoch(model: keras.Model, seed: int, epoch: int) -> None:
    """Seed one epoch: the order of the images, and each layer that draws random numbers."""
    # Keras does not save the state of a layer's random numbers, so it has to follow from the epoch.
    states = [variable for variable in model.variables if variable.path.endswith("seed_generator_state")]
    order, *drawn = np.random.SeedSequence([seed, epoch]).generate_state(1 + len(states))
    keras.utils.set_random_seed(int(order))
    for state, number in zip(states, drawn, strict=True):
        state.assign(np.array([number, 0], state.dtype))  # (seed, how many numbers were drawn)
