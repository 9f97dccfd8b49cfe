"""Callbacks that Keras removed since 2019: saving every few epochs, and gradients in TensorBoard."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from study_keras import formats
from study_keras.plain_text import printable


class SaveEvery(keras.callbacks.Callback):
    """Save the model or its weights every few epochs, as ``ModelCheckpoint(period=...)`` did.

    Args:
        path: of any format of ``formats.save``; ``{epoch}`` in it is the epoch's number from 1, ``{epoch:04d}`` with
            four digits.
        epochs: the number of epochs from one save to the next.
        say: called with a line at each save, for example ``print``.

    Raises:
        ValueError: ``epochs`` is below 1.
    """

    def __init__(self, path: str | Path, epochs: int = 1, say: Callable[[str], Any] | None = None) -> None:
        super().__init__()
        if epochs < 1:
            raise ValueError(f"epochs={epochs}; expected a whole number of at least 1")
        self.path = str(path)
        self.epochs = epochs
        self.say = say

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if (epoch + 1) % self.epochs:
            return
        path = re.sub(r"\{epoch(:[^{}]*)?\}", lambda field: field[0].format(epoch=epoch + 1), self.path)
        formats.save(self.model, path)
        if self.say:
            self.say(f"\nepoch {epoch + 1}: saved {path}")  # Keras' progress bar has not ended its line


class LogGradients(keras.callbacks.Callback):
    """Write the gradients of each layer to TensorBoard once per epoch, as ``write_grads`` did.

    Writes a histogram for each trainable weight and the Euclidean norm for each layer, both for the mean loss over a
    fixed sample without dropout. They form the run ``gradients`` beside Keras' own ``train``. Works on JAX and
    TensorFlow; ``benchmarks/overhead.py`` measures its cost.

    Args:
        folder: of ``keras.callbacks.TensorBoard``.
        x: the sample, as the model takes it; a few hundred images are enough.
        y: its labels, as the model's loss takes them.
    """

    def __init__(self, folder: str | Path, x: NDArray[Any], y: NDArray[Any]) -> None:
        super().__init__()
        self.folder = Path(folder) / "gradients"
        self.x = np.asarray(x, "float32")
        self.y = y

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        import tensorflow as tf  # for its summary writer, which Keras' TensorBoard callback uses too

        self.summary = tf.summary
        self.writer = tf.summary.create_file_writer(str(self.folder))

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        squares: dict[str, float] = {}
        with self.writer.as_default(step=epoch):
            for name, gradient in gradients(self.model, self.x, self.y).items():
                self.summary.histogram(f"gradients/{printable(name)}", gradient)
                layer = name.rsplit("/", 1)[0]
                squares[layer] = squares.get(layer, 0.0) + float(np.square(gradient).sum())
            for layer, square in squares.items():
                self.summary.scalar(f"gradient_norm/{printable(layer)}", square**0.5)
        self.writer.flush()

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        self.writer.close()


def gradients(model: keras.Model, x: NDArray[Any], y: NDArray[Any]) -> dict[str, NDArray[np.float32]]:
    """Return the gradient of the mean loss for each trainable weight, without dropout.

    Args:
        x: the model's input, float32.
        y: its targets; the model's loss must be a name, such as sparse_categorical_crossentropy.

    Returns:
        Arrays of the weights' shapes by the paths of the weights, such as ``dense/kernel``.

    Raises:
        ValueError: the backend is neither JAX nor TensorFlow.
    """
    loss_function = keras.losses.get(model.loss)
    weights = model.trainable_variables
    if keras.backend.backend() == "jax":
        import jax

        def mean_loss(values: list[Any]) -> Any:
            outputs, _ = model.stateless_call(values, model.non_trainable_variables, x, training=False)
            return keras.ops.mean(loss_function(y, outputs))

        found = jax.grad(mean_loss)([weight.value for weight in weights])
    elif keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            loss = keras.ops.mean(loss_function(y, model(x, training=False)))
        found = tape.gradient(loss, [weight.value for weight in weights])
    else:
        raise ValueError(
            f"no gradients on the {keras.backend.backend()} backend; set KERAS_BACKEND to jax or tensorflow"
        )
    names = [weight.path.removeprefix(f"{model.name}/") for weight in weights]
    return {name: np.asarray(gradient) for name, gradient in zip(names, found, strict=True)}
