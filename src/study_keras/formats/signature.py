"""Whether a model that was rebuilt from a SavedModel answers as the graph in the folder does."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np

from study_keras.startup import quiet

Arrays = dict[str, np.ndarray]  # by the signature's names

LIMIT = 1e-5  # of the largest answer; what float32 leaves of two ways to add the same numbers
SLACK = 10  # times what the answer moves by with the last digit of the weights, which deep networks amplify
_TRIALS = 3
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
        return _compare(function, dict(zip(keys, arrays, strict=True)), wanted, dict(zip(names, found, strict=True)))
    reason = (str(failure) or type(failure).__name__).splitlines()[0]
    raise ValueError(f"its own graph and the model cannot be compared: {reason}")


def _function(model: keras.Model, loaded: Any) -> Any:
    """Return the folder's signature, or where that takes something else than the model, the model's own graph."""
    named = dict(getattr(loaded, "signatures", {})).get("serving_default")
    own = getattr(loaded, "_default_save_signature", None)
    own = getattr(own, "concrete_functions", None) or [own]
    ranks = sorted(len(item.shape) for item in model.inputs)
    for function in (named, *own):
        if function is not None and sorted(spec.shape.rank or 0 for spec in _specs(function)) == ranks:
            return function
    raise ValueError("it has no signature that takes what the model takes; load_saved_model(path) runs what is there")


def _specs(function: Any) -> list[Any]:
    """Return what a graph takes, flat and by position."""
    import tensorflow as tf

    specs: list[Any] = tf.nest.flatten(function.structured_input_signature)
    return [spec for spec in specs if isinstance(spec, tf.TensorSpec)]


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


def _run(function: Any, arrays: Arrays) -> Arrays:
    import tensorflow as tf

    flat = [tf.constant(arrays[spec.name]) for spec in _specs(function)]
    positional, named = tf.nest.pack_sequence_as(function.structured_input_signature, flat)
    return {name: output.numpy() for name, output in function(*positional, **named).items()}


def _answers(model: keras.Model, arrays: list[np.ndarray]) -> list[np.ndarray]:
    sequential = isinstance(model, keras.Sequential)
    inputs = arrays[0] if sequential else keras.tree.pack_sequence_as(model.input, arrays)
    with quiet():
        outputs = model.predict_on_batch(inputs)
        model.predict_function = None  # made for this comparison, with what layers hold beside their weights inside
        for layer in model._flatten_layers():
            if getattr(layer, "stateful", False) and hasattr(layer, "reset_state"):
                layer.reset_state()  # nothing of these inputs may be left in it
        return [np.asarray(keras.ops.convert_to_numpy(output)) for output in keras.tree.flatten(outputs)]


def _compare(function: Any, inputs: Arrays, wanted: Arrays, found: Arrays) -> None:
    moved: dict[str, float] | None = None
    for name, answer in found.items():
        expected = wanted[name].astype("float64")
        if expected.shape != answer.shape:
            raise ValueError(f"output {name}: the model gives {answer.shape}, the folder's own graph {expected.shape}")
        limit, difference = LIMIT * np.abs(expected).max(initial=0), np.abs(expected - answer).max(initial=0)
        if difference <= limit:
            continue
        moved = _moved(function, inputs, wanted) if moved is None else moved
        if not difference <= max(limit, SLACK * moved[name]):
            raise ValueError(
                f"output {name}: the model's answer is {difference:.2g} off that of the folder's own graph; expected "
                f"{LIMIT:g} of the largest, {limit / LIMIT:.2g}, at most. load_saved_model(path) runs the graph"
            )


def _moved(function: Any, inputs: Arrays, wanted: Arrays) -> dict[str, float]:
    """Return how far each answer of the graph moves where its weights move by their last digit, as rounding may."""
    random = np.random.default_rng(0)
    variables = [variable for variable in function.variables if variable.dtype.is_floating]
    values = [variable.numpy() for variable in variables]
    moved = dict.fromkeys(wanted, 0.0)
    for _ in range(_TRIALS):
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value * (1 + random.choice((-1, 1), value.shape) * 2.0**-23).astype(value.dtype))
        for name, answer in _run(function, inputs).items():
            moved[name] = max(moved[name], float(np.abs(answer.astype("float64") - wanted[name]).max(initial=0)))
    return moved
