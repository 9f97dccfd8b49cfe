"""What Keras answers: as it is, with other numbers in its variables, and compiled for many examples."""

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from study_keras.formats.compare import Arrays
from study_keras.formats.input_values import tensor_shapes
from study_keras.formats.quiet import quiet

BATCH = 1000
FEW = 16  # at once, where Keras goes layer by layer
MEMORY = 2**27  # bytes that the largest tensor of a batch may take


def pack(model: Any, arrays: Arrays) -> Any:
    """Return one array an input in the structure that ``model`` takes: an array, a list, a dict, nested ones."""
    if not isinstance(model, keras.Model):
        return arrays  # a SavedModel as a function
    if not getattr(model, "inputs", None) or isinstance(model, keras.Sequential):
        return arrays[0] if len(arrays) == 1 else arrays
    return keras.tree.pack_sequence_as(model.input, arrays)


def keras_answers(model: Any, arrays: Arrays, moved: Sequence[tuple[Any, Any]] = ()) -> Arrays:
    """Return what ``model`` answers to ``arrays``, layer by layer, and leave its state as it is.

    Args:
        model: a Keras model, or a SavedModel as a function.
        moved: pairs of a variable and the value to use in its place.
    """

    def answer(arrays: Arrays) -> Arrays:
        if not isinstance(model, keras.Model):
            return [np.asarray(output) for output in keras.tree.flatten(model(arrays))]
        with quiet(), keras.StatelessScope(moved):
            warnings.filterwarnings("ignore", "Explicitly requested dtype", UserWarning)  # JAX has no int64
            outputs = keras.tree.flatten(model(pack(model, arrays), training=False))
        return [keras.ops.convert_to_numpy(output) for output in outputs]

    return in_batches(answer, arrays, batch_size(model) or FEW)


def predictor(model: Any) -> Callable[[Arrays], Arrays]:
    """Return ``model`` as a function from arrays to arrays, compiled by Keras: for many batches of one size."""

    if not isinstance(model, keras.Model):
        return lambda arrays: keras_answers(model, arrays)

    def predict(arrays: Arrays) -> Arrays:
        with quiet():
            return [np.asarray(output) for output in keras.tree.flatten(model.predict_on_batch(pack(model, arrays)))]

    return predict


def batch_size(model: Any) -> int | None:
    """Return how many examples ``model`` takes at once, None for as many as one likes."""
    sizes = [item.shape[0] for item in getattr(model, "inputs", None) or () if item.shape]
    return next((size for size in sizes if size is not None), None)


def examples_at_once(model: Any, arrays: Arrays) -> int:
    """Return how many examples like ``arrays`` to give to ``model`` in a batch: fewer where its tensors are large."""
    longest = max((size for array in arrays for size in array.shape[1:]), default=1)
    shapes = [[size or longest for size in shape[1:]] for shape in tensor_shapes(model)]
    inside = max((math.prod(shape) for shape in shapes), default=0)
    given = sum(array[0].size for array in arrays) * (1 if shapes else 64)  # what goes on inside is not known
    return max(1, min(BATCH, MEMORY // (4 * max(inside, given, 1))))


def in_batches(run: Callable[[Arrays], Arrays], arrays: Arrays, size: int) -> Arrays:
    """Run ``arrays`` in batches of at most ``size`` examples and join the answers."""
    if len(arrays[0]) <= size:
        return run(arrays)
    parts = [run([array[start : start + size] for array in arrays]) for start in range(0, len(arrays[0]), size)]
    return [np.concatenate(pieces) for pieces in zip(*parts, strict=True)]
