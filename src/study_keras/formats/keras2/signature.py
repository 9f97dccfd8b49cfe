"""Compares a model that was rebuilt from a SavedModel with the graph in the folder."""

import re
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from study_keras.formats.keras_internals import producer
from study_keras.formats.keras_runner import batch_size, keras_answers
from study_keras.formats.proof.differences import ROUNDING, differences
from study_keras.formats.proof.random_inputs import random_inputs
from study_keras.formats.proof.rounding import allowed
from study_keras.runtimes.runner import Arrays

_EXAMPLES = 5  # where the batch size is not fixed


def check(model: keras.Model, loaded: Any) -> None:
    """Compare the outputs of ``model`` with those of a loaded SavedModel, on seeded random inputs.

    Raises:
        ValueError: the graph cannot be run, has other inputs or outputs, or gives other values.
    """
    function = _function(model, loaded)
    specs = {spec.name: spec for spec in _specs(function)}
    names = _in_order(list(specs), [item.name for item in model.inputs], "inputs")
    try:
        arrays = random_inputs(model, batch_size(model) or _EXAMPLES)
        expected = _run(function, dict(zip(names, arrays, strict=True)))
        found = keras_answers(model, arrays)
    except Exception as error:  # TensorFlow and Keras raise errors of many classes
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise ValueError(f"the model cannot be compared with the folder's own graph: {reason}") from error
    names = _in_order(list(expected), _output_names(model), "outputs")
    _compare(model, arrays, [expected[name] for name in names], dict(zip(names, found, strict=True)))


def _function(model: keras.Model, loaded: Any) -> Any:
    """Return the folder's signature, or the model's own graph where the signature takes other inputs."""
    named = dict(getattr(loaded, "signatures", {})).get("serving_default")
    own = getattr(loaded, "_default_save_signature", None)
    own = getattr(own, "concrete_functions", None) or [own]
    ranks = sorted(len(item.shape) for item in model.inputs)
    for function in (named, *own):
        if function is not None and sorted(spec.shape.rank or 0 for spec in _specs(function)) == ranks:
            return function
    raise ValueError("no signature takes the model's inputs; load_saved_model(path) runs the signatures that exist")


def _specs(function: Any) -> list[Any]:
    """Return the ``TensorSpec`` of each input of a graph, flat and by position."""
    import tensorflow as tf

    specs: list[Any] = tf.nest.flatten(function.structured_input_signature)
    return [spec for spec in specs if isinstance(spec, tf.TensorSpec)]


def _in_order(stored: list[str], names: Sequence[str], what: str) -> list[str]:
    """Return the signature's names in the model's order; TensorFlow replaces characters that it does not allow."""
    if len(stored) == len(names) == 1:
        return stored
    plain = {re.sub(r"\W", "_", name).lower(): name for name in stored}
    wanted = [re.sub(r"\W", "_", name).lower() for name in names]
    if sorted(plain) != sorted(wanted):
        raise ValueError(f"its signature has the {what} {', '.join(stored)}; the model has {', '.join(names)}")
    return [plain[name] for name in wanted]


def _output_names(model: keras.Model) -> list[str]:
    """Return the outputs' names as Keras 2 made them: the layer's, with a number where it repeats."""
    names: list[str] = []
    for output in model.outputs:
        layer, number = producer(output).name, 0
        while (name := f"{layer}_{number}" if number else layer) in names:
            number += 1
        names.append(name)
    return names


def _run(function: Any, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    import tensorflow as tf

    flat = [tf.cast(arrays[spec.name], spec.dtype) for spec in _specs(function)]
    positional, named = tf.nest.pack_sequence_as(function.structured_input_signature, flat)
    return {name: output.numpy() for name, output in function(*positional, **named).items()}


def _compare(model: keras.Model, inputs: Arrays, expected: Arrays, found: dict[str, np.ndarray]) -> None:
    """Refuse outputs that differ from the graph's by more than float32 rounding."""
    count, limits = len(inputs[0]), None
    for index, ((name, output), wanted) in enumerate(zip(found.items(), expected, strict=True)):
        if wanted.shape != output.shape:
            raise ValueError(f"output {name}: the model gives {output.shape}, the folder's own graph {wanted.shape}")
        apart = differences(wanted, output, count)
        if (apart <= ROUNDING).all():
            continue
        limits = allowed(model, "float32", inputs) if limits is None else limits
        if not (apart <= limits[index]).all():
            worst = int(np.argmax(apart - limits[index]))
            raise ValueError(
                f"output {name}: the model's answer is {apart[worst]:.2g} off that of the folder's own graph; "
                f"expected at most {limits[index][worst]:.2g}. load_saved_model(path) runs the graph"
            )
