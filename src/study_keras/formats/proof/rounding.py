"""How much of a difference is rounding: the change of Keras' own outputs when numbers change in their last digit.

A difference within ``differences.THRESHOLDS`` passes. A larger one may still be rounding, since deep networks and large
inputs amplify it, and quantization rounds on purpose. It passes if it is at most ``SLACK`` times the change of Keras'
output for the same example when weights and inputs change in the last digit that the file stores.
"""

from typing import Any

import keras
import numpy as np

from study_keras.formats.keras_runner import keras_answers
from study_keras.formats.proof.differences import ROUNDING, THRESHOLDS, differences
from study_keras.formats.proof.input_values import normalizes_inputs
from study_keras.runtimes.runner import Arrays

SLACK = 10
TRIALS = 3
# The last digit of a stored number, as a fraction of the number, or of the largest one in its array.
RELATIVE = {"float32": 2.0**-23, "float16": 2.0**-11, "bfloat16": 2.0**-8}
OF_LARGEST = {"uint16": 2 / 65535, "uint8": 2 / 255, "dynamic": 2 / 255, "int8": 2 / 255}


def allowed(model: Any, stored: str, arrays: Arrays) -> list[np.ndarray]:
    """Return for each output the largest difference that passes for each example; ``(count,)``, in relative units.

    Args:
        model: a Keras model, whose weights stay as they are, or a SavedModel as a function.
        stored: a key of ``THRESHOLDS``.
        arrays: one array per input.
    """
    count, limit = len(arrays[0]), THRESHOLDS[stored][1] or ROUNDING
    random = np.random.default_rng(0)
    variables, digit = _movable(model), _coarsest(model, stored)
    exact = normalizes_inputs(model)
    expected = keras_answers(model, arrays)
    moved = [np.full(count, limit / SLACK) for _ in expected]
    for _ in range(TRIALS):
        weights = [(item, _nudged(keras.ops.convert_to_numpy(item.value), digit, random)) for item in variables]
        inputs = [
            array if fixed or array.dtype.kind != "f" else _nudged(array, digit, random)
            for array, fixed in zip(arrays, exact, strict=True)
        ]
        answers = keras_answers(model, inputs, weights)
        if stored == "int8":  # its outputs are quantized, too
            answers = [_nudged(answer, digit, random) for answer in answers]
        pairs = zip(moved, expected, answers, strict=True)
        moved = [np.maximum(before, differences(one, other, count)) for before, one, other in pairs]
    return [SLACK * rows for rows in moved]


def _movable(model: Any) -> list[Any]:
    """Return the float weights of a model, without those of a Normalization, which must be stored exactly."""
    if not isinstance(model, keras.Model):
        return []
    exact = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.Normalization)]
    kept = {id(variable) for layer in exact for variable in layer.variables}
    return [item for item in model.variables if id(item) not in kept and "float" in str(item.dtype)]


def _coarsest(model: Any, stored: str) -> str:
    """Return the coarsest dtype of those stored and those that the model computes with."""
    layers = model._flatten_layers() if isinstance(model, keras.Model) else ()
    used = {layer.compute_dtype for layer in layers} & RELATIVE.keys()
    return max((stored, *used), key=lambda name: RELATIVE.get(name, 1.0))


def _nudged(array: np.ndarray, digit: str, random: np.random.Generator) -> np.ndarray:
    if digit in RELATIVE:
        signs = random.integers(0, 2, array.shape, np.int8) * 2 - 1
        return (array * (1 + signs * RELATIVE[digit]).astype("float32")).astype(array.dtype)
    step = OF_LARGEST[digit] * float(np.abs(array).max(initial=0))
    return (array + step * random.uniform(-0.5, 0.5, array.shape)).astype(array.dtype)
