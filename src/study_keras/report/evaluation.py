"""Predictions, loss, accuracy and mistakes of a model."""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from study_keras.data.dataset import Images, Labels, scale
from study_keras.data.lazy_array import CHUNK_ROWS, read_rows
from study_keras.formats.keras_runner import keras_runner
from study_keras.vision.classifier import Network, to_network

Probabilities = NDArray[np.float32]


def to_model_inputs(model: keras.Model, images: Images) -> NDArray[np.float32]:
    """Convert ``(n, 28, 28)`` uint8 images to inputs of ``model``: float32 in [0, 1].

    Returns:
        ``(n, 28, 28)``, ``(n, 28, 28, 1)`` or ``(n, 784)``, the shape of the model's input.

    Raises:
        ValueError: the model's input has another shape.
    """
    shape = model.input_shape
    if not takes_digits(model):
        raise ValueError(
            f"the model takes {shape}, expected images of (None, 28, 28), (None, 28, 28, 1) or (None, 784)"
        )
    return scale(images).reshape(-1, *shape[1:])


def takes_digits(model: Any) -> bool:
    """Return whether ``model`` has a single input with one of the shapes of ``to_model_inputs``."""
    shape = getattr(model, "input_shape", None)
    return isinstance(shape, tuple) and tuple(shape[1:]) in ((28, 28), (28, 28, 1), (784,))


def predict(model: keras.Model | Network, images: Images) -> Probabilities:
    """Return the ``(n, classes)`` float32 probabilities for ``(n, 28, 28)`` uint8 images.

    Args:
        model: a Keras model, of which one that ends without a softmax gets one; a SavedModel as a function; or a
            network of ``vision.classifier``.

    Raises:
        ValueError: the model's input is not such an image, or its output is not ``(n, classes)``.
    """
    network = to_network(keras_runner(model)) if hasattr(model, "predict") else model
    chunks = (read_rows(images, start, start + CHUNK_ROWS) for start in range(0, len(images), CHUNK_ROWS))
    return np.concatenate([network(scale(chunk)) for chunk in chunks])


def evaluate(model: keras.Model | Network, images: Images, labels: Labels) -> dict[str, Any]:
    """Measure ``model`` on ``(n, 28, 28)`` uint8 images and their ``(n,)`` labels.

    Returns:
        ``images``: n; ``loss``: the mean cross-entropy in nats, with probabilities clipped at 1e-7 as Keras does;
        ``accuracy``: in [0, 1]; ``mistakes``: the indices of the misclassified images;
        ``probabilities``: ``(n, classes)`` float32.

    Raises:
        ValueError: the model takes other inputs, or has fewer outputs than the labels have classes.
    """
    probabilities = predict(model, images)
    classes = probabilities.shape[1]
    if labels.max() >= classes:
        raise ValueError(f"the model has {classes} classes, but the data has the label {labels.max()}")
    true_class = probabilities[np.arange(len(labels)), labels]
    mistakes = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    return {
        "images": len(labels),
        "loss": float(-np.log(np.clip(true_class, 1e-7, 1)).mean()),
        "accuracy": 1 - len(mistakes) / len(labels),
        "mistakes": mistakes.tolist(),
        "probabilities": probabilities,
    }
