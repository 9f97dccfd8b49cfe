"""Whether weights belong to a model, and putting them in: all of them or none."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np

from study_keras.startup import quiet


class Match(NamedTuple):
    """One weight of a model and what a file holds for it; ``value`` is None where the file holds nothing."""

    layer: str
    weight: str
    variable: keras.Variable
    value: Any


def put(model: keras.Model, matches: Sequence[Match]) -> None:
    """Put each value into its variable of ``model``, once every one is known to fit.

    Raises:
        ValueError: a value is missing or has another shape. No variable has been changed.
    """
    values = []
    for layer, weight, variable, value in matches:
        check(layer, weight, tuple(variable.shape), None if value is None else tuple(value.shape))
        values.append(np.asarray(value))  # reads the file; the last thing that can fail
        if values[-1].dtype.kind not in "biufV":
            raise ValueError(f"layer {layer}: {weight} holds {values[-1].dtype}, expected numbers")
    for match, value in zip(matches, values, strict=True):
        match.variable.assign(value)
    finalize(model)


def finalize(model: keras.Model) -> None:
    """Let each layer that computes with a copy of its weights make it anew, from those that were put in."""
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()


def numpy(variable: keras.Variable) -> np.ndarray:
    """Return a copy of what ``variable`` holds."""
    with quiet():
        return np.array(keras.ops.convert_to_numpy(variable.value))


def check(layer: str, weight: str, expected: tuple[int, ...], found: tuple[int, ...] | None) -> None:
    """Raise a ValueError that says which layer, what was expected and what was found, if they differ."""
    if found != expected:
        what = "nothing" if found is None else f"the shape {found}"
        raise ValueError(
            f"layer {layer}: expected {weight} of the shape {expected}, found {what}; "
            "build the model as it was when its weights were saved"
        )


def weighted_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """Return the model's layers that have weights, in order.

    Raises:
        ValueError: the model has not been built.
    """
    if not model.built:
        raise ValueError(f"the model {model.name} has no weights yet; give it an Input, or call it once")
    return [layer for layer in model.layers if layer.weights]
