"""Training that can stop after any epoch and go on as if it had not, on the fastest way that the backend has."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from study_keras.data.dataset import Images, Labels, scale, split
from study_keras.data.lazy_array import PIECE, changed, on_disk, rows
from study_keras.train.models import one_hot


def set_seed(seed: int) -> None:
    """Make what follows the same, bit for bit, on the same machine and versions.

    JAX needs no more than the seed on a CPU; TensorFlow must also be told to use its deterministic kernels.
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
    """Train a compiled ``model``: on JAX with the ``engine``, elsewhere with Keras' own ``fit``.

    All that is random in an epoch (the order of the images, warps, dropout) is drawn from ``seed`` and the epoch's
    number alone. So a training that goes on with ``first_epoch=3`` from the weights and the optimizer state
    after three epochs ends with the same weights as one that never stopped.

    Args:
        images: ``(n, 28, 28)`` uint8; those that lie on the disk stay there, and are shuffled in windows.
        labels: ``(n,)`` whole numbers; they are turned into one-hot rows where the model's loss wants those.
        validation: the fraction of the images that is held out and measured after each epoch; 0 for none.
        seed: from 0 to 2**32 - 1; drawn anew where it is ``None``.
        first_epoch: how many epochs are behind the model already.
        augment: how far images are warped, as ``augmentation.warp`` takes it; ``None`` for not at all.

    Returns:
        The history: ``history`` maps loss, accuracy (and val_loss, val_accuracy) to a number for each epoch.

    Raises:
        ValueError: ``validation`` leaves too few images.
    """
    seed = secrets.randbits(32) if seed is None else seed
    held_out = None
    if validation:
        (images, labels), (x_val, y_val) = split(images, labels, validation)
        held_out = (x_val, targets(model, y_val))
    fit = _fit_on_jax if keras.backend.backend() == "jax" else _fit_epoch_by_epoch
    # The first `fit` of a model, new or loaded, draws an order to build itself with: let it be this one.
    blank = np.zeros((1, *model.input_shape[1:]), "float32")
    model.fit(blank, targets(model, labels[:1]), epochs=0, verbose=0)
    more: dict[str, Any] = {"validation_data": held_out, "initial_epoch": first_epoch, "epochs": epochs}
    return fit(
        model, images, targets(model, labels), augment, batch_size=batch_size, seed=seed, callbacks=callbacks, **more
    )


def targets(model: keras.Model, labels: Labels) -> Labels:
    """Return ``(n,)`` labels as the loss of ``model`` wants them: as they are, or as one-hot rows."""
    return one_hot(labels, model.output_shape[-1]) if model.loss == "categorical_crossentropy" else labels


def _fit_on_jax(
    model: keras.Model, x: Images, y: Labels, augment: Any, *, seed: int, callbacks: Any, **settings: Any
) -> keras.callbacks.History:
    from study_keras.train import augmentation, jax_loop

    transform: jax_loop.Transform = jax_loop.as_float
    if augment:
        x, transform = changed(x, augmentation.finer), augmentation.warp(**augment)
    callbacks = [_SeedEpochs(seed), *callbacks]
    return jax_loop.fit(model, x, y, seed=seed, callbacks=callbacks, transform=transform, **settings)


def _fit_epoch_by_epoch(
    model: keras.Model, x: Images, y: Labels, augment: Any, *, seed: int, callbacks: Any, **settings: Any
) -> keras.callbacks.History:
    held_out, size, epochs = (settings[name] for name in ("validation_data", "batch_size", "epochs"))
    # `fit` would copy arrays to TensorFlow in every epoch.
    device = keras.ops.convert_to_tensor if keras.backend.backend() == "tensorflow" else np.asarray
    windows = len(x) > PIECE and on_disk(x)
    if not windows:
        x = rows(x, 0, len(x))
        x, y = x if augment else device(scale(x)), device(y)
    steps = -(-len(x) // size)
    whole = _WholeTraining(callbacks, add_history=True, model=model, epochs=epochs, steps=steps)
    whole.begin()
    try:
        for epoch in range(settings["initial_epoch"], epochs):
            now: dict[str, Any] = {"initial_epoch": epoch, "epochs": epoch + 1, "callbacks": whole, "verbose": 0}
            if windows:
                now |= {"x": _batches(x, y, size, augment, [seed, epoch]), "steps_per_epoch": steps}
            else:
                images = device(_warped(x, augment, [seed, epoch])) if augment else x
                now |= {"x": images, "y": y, "batch_size": size}
            if held_out:
                now["validation_data"] = _batches(held_out[0], held_out[1], size)
                now["validation_steps"] = -(-len(held_out[0]) // size)
            _seed_epoch(model, seed, epoch)
            model.fit(**now)
            if model.stop_training:
                break
    finally:
        whole.end()
    return model.history


def _batches(x: Images, y: Labels, size: int, augment: Any = None, seed: list[int] | None = None) -> Iterator[Any]:
    """Yield an epoch's batches as ``fit`` takes them, with a ``seed`` shuffled in windows as the engine's."""
    rng = np.random.default_rng(seed)
    width = max(PIECE // size, 1) * size
    starts = np.arange(0, len(x), width)
    for start in map(int, starts if seed is None else rng.permutation(starts)):
        images, labels = rows(x, start, start + width), y[start : start + width]
        order = np.arange(len(images)) if seed is None else rng.permutation(len(images))
        images = _warped(images, augment, [*seed, start]) if augment and seed else images
        for place in range(0, len(images), size):
            chosen = order[place : place + size]
            yield images[chosen] if augment else scale(images[chosen]), labels[chosen]


def _warped(images: Images, augment: Mapping[str, float], seed: list[int]) -> Any:
    from study_keras.train import augmentation

    return augmentation.warped(images, augment, seed)


class _SeedEpochs(keras.callbacks.Callback):
    """Lets an epoch's dropout follow from the seed and the epoch's number."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.seed = seed

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        _seed_epoch(self.model, self.seed, epoch)


class _WholeTraining(keras.callbacks.CallbackList):
    """Callbacks that see one training, although each epoch is a ``fit`` of its own."""

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        pass

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        pass

    def begin(self) -> None:
        super().on_train_begin()

    def end(self) -> None:
        super().on_train_end()


def _seed_epoch(model: keras.Model, seed: int, epoch: int) -> None:
    """Draw the seeds of one epoch: one for the order of the images, one for each layer that drops outputs."""
    # Keras does not save the state of a layer's random numbers, so it must follow from the epoch.
    states = [variable for variable in model.variables if variable.path.endswith("seed_generator_state")]
    order, *drawn = np.random.SeedSequence([seed, epoch]).generate_state(1 + len(states))
    keras.utils.set_random_seed(int(order))
    for state, number in zip(states, drawn, strict=True):
        state.assign(np.array([number, 0], state.dtype))  # (seed, how many numbers were drawn)
