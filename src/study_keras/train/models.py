"""The networks of the recipes, and how they are compiled."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from study_keras import limits
from study_keras.data.dataset import Labels
from study_keras.formats.keras_internals import checked_variables
from study_keras.train.recipes import MLP_ONLY, Recipe, unused_settings


def mlp(
    units: Sequence[int] = (128,), activation: str = "relu", dropout: float = 0.2, classes: int = 10
) -> keras.Sequential:
    """Build the tutorial's network: Flatten, then Dense and Dropout for each of ``units``, then softmax.

    Args:
        units: of each hidden layer.
        activation: of the hidden layers, the name of a Keras activation.
        dropout: rate after each hidden layer, in [0, 1).
        classes: units of the output layer.

    Returns:
        A model from ``(n, 28, 28)`` float32 in [0, 1] to ``(n, classes)`` probabilities. With the defaults
        it has 784 x 128 + 128 + 128 x 10 + 10 = 101,770 weights.

    Raises:
        ValueError: Keras has no such activation, or a number is out of range.
    """
    layers: list[keras.layers.Layer] = [keras.Input((28, 28)), keras.layers.Flatten()]
    for width in units:
        layers += [keras.layers.Dense(width, activation=activation), keras.layers.Dropout(dropout)]
    return keras.Sequential([*layers, keras.layers.Dense(classes, activation="softmax")])


def cnn(classes: int = 10) -> keras.Sequential:
    """Build a small convolutional network for training in one epoch; 166,058 weights for ten classes.

    The first convolution has stride 2, a quarter of the work; the second is pooled before its activation.
    """
    body = [keras.layers.Conv2D(24, 5, strides=2, activation="relu")]
    body += [keras.layers.Conv2D(48, 3), keras.layers.MaxPooling2D(), keras.layers.ReLU(), keras.layers.Flatten()]
    head = [keras.layers.Dense(128, activation="relu"), keras.layers.Dense(classes, activation="softmax")]
    return keras.Sequential([*_image_input(), *body, *head])


def best(classes: int = 10) -> keras.Sequential:
    """Build a deeper network with batch normalization, that of the shipped model; 79,370 weights for ten classes."""
    body = [*_block(24, 5, "same"), keras.layers.MaxPooling2D(), *_block(32, 3, "same"), keras.layers.MaxPooling2D()]
    body += [*_block(64, 3, "same"), *_block(64, 3, "valid"), keras.layers.Flatten(), keras.layers.Dropout(0.3)]
    return keras.Sequential([*_image_input(), *body, keras.layers.Dense(classes, activation="softmax")])


def ridge(units: Sequence[int] = (72,), classes: int = 10) -> keras.Model:
    """Build the network that ``train.ridge`` computes the weights of; 69,187 for ten classes and 72 components.

    Two layers are fixed: Sobel's filter in eight directions, and a blur. Dense layers cannot multiply values with each
    other, so the network is not a sequence: the components are multiplied with themselves.

    Args:
        units: one number, of principal components.

    Raises:
        ValueError: ``units`` is not one number from 1 to 200.
    """
    if len(units) != 1 or not 1 <= units[0] <= 200:
        raise ValueError(f"units are {','.join(map(str, units))}; this network takes one number, from 1 to 200")
    layers, count = keras.layers, units[0] + 1  # the first component is 1
    image = keras.Input((28, 28))
    edges = layers.Conv2D(8, 3, padding="same", activation="relu", use_bias=False, name="directions", trainable=False)
    blur = layers.DepthwiseConv2D(12, 4, activation="softsign", use_bias=False, name="blur", trainable=False)
    features = layers.Flatten()(blur(edges(layers.Reshape((28, 28, 1))(image))))
    components = layers.Dense(count, name="components")(features)
    products = layers.Multiply()([layers.Reshape((count, 1))(components), layers.Reshape((1, count))(components)])
    scores = layers.Dense(classes, activation="softmax", use_bias=False, name="classes")(layers.Flatten()(products))
    edges.set_weights([_sobel_filters()])
    blur.set_weights([_gaussians()])
    return keras.Model(image, scores, name="ridge")


def _sobel_filters() -> NDArray[Any]:
    """Return Sobel's filter in eight directions, ``(3, 3, 1, 8)``."""
    across = np.outer([1, 2, 1], [-1, 0, 1])
    angles = np.arange(8) * np.pi / 4
    return np.stack([np.cos(angle) * across + np.sin(angle) * across.T for angle in angles], axis=-1)[:, :, np.newaxis]


def _gaussians() -> NDArray[Any]:
    """Return a blur of 3 pixels for each direction, ``(12, 12, 8, 1)``; softsign is far from linear at its sums."""
    weights = np.exp(-np.square(np.arange(12) - 5.5) / (2 * 3**2))
    kernel = 2 * np.outer(weights, weights) / weights.sum() ** 2
    return np.tile(kernel[:, :, np.newaxis, np.newaxis], (1, 1, 8, 1))


