"""A Keras model in memory as a runner, so that it runs as the files that are made of it do."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from study_keras.runtimes.runner import Arrays, Runner, TensorSpec, in_batches
from study_keras.startup import quiet

FEW = 16  # examples at once, which Keras computes sooner layer by layer than it compiles the model


def keras_runner(model: Any, path: str | Path = "the model", *, compiled: bool = False) -> Runner:
    """Return ``model``, a Keras model or a SavedModel as a function, ready to run.

    Args:
        path: its file, for error messages.
        compiled: whether Keras compiles the model for batches of at most ``FEW`` examples too, which pays off for
            many of them. Larger batches always are.
    """
    if not isinstance(model, keras.Model):
        return Runner("TensorFlow", Path(path), lambda arrays: call_model(model, arrays), model.inputs, model.outputs)

    def call(arrays: Arrays) -> Arrays:
        if not compiled and len(arrays[0]) <= FEW:
            return call_model(model, arrays)
        with quiet():
            return [np.asarray(output) for output in keras.tree.flatten(model.predict_on_batch(pack(model, arrays)))]

    inputs, outputs = (_specs(getattr(model, name, None)) for name in ("inputs", "outputs"))
    return Runner("Keras", Path(path), call, inputs, outputs, batch_size=batch_size(model))


def call_model(model: Any, arrays: Arrays, moved: Sequence[tuple[Any, Any]] = ()) -> Arrays:
    """Return the outputs of one call for inference, layer by layer, and leave the model's state as it is.

    Args:
        moved: pairs of a variable and the value to use in its place.
    """
    if not isinstance(model, keras.Model):
        return [np.asarray(output) for output in keras.tree.flatten(model(arrays))]
    with quiet(), keras.StatelessScope(moved):
        warnings.filterwarnings("ignore", "Explicitly requested dtype", UserWarning)  # JAX has no int64
        outputs = keras.tree.flatten(model(pack(model, arrays), training=False))
    return [keras.ops.convert_to_numpy(output) for output in outputs]


def keras_answers(model: Any, arrays: Arrays, moved: Sequence[tuple[Any, Any]] = ()) -> Arrays:
    """Return the outputs for any number of examples, a few at once; see ``call_model``."""
    return in_batches(lambda some: call_model(model, some, moved), arrays, batch_size(model) or FEW)


def pack(model: Any, arrays: Arrays) -> Any:
    """Return one array an input in the structure that ``model`` takes: an array, a list, a dict, nested ones."""
    if not isinstance(model, keras.Model):
        return arrays  # a SavedModel as a function
    if not getattr(model, "inputs", None) or isinstance(model, keras.Sequential):
        return arrays[0] if len(arrays) == 1 else arrays
    return keras.tree.pack_sequence_as(model.input, arrays)


def batch_size(model: Any) -> int | None:
    """Return the only batch size that ``model`` takes, None for any."""
    sizes = [item.shape[0] for item in getattr(model, "inputs", None) or () if item.shape]
    return next((size for size in sizes if size is not None), None)


def _specs(tensors: Any) -> list[TensorSpec] | None:
    if not tensors:
        return None
    return [TensorSpec(item.name, tuple(item.shape), keras.backend.standardize_dtype(item.dtype)) for item in tensors]
