"""Training without gradient descent: ridge regression on the features of ``models.ridge``, in one pass.

The network measures how strong the edges of eight directions are in 25 parts of the image. It multiplies pairs of the
principal components of these 200 features, and the classes are linear in the products. Such polynomial classifiers of
gradient features are long known for handwritten digits (Liu, Nakashima, Sako and Fujisawa, 2003,
doi 10.1016/S0031-3203(03)00085-2).
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from study_keras.data.dataset import Images, Labels, split
from study_keras.data.lazy_array import read_rows, take_rows
from study_keras.train import shuffle
from study_keras.train.fit import batches, to_targets

SAMPLE = 4_000  # images for the principal components, the temperature, loss and accuracy
ROWS = 4_096  # images whose products are in memory at once
PENALTY = 1e-4  # of squared weights, relative to the mean square of a product; chosen on held-out images

Floats = NDArray[Any]  # of float32, or float64 where sums are long


def fit(
    model: keras.Model,
    images: Images,
    labels: Labels,
    *,
    batch_size: int = 500,
    validation: float = 0.0,
    first_epoch: int = 0,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> keras.callbacks.History:
    """Compute the weights of a compiled network of ``models.ridge``, and return the history, of one epoch.

    Nothing is random: the same images give the same weights. Loss and accuracy are those of ``SAMPLE`` images.

    Args:
        images: ``(n, 28, 28)`` uint8; images on the disk stay there and are read in windows.
        labels: ``(n,)`` integers.
        batch_size: images whose features are computed at once.
        validation: the fraction of the images that is held out and measured at the end; 0 for none.
        first_epoch: 1 if the weights are computed already, which is then all.

    Raises:
        ValueError: ``validation`` leaves too few images.
    """
    held_out = None
    if validation:
        (images, labels), held_out = split(images, labels, validation)
    steps = -(-len(images) // batch_size)
    watchers = keras.callbacks.CallbackList([*callbacks], add_history=True, model=model, epochs=1, steps=steps)
    watchers.on_train_begin()
    if not first_epoch:
        watchers.on_epoch_begin(0)
        logs = _fit(model, images, labels, batch_size, watchers)
        if held_out:
            rows = batches(held_out[0], to_targets(model, held_out[1]), batch_size)
            found = model.evaluate(rows, steps=-(-len(held_out[0]) // batch_size), verbose=0, return_dict=True)
            logs |= {f"val_{name}": value for name, value in found.items()}
        watchers.on_epoch_end(0, logs)
    watchers.on_train_end()
    return model.history


def _fit(
    model: keras.Model, x: Images, y: Labels, batch_size: int, watchers: keras.callbacks.CallbackList
) -> dict[str, float]:
    """Set the weights; return accuracy and loss."""
    components, classes = model.get_layer("components"), model.get_layer("classes")
    images = keras.Input(x.shape[1:], dtype="uint8")
    features = keras.Model(images, keras.Model(model.input, components.input)(keras.ops.cast(images, "float32") / 255))
    targets = np.eye(classes.units, dtype="float32")[y]
    some = np.linspace(0, len(x) - 1, min(len(x), SAMPLE)).astype(np.int64)
    sample = _predict(features, take_rows(x, some), batch_size)
    kernel, bias = _principal_components(sample, components.units - 1)

    first, second = _pairs(components.units)
    gram, moments = np.zeros((len(first), len(first))), np.zeros((len(first), classes.units))
    # First the features of many images, then their products: the threads of the two libraries disturb each other.
    for window in range(0, len(x), shuffle.WINDOW_ROWS):
        part = read_rows(x, window, window + shuffle.WINDOW_ROWS)
        found = _predict(features, part, batch_size, watchers, window // batch_size) @ kernel + bias
        for start in range(0, len(found), ROWS):
            products = _products(found[start : start + ROWS])
            gram += products @ products.T  # NumPy computes only half of a product with its own transpose
            moments += products @ targets[window + start : window + start + products.shape[1]]
    gram[np.diag_indices_from(gram)] += PENALTY * np.trace(gram) / len(gram)
    weights = np.linalg.solve(gram, moments)

    scores = _products(sample @ kernel + bias).T @ weights
    factor = _inverse_temperature(scores, targets[some])
    square = np.zeros((components.units, components.units, classes.units))
    square[first, second] = weights * factor
    components.set_weights([kernel, bias])
    classes.set_weights([square.reshape(-1, classes.units)])
    return _logs(scores * factor, targets[some])


def _predict(features: keras.Model, images: Images, batch_size: int, watchers: Any = None, step: int = 0) -> Floats:
    """Return the ``(n, 200)`` features of ``(n, 28, 28)`` uint8 images; tell ``watchers`` of each batch."""
    found = []
    for number, start in enumerate(range(0, len(images), batch_size), step):
        found.append(np.asarray(features.predict_on_batch(images[start : start + batch_size])))
        if watchers:
            watchers.on_train_batch_end(number)
    return np.concatenate(found)


def _principal_components(features: Floats, count: int) -> tuple[Floats, Floats]:
    """Return the kernel and bias of a dense layer from features to a component that is 1, and ``count`` principal ones.

    Each component is divided by the square root of its standard deviation, relative to the first: the regression
    prefers small weights, so it uses weak components, but less than strong ones.
    """
    mean = features.mean(0)
    centered = features - mean
    values, vectors = np.linalg.eigh(centered.T @ centered / len(features))
    values = np.maximum(values[::-1][:count], 1e-9)  # features that never change have components of zero
    kernel = vectors[:, ::-1][:, :count] / (values * values[0]) ** 0.25
    return np.pad(kernel, ((0, 0), (1, 0))), np.insert(-mean @ kernel, 0, 1)


def _pairs(count: int) -> tuple[Any, Any]:
    """Return the numbers of the components that are multiplied: those that add up to less than ``count``.

    So strong components, which come first, are multiplied with all others, but not two weak ones with each other.
    Component 0 is 1; with it the components themselves are among the products.
    """
    first, second = np.triu_indices(count)
    kept = first + second < count
    return first[kept], second[kept]


def _products(components: Floats) -> Floats:
    """Return the products of ``_pairs`` of ``(n, count)`` components: ``(pairs, n)``."""
    rows = np.ascontiguousarray(components.T, "float32")
    return np.concatenate([rows[first] * rows[first : len(rows) - first] for first in range((len(rows) + 1) // 2)])


def _inverse_temperature(scores: Floats, targets: Floats) -> float:
    """Return the factor of ``scores`` before softmax that minimizes the cross-entropy, by Newton's method."""
    factor = 1.0
    for _ in range(20):
        probabilities = _softmax(scores * factor)
        means = (probabilities * scores).sum(1)
        slope = (means - (targets * scores).sum(1)).mean()
        curvature = ((probabilities * scores**2).sum(1) - means**2).mean()
        factor = float(np.clip(factor - slope / max(curvature, 1e-9), factor / 2, min(2 * factor, 1e3)))
    return factor


def _softmax(scores: Floats) -> Floats:
    exponentials = np.exp(scores - scores.max(1, keepdims=True))
    return exponentials / exponentials.sum(1, keepdims=True)


def _logs(scores: Floats, targets: Floats) -> dict[str, float]:
    losses = -np.log((_softmax(scores) * targets).sum(1) + 1e-7)
    return {"accuracy": float((scores.argmax(1) == targets.argmax(1)).mean()), "loss": float(losses.mean())}