def tiny(classes: int = 10) -> keras.Sequential:
    """Build a network of 4,934 weights for ten classes, whose int8 ``.tflite`` with batch size 1 takes 8,976 bytes.

    Batch normalization is not among the weights: exports fold it into the convolution before it.
    """
    body = [*_pooled(7, 5), *_block(10, 3, "valid"), *_block(10, 3, "valid"), keras.layers.MaxPooling2D()]
    body += [*_block(14, 3, "valid"), *_block(14, 3, "valid"), keras.layers.Flatten()]
    return keras.Sequential([*_image_input(), *body, keras.layers.Dense(classes, activation="softmax")])


def micro(classes: int = 10) -> keras.Sequential:
    """Build a network of 982 weights for ten classes, counted as those of ``tiny``.

    Each convolution but the first is depthwise, 9 weights per channel, and then pointwise.
    """
    body = [*_pooled(8, 3), *_separable(8), *_separable(10), keras.layers.MaxPooling2D(), *_separable(16)]
    body += [keras.layers.DepthwiseConv2D(3, use_bias=False), keras.layers.BatchNormalization(), keras.layers.Flatten()]
    return keras.Sequential([*_image_input(), *body, keras.layers.Dense(classes, activation="softmax")])


NETWORKS: dict[str, Callable[..., keras.Model]] = {
    function.__name__: function for function in (mlp, ridge, cnn, best, tiny, micro)
}


@limits.reader
def build(recipe: Recipe, classes: int = 10) -> keras.Sequential:
    """Build the network of ``recipe``.

    Raises:
        ValueError: its weights need more memory than ``limits.MAX_BYTES``.
    """
    options = {name: getattr(recipe, name) for name in {*MLP_ONLY} - unused_settings(recipe.network)}
    with checked_variables(limits.take):
        return NETWORKS[recipe.network](classes=classes, **options)


def _image_input() -> list[Any]:
    return [keras.Input((28, 28)), keras.layers.Reshape((28, 28, 1))]


def _block(filters: int, size: int, padding: str) -> list[keras.layers.Layer]:
    convolution = keras.layers.Conv2D(filters, size, padding=padding, use_bias=False)
    return [convolution, keras.layers.BatchNormalization(), keras.layers.ReLU()]


def _pooled(filters: int, size: int) -> list[keras.layers.Layer]:
    """Return a convolution that is pooled before its activation, a quarter of the work."""
    convolution = keras.layers.Conv2D(filters, size, padding="same")
    return [convolution, keras.layers.MaxPooling2D(), keras.layers.ReLU()]


def _separable(filters: int) -> list[keras.layers.Layer]:
    return [keras.layers.DepthwiseConv2D(3, use_bias=False), *_block(filters, 1, "valid")]


def compile(  # noqa: A001
    model: keras.Model,
    optimizer: str = "adam",
    one_hot: bool = False,
    *,
    rate: float | None = None,
    steps: int = 0,
    average: float | None = None,
    betas: Sequence[float] | None = None,
) -> None:
    """Compile ``model`` as the tutorial does: cross-entropy loss, accuracy as the metric.

    Args:
        optimizer: the name of a Keras optimizer.
        one_hot: whether the labels are ``(n, classes)`` one-hot rows instead of ``(n,)`` integers.
        rate: the peak of a one-cycle learning rate; None for the optimizer's constant rate.
        steps: of the entire training, the length of the cycle.
        average: the momentum of a moving average of the weights, which replaces them at the end; None for none.
        betas: Adam's decay rates; None for Keras' defaults, 0.9 and 0.999.
    """
    options: dict[str, Any] = {}
    if rate:
        options["learning_rate"] = one_cycle(rate, steps)
    if average:
        options |= {"use_ema": True, "ema_momentum": average}
    if betas:
        options |= {"beta_1": betas[0], "beta_2": betas[1]}
    chosen = keras.optimizers.get(optimizer)
    chosen = type(chosen)(**options) if options else chosen
    loss = "categorical_crossentropy" if one_hot else "sparse_categorical_crossentropy"
    # Keras returns to Python between executions; 125 steps per execution halve the tutorial's time in `fit`.
    model.compile(optimizer=chosen, loss=loss, metrics=["accuracy"], steps_per_execution=125)


def one_cycle(rate: float, steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    """Return a schedule that rises from a tenth of ``rate`` in a fifth of the ``steps``, then falls to nearly zero."""
    rise = max(1, steps // 5)
    return keras.optimizers.schedules.CosineDecay(
        rate / 10, decay_steps=max(1, steps - rise), alpha=1e-3, warmup_target=rate, warmup_steps=rise
    )


def one_hot(labels: Labels, classes: int) -> Any:
    """Convert ``(n,)`` integers to ``(n, classes)`` float32 one-hot rows."""
    return keras.utils.to_categorical(labels, classes)
