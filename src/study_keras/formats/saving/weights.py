"""Checking whether weights fit a model, and assigning all of them or none."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np

from study_keras.startup import quiet


class Match(NamedTuple):
    """One weight of a model and its value in a file, or None if the file has none."""

    layer: str
    weight: str
    variable: keras.Variable
    value: Any


def assign(model: keras.Model, matches: Sequence[Match]) -> None:
    """Assign each value to its variable of ``model``, after reading and checking all of them.

    Raises:
        ValueError: a value is missing or has another shape. No variable was changed.
    """
    values = []
    for layer, weight, variable, value in matches:
        check(layer, weight, tuple(variable.shape), None if value is None else tuple(value.shape))
        array = as_stored(np.asarray(value), variable)  # reads the file
        if not are_numbers(array, variable):
            raise ValueError(f"layer {layer}: {weight} contains {array.dtype}, expected numbers")
        values.append(array)
    for match, value in zip(matches, values, strict=True):
        match.variable.assign(value)
    finalize(model)


def as_stored(array: np.ndarray, variable: keras.Variable) -> np.ndarray:
    """Return bytes in which HDF5 stores bfloat16 and other types that it lacks as the type of ``variable``."""
    own = np.dtype(variable.dtype)
    as_bytes = array.dtype.type is np.void and own.kind == "V" and array.dtype.itemsize == own.itemsize
    return array.view(own) if as_bytes else array


def are_numbers(array: np.ndarray, variable: keras.Variable) -> bool:
    """Return whether ``variable`` can take the values of an array of its shape."""
    return array.dtype.kind in "biuf" or array.dtype == np.dtype(variable.dtype)


def finalize(model: keras.Model) -> None:
    """Update each layer that computes with copies of its weights."""
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()


def numpy(variable: keras.Variable) -> np.ndarray:
    """Return a copy of the value of ``variable``."""
    with quiet():
        return np.array(keras.ops.convert_to_numpy(variable.value))


def check(layer: str, weight: str, expected: tuple[int, ...], found: tuple[int, ...] | None) -> None:
    """Raise a ValueError with the layer, the expected and the found shape, if they differ."""
    if found != expected:
        what = "nothing" if found is None else f"the shape {found}"
        raise ValueError(
            f"layer {layer}: expected {weight} of the shape {expected}, found {what}; "
            "load the weights into the model that they were saved from"
        )


def weighted_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """Return the model's layers that have weights, in order.

    Raises:
        ValueError: the model has not been built.
    """
    if not model.built:
        raise ValueError(f"the model {model.name} has no weights yet; give it an Input, or call it once")
    return [layer for layer in model.layers if layer.weights]
