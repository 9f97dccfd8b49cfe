"""Training with Keras' own ``fit``, so that it can stop after any epoch and go on as if it had not."""

import secrets
from collections.abc import Sequence

import keras
import numpy as np

from study_keras.mnist.data import Images, Labels, scale, split
from study_keras.mnist.models import one_hot


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
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> keras.callbacks.History:
    """Train a compiled ``model``.

    All that is random in an epoch (the order of the images, dropout) is drawn from ``seed`` and the epoch's
    number alone. So a training that goes on with ``first_epoch=3`` from the weights and the optimizer state
    after three epochs ends with the same weights as one that never stopped.

    Args:
        images: ``(n, 28, 28)`` uint8.
        labels: ``(n,)`` whole numbers; they are turned into one-hot rows where the model's loss wants those.
        validation: the fraction of the images that is held out and measured after each epoch; 0 for none.
        seed: from 0 to 2**32 - 1; drawn anew where it is ``None``.
        first_epoch: how many epochs are behind the model already.

    Returns:
        The history: ``history`` maps loss, accuracy (and val_loss, val_accuracy) to a number for each epoch.

    Raises:
        ValueError: ``validation`` leaves too few images.
    """
    seed = secrets.randbits(32) if seed is None else seed
    held_out = None
    if validation:
        (images, labels), (x_val, y_val) = split(images, labels, validation)
        held_out = (scale(x_val), targets(model, y_val))
    x, y = scale(images), targets(model, labels)
    if keras.backend.backend() == "tensorflow":  # `fit` would copy the arrays to TensorFlow in every epoch
        x, y = keras.ops.convert_to_tensor(x), keras.ops.convert_to_tensor(y)
    # The first `fit` of a model, new or loaded, draws one more order to build itself with: let it be this one.
    model.fit(x[:batch_size], y[:batch_size], batch_size, epochs=0, verbose=0)
    whole = _WholeTraining(callbacks, add_history=True, model=model, epochs=epochs, steps=-(-len(images) // batch_size))
    whole.begin()
    try:
        for epoch in range(first_epoch, epochs):
            _seed_epoch(model, seed, epoch)
            now = {"initial_epoch": epoch, "epochs": epoch + 1}
            model.fit(x, y, batch_size, validation_data=held_out, callbacks=whole, verbose=0, **now)
            if model.stop_training:
                break
    finally:
        whole.end()
    return model.history


def targets(model: keras.Model, labels: Labels) -> Labels:
    """Return ``(n,)`` labels as the loss of ``model`` wants them: as they are, or as one-hot rows."""
    return one_hot(labels, model.output_shape[-1]) if model.loss == "categorical_crossentropy" else labels


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
