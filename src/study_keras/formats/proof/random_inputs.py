"""Seeded random inputs for any model, of its shapes and dtypes, and within the range of values that it reads."""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from study_keras.formats.keras_runner import batch_size, keras_answers
from study_keras.formats.proof.input_values import Values, runs_dry, values_of
from study_keras.runtimes.runner import Arrays, first_words

LENGTHS = (8, 16, 32, 64, 128, 224, 5, 3, 2, 1)  # tried in this order for open sizes, until Keras can run the model
PERIOD = 16  # the kinds of examples repeat after this many
KINDS = ("zeros first", "large", "negative", "zeros", "fractions")  # of the first examples; see `_floats`


class Spec(NamedTuple):
    """What one input takes; None in ``shape`` for an open size."""

    shape: tuple[int | None, ...]
    dtype: str
    values: Values


def random_inputs(model: Any, count: int = 5, seed: int = 0, length: int | None = None) -> Arrays:
    """Return ``count`` random examples for ``model``, one array per input, flat in the order of ``model.inputs``.

    Indices of an Embedding or a class are within its range and include 0; where a Normalization or Discretization
    reads an input, the values are near those that it was adapted to. Float examples are in turn: a sequence that begins
    with zeros (to test masks), large, negative, all 0, from 0 to 1, then normally distributed. An example for which
    Keras returns no finite number is replaced by a tame one: floats from 0.1 to 1, small integers.

    Args:
        model: a Keras model, which must have been called if it is subclassed; or a SavedModel as a function.
        count: rounded up to full batches where the model has a fixed batch size.
        length: the value for open sizes; None for one that Keras can run.

    Raises:
        ValueError: the model's inputs are not known, or Keras can run none of what is drawn.
    """
    specs = _specs(model)
    fixed = batch_size(model)
    count = count if fixed is None else math.ceil(count / fixed) * fixed
    open_sizes = None in [size for spec in specs for size in spec.shape[1:]]
    errors, without_finite = list[Exception](), list[Arrays]()
    for size in (length,) if length else LENGTHS if open_sizes else (1,):
        random = np.random.default_rng(seed)
        arrays, tame = ([_draw(spec, count, size, random, tame=tame) for spec in specs] for tame in (False, True))
        for drawn in (arrays, tame):
            try:
                finite = _finite(model, drawn)
                if open_sizes and runs_dry(model, [array[: fixed or 1] for array in drawn]):
                    break
            except Exception as error:  # the backends of Keras raise any class at sizes that do not fit
                errors.append(error)
                continue
            if finite is not None and finite.any():
                return [np.where(_along(finite, *pair[:1]), *pair) for pair in zip(drawn, tame, strict=True)]
            if finite is not None:  # only NaN or infinity: the mean of nothing where a size is too small
                without_finite.append(tame)
    if without_finite:
        return without_finite[0]
    reason = first_words(errors[0]) if errors else "no output"
    raise ValueError(f"Keras can run no random input of the shapes {[spec.shape for spec in specs]}: {reason}")


def _specs(model: Any) -> list[Spec]:
    if getattr(model, "inputs", None) and all(item.shape is not None for item in model.inputs):
        pairs = zip(model.inputs, values_of(model), strict=True)
        return [Spec(tuple(item.shape), item.dtype, values) for item, values in pairs]
    config = model.get_build_config() if getattr(model, "built", False) else None  # None of a SavedModel
    shape = (config or {}).get("input_shape")
    if not isinstance(shape, (tuple, list)) or not all(size is None or isinstance(size, int) for size in shape):
        raise ValueError("the model's inputs are not known; call the model once, or start it with keras.Input")
    values = values_of(model)[0]
    return [Spec((None, *shape[1:]), "int32" if values.high else "float32", values)]


def _finite(model: Any, arrays: Arrays) -> np.ndarray | None:
    """Tell for each example whether all outputs are finite; None where an output is empty."""
    count = len(arrays[0])
    finite = np.ones(count, bool)
    for answer in keras_answers(model, arrays):
        if not answer.size:
            return None
        if answer.dtype.kind == "f":
            by_example = answer.ndim and len(answer) == count
            finite &= np.isfinite(answer).reshape(count if by_example else 1, -1).all(axis=1)
    return finite


def _along(rows: np.ndarray, array: np.ndarray) -> np.ndarray:
    return rows.reshape(-1, *[1] * (array.ndim - 1))


def _draw(spec: Spec, count: int, length: int, random: np.random.Generator, *, tame: bool) -> np.ndarray:
    shape = (count, *(length if size is None else size for size in spec.shape[1:]))
    values = spec.values
    if values.choices is not None:
        return random.choice(values.choices, shape).astype(spec.dtype if spec.dtype != "string" else object)
    if values.high is not None:
        return _indices(values.high, shape, random).astype(spec.dtype)
    if spec.dtype == "string":
        return random.choice(np.array(["", "a", "the quick brown fox", "0"], object), shape)
    if spec.dtype == "bool":
        return random.random(shape) < 0.5
    if "int" in spec.dtype:
        low, high = (0, 256) if spec.dtype == "uint8" else (0 if spec.dtype[0] == "u" else -3, 10)
        return random.integers(0 if tame else low, 2 if tame else high, shape).astype(spec.dtype)
    drawn = random.uniform(0.1, 1, shape) if tame else _floats(shape, random)
    if values.mean is not None and not tame:
        zero = (drawn == 0).reshape(count, -1).all(axis=1)
        drawn = np.where(_along(zero, drawn), drawn, values.mean + values.spread * drawn)
    return drawn.astype(spec.dtype)


def _indices(high: int, shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    """Return integers below ``high``; some sequences begin or end with zeros, for masks."""
    drawn = random.integers(0, high, shape)
    if len(shape) == 2 and shape[1] > 2:
        drawn[0, : shape[1] // 3] = 0
        drawn[2::5, -(shape[1] // 3) :] = 0
        drawn[3::PERIOD] = np.minimum(1, high - 1)
    return drawn


def _floats(shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    """Return normally distributed values; the first examples of every ``PERIOD`` are of the ``KINDS``."""
    drawn = random.normal(0, 1, shape)
    for index, kind in _kinds(shape[0]):
        if kind == "zeros first" and len(shape) > 2 and shape[1] > 2:
            drawn[index, : shape[1] // 3] = 0
        elif kind == "large":
            drawn[index] *= 100
        elif kind == "negative":
            drawn[index] = -np.abs(drawn[index])
        elif kind == "zeros":
            drawn[index] = 0
        elif kind == "fractions":
            drawn[index] = random.random(shape[1:])
    return drawn


def _kinds(count: int) -> Iterator[tuple[int, str]]:
    for index in range(count):
        place = index % PERIOD
        if place < len(KINDS) or place % 2:
            yield index, KINDS[place] if place < len(KINDS) else "fractions"
