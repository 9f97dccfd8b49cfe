"""Whether a model that was rebuilt from a SavedModel answers as the graph in the folder does."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np

from study_keras.formats.quiet import quiet

LIMIT = 1e-5  # of the largest answer; what float32 leaves of two ways to add the same numbers
_ROWS = 2
_UNKNOWN = (8, 32, 96)  # sides to try where the model takes any: the first that is large enough for its windows
_CATEGORIES = {"Embedding": "input_dim", "CategoryEncoding": "num_tokens"}  # layers that take whole numbers below this


def check(model: keras.Model, loaded: Any) -> None:
    """Compare the answers of ``model`` with those of a loaded SavedModel, on seeded random inputs.

    Raises:
        ValueError: the graph cannot be run, has other inputs or outputs, or answers otherwise.
    """
    function = _function(model, loaded)
    specs = {spec.name: spec for spec in _specs(function)}
    keys = _in_order(list(specs), [item.name for item in model.inputs], "inputs")
    sides = _UNKNOWN if any(None in tuple(spec.shape)[1:] for spec in specs.values()) else _UNKNOWN[:1]
    failure: Exception | None = None
    for side in sides:
        random = np.random.default_rng(0)
        arrays = [_sample(model, item, specs[key], side, random) for key, item in zip(keys, model.inputs, strict=True)]
        try:
            wanted = _run(function, dict(zip(keys, arrays, strict=True)))
            found = _answers(model, arrays)
        except Exception as error:  # TensorFlow and Keras raise what they like, such as at an image too small
            failure = error
            continue
        names = _in_order(list(wanted), _output_names(model), "outputs")
        return _compare([wanted[name] for name in names], found, names)
    reason = (str(failure) or type(failure).__name__).splitlines()[0]
    raise ValueError(f"its own graph and the model cannot be compared: {reason}")


def _function(model: keras.Model, loaded: Any) -> Any:
    """Return the folder's signature, or where that takes something else than the model, the model's own graph."""
    named = dict(getattr(loaded, "signatures", {})).get("serving_default")
    if named is not None and len(_specs(named)) == len(model.inputs):
        return named
    own = getattr(getattr(loaded, "_default_save_signature", None), "concrete_functions", None)
    if not own:
        raise ValueError("it has no signature to compare the model with; load_saved_model(path) runs what is there")
    return own[0]


def _specs(function: Any) -> list[Any]:
    """Return what a graph takes, flat and by position."""
    import tensorflow as tf

    specs: list[Any] = tf.nest.flatten(function.structured_input_signature)
    if not all(isinstance(spec, tf.TensorSpec) and spec.shape.rank for spec in specs):
        raise ValueError("its signature takes something else than arrays of rows; load_saved_model(path) runs it")
    return specs


def _in_order(stored: list[str], names: Sequence[str], what: str) -> list[str]:
    """Return the signature's names in the model's order: the same, but for what TensorFlow allows in a name."""
    if len(stored) == len(names) == 1:
        return stored
    plain = {re.sub(r"\W", "_", name).lower(): name for name in stored}
    wanted = [re.sub(r"\W", "_", name).lower() for name in names]
    if sorted(plain) != sorted(wanted):
        raise ValueError(f"its signature has the {what} {', '.join(stored)}; the model has {', '.join(names)}")
    return [plain[name] for name in wanted]


def _output_names(model: keras.Model) -> list[str]:
    """Return the names of the outputs as Keras 2 made them: of their layers, numbered where they repeat."""
    names: list[str] = []
    for output in model.outputs:
        layer, number = output._keras_history.operation.name, 0
        while (name := f"{layer}_{number}" if number else layer) in names:
            number += 1
        names.append(name)
    return names


def _sample(model: keras.Model, item: Any, spec: Any, side: int, random: np.random.Generator) -> np.ndarray:
    """Return a few rows of random numbers for one input: whole ones, in range, where it names categories."""
    shape = [side if size is None else int(size) for size in spec.shape]
    shape[0] = _ROWS if spec.shape[0] is None else shape[0]
    dtype = np.dtype(spec.dtype.as_numpy_dtype)
    if dtype.kind not in "biuf":
        raise ValueError(f"the input {item.name} takes {spec.dtype.name}, of which no random values can be made")
    limits = list(_limits(item._keras_history.operation))
    if limits or dtype.kind != "f":
        everywhere = [getattr(layer, _CATEGORIES[type(layer).__name__]) for layer in _categories(model)]
        return random.integers(0, min([*limits, *everywhere, 2 if dtype.kind == "b" else 256]), shape).astype(dtype)
    return random.normal(size=shape).astype(dtype)


def _limits(operation: Any) -> Iterator[int]:
    """Yield how many categories the layers know that an input goes to, directly or through layers without weights."""
    for node in operation._outbound_nodes:
        layer = node.operation
        if type(layer).__name__ in _CATEGORIES:
            yield getattr(layer, _CATEGORIES[type(layer).__name__])
        elif isinstance(layer, keras.Model):
            for inner in layer.inputs:
                yield from _limits(inner._keras_history.operation)
        elif not getattr(layer, "weights", None):
            yield from _limits(layer)


def _categories(model: keras.Model) -> Iterator[Any]:
    return (layer for layer in model._flatten_layers() if type(layer).__name__ in _CATEGORIES)


def _run(function: Any, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    import tensorflow as tf

    flat = [tf.constant(arrays[spec.name]) for spec in _specs(function)]
    positional, named = tf.nest.pack_sequence_as(function.structured_input_signature, flat)
    return {name: output.numpy() for name, output in function(*positional, **named).items()}


def _answers(model: keras.Model, arrays: list[np.ndarray]) -> list[np.ndarray]:
    sequential = isinstance(model, keras.Sequential)
    inputs = arrays[0] if sequential else keras.tree.pack_sequence_as(model.input, arrays)
    with quiet():
        outputs = model(inputs, training=False)
        for layer in model._flatten_layers():
            if getattr(layer, "stateful", False) and hasattr(layer, "reset_state"):
                layer.reset_state()  # nothing of these inputs may be left in it
        return [np.asarray(keras.ops.convert_to_numpy(output)) for output in keras.tree.flatten(outputs)]


def _compare(wanted: list[np.ndarray], found: list[np.ndarray], names: list[str]) -> None:
    for expected, answer, name in zip(wanted, found, names, strict=True):
        if expected.shape != answer.shape:
            raise ValueError(f"output {name}: the model gives {answer.shape}, the folder's own graph {expected.shape}")
        if not expected.size:
            continue
        largest = float(np.abs(expected.astype("float64")).max())
        difference = float(np.abs(expected.astype("float64") - answer).max())
        if not difference <= LIMIT * largest:
            raise ValueError(
                f"output {name}: the model's answer is {difference:.2g} off that of the folder's own graph, whose "
                f"largest is {largest:.2g}; expected at most {LIMIT:g} of it. load_saved_model(path) runs the graph"
            )
