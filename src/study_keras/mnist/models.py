"""The networks."""

from collections.abc import Sequence
from typing import Any

import keras

from study_keras.mnist.data import Labels


def mlp(
    units: Sequence[int] = (128,), activation: str = "relu", dropout: float = 0.2, classes: int = 10
) -> keras.Sequential:
    """Build the tutorial's network: Flatten, then Dense and Dropout for each of ``units``, then softmax.

    Args:
        units: the width of each hidden layer.
        activation: a name that Keras knows, for the hidden layers.
        dropout: the fraction of a hidden layer's outputs that training drops, in [0, 1).
        classes: the width of the output.

    Returns:
        A model from ``(n, 28, 28)`` float32 in [0, 1] to ``(n, classes)`` probabilities. With the defaults
        it has 784 x 128 + 128 + 128 x 10 + 10 = 101,770 weights.

    Raises:
        ValueError: Keras knows no such activation, or a number is out of its range.
    """
    layers: list[keras.layers.Layer] = [keras.Input((28, 28)), keras.layers.Flatten()]
    for width in units:
        layers += [keras.layers.Dense(width, activation=activation), keras.layers.Dropout(dropout)]
    return keras.Sequential([*layers, keras.layers.Dense(classes, activation="softmax")])


def compile(model: keras.Model, optimizer: str = "adam", one_hot: bool = False) -> None:  # noqa: A001
    """Compile ``model`` as the tutorial does: cross-entropy loss, accuracy as the metric.

    Args:
        optimizer: a name that Keras knows.
        one_hot: whether the labels will be ``(n, classes)`` rather than ``(n,)`` whole numbers.
    """
    loss = "categorical_crossentropy" if one_hot else "sparse_categorical_crossentropy"
    # Keras returns to Python between executions: once in 125 steps halves the tutorial's time in `fit`.
    model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"], steps_per_execution=125)


def one_hot(labels: Labels, classes: int) -> Any:
    """Turn ``(n,)`` whole numbers into ``(n, classes)`` float32 rows with a single 1."""
    return keras.utils.to_categorical(labels, classes)
