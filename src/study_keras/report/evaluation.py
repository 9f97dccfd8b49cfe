"""What a trained model gets right and wrong."""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from study_keras.data.dataset import Images, Labels, scale
from study_keras.data.lazy_array import PIECE, rows
from study_keras.formats.keras_runner import keras_runner
from study_keras.vision.classifier import Network, to_network

Probabilities = NDArray[np.float32]


def inputs(model: keras.Model, images: Images) -> NDArray[np.float32]:
    """Return ``(n, 28, 28)`` uint8 images as ``model`` takes them: float32 in [0, 1].

    They get the shape of its input: ``(n, 28, 28)``, ``(n, 28, 28, 1)`` or ``(n, 784)``.

    Raises:
        ValueError: the model's input is not such an image.
    """
    shape = model.input_shape
    if not takes_digits(model):
        raise ValueError(
            f"the model takes {shape}, expected images of (None, 28, 28), (None, 28, 28, 1) or (None, 784)"
        )
    return scale(images).reshape(-1, *shape[1:])


def takes_digits(model: Any) -> bool:
    """Tell whether ``model`` has one input, of the shape of such an image."""
    shape = getattr(model, "input_shape", None)
    return isinstance(shape, tuple) and tuple(shape[1:]) in ((28, 28), (28, 28, 1), (784,))


def predict(model: keras.Model | Network, images: Images) -> Probabilities:
    """Return the ``(n, classes)`` float32 probabilities for ``(n, 28, 28)`` uint8 images.

    Args:
        model: a Keras model, of which one that ends without a softmax gets one; a SavedModel as a function; or a
            network of ``vision.classifier``.

    Raises:
        ValueError: the model's input is not such an image, or its output is not one row of numbers.
    """
    network = to_network(keras_runner(model)) if hasattr(model, "predict") else model
    return np.concatenate([network(scale(rows(images, at, at + PIECE))) for at in range(0, len(images), PIECE)])


def evaluate(model: keras.Model | Network, images: Images, labels: Labels) -> dict[str, Any]:
    """Measure ``model`` on ``(n, 28, 28)`` uint8 images and their ``(n,)`` labels.

    Returns:
        ``images``: n; ``loss``: the mean cross-entropy in nats, probabilities cut off at 1e-7 as Keras does;
        ``accuracy``: in [0, 1]; ``mistakes``: the indices of the images that are read wrong;
        ``probabilities``: ``(n, classes)`` float32.

    Raises:
        ValueError: the model takes other images, or has fewer outputs than there are classes.
    """
    probabilities = predict(model, images)
    classes = probabilities.shape[1]
    if labels.max() >= classes:
        raise ValueError(f"the model knows {classes} classes, but the data has the label {labels.max()}")
    of_truth = probabilities[np.arange(len(labels)), labels]
    mistakes = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    return {
        "images": len(labels),
        "loss": float(-np.log(np.clip(of_truth, 1e-7, 1)).mean()),
        "accuracy": 1 - len(mistakes) / len(labels),
        "mistakes": mistakes.tolist(),
        "probabilities": probabilities,
    }
