"""A trained network from any file, as a function from images to probabilities."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from study_keras import formats
from study_keras.runtimes import Runner

SHIPPED = Path(__file__).parents[1] / "shipped" / "digits.tflite"
# Four images without meaning, the same as in model.js.
PROBES = (np.outer(np.arange(1, 5), np.arange(784)) * 37 % 101 / 100).reshape(4, 28, 28).astype(np.float32)
SHAPES = ((28, 28), (28, 28, 1), (784,))  # what a network may take for one image


@dataclass(frozen=True)
class Network:
    """A network as a function: (n, 28, 28) float32 in [0, 1], white ink on black -> (n, classes) float32 probabilities.

    ``shipped``: whether it is that of this package, whose answers the reader of marks may complete.
    """

    run: Callable[[NDArray[np.float32]], NDArray[np.float32]]
    shipped: bool = False

    def __call__(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the probabilities of the classes for each image."""
        return self.run(images)


def load_network(path: str | Path | None = None) -> Network:
    """Return the network at ``path``.

    It has buffers of its own and serves one thread at a time: load one for each thread.

    Args:
        path: whatever ``formats.open`` takes; None for the network that is shipped with this package.

    Returns:
        A function from images to probabilities; a softmax is added where the network ends without one.

    Raises:
        ValueError: the file is missing or broken, contains only a part of a model, or its model takes or gives
            something else than an image of 28 x 28 and one row of numbers.
    """
    if path is None:
        return Network(to_network(formats.open(SHIPPED)).run, shipped=True)
    path = Path(path)
    if not path.exists():
        raise ValueError(f"{path}: no such file; expected a model, such as .tflite, .onnx or .keras")
    try:
        return to_network(formats.open(path))
    except FileNotFoundError:
        if not formats.detect(path).load:
            raise
        # No Node: Keras runs a TF.js model of layers, too.
        from study_keras.formats.keras_runner import keras_runner

        return to_network(keras_runner(formats.load(path), path))


def to_network(runner: Runner) -> Network:
    """Return a loaded model as a network; see ``load_network``.

    What it answers to ``PROBES`` decides whether it ends with a softmax.

    Raises:
        ValueError: it takes or gives something else than an image of 28 x 28 and one row of numbers.
    """
    shape = _image_shape(runner)

    def outputs_for(images: NDArray[np.float32]) -> NDArray[np.float32]:
        values = np.ascontiguousarray(images, np.float32).reshape(-1, *shape)
        return np.asarray(runner.run([values]).outputs[0], np.float32)

    ends_with_softmax = are_probabilities(outputs_for(PROBES))

    def network(images: NDArray[np.float32]) -> NDArray[np.float32]:
        if images.ndim != 3 or images.shape[1:] != (28, 28):
            raise ValueError(f"images of shape {images.shape}; expected (n, 28, 28)")
        outputs = outputs_for(images)
        return outputs if ends_with_softmax else softmax(outputs)

    return Network(network)


def _image_shape(runner: Runner) -> tuple[int, ...]:
    """Return the shape in which the model takes one image."""
    inputs, outputs = runner.inputs or (), runner.outputs or ()
    if len(inputs) != 1 or len(outputs) != 1:
        raise ValueError(f"{runner.path}: {len(inputs)} inputs and {len(outputs)} outputs; expected one of each")
    shape, result = (inputs[0].shape or ())[1:], outputs[0].shape
    if shape not in SHAPES:
        expected = ", ".join(map(str, SHAPES))
        raise ValueError(f"{runner.path}: takes images of {shape}; expected {expected}: a network for MNIST")
    if result is not None and len(result) != 2:
        raise ValueError(
            f"{runner.path}: gives {result[1:]} for one image; expected one row, a probability for each class"
        )
    return shape


def are_probabilities(outputs: NDArray[np.floating]) -> bool:
    """Tell whether each row of ``(n, classes)`` numbers is that of a softmax: none negative, with the sum 1.

    Bytes round each to 1/256, so a sum may be off by a few of them.
    """
    return bool(np.all(outputs >= 0) and np.all(np.abs(outputs.sum(axis=1) - 1) < 0.03))


def softmax(outputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return ``(n, classes)`` probabilities of as many logits."""
    exponentials = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)
