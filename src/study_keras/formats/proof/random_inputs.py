"""Seeded random inputs for any model: of its shapes and dtypes, and of values that it has a meaning for."""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from study_keras.formats.keras_runner import batch_size, keras_answers
from study_keras.formats.proof.input_values import Values, runs_dry, values_of
from study_keras.runtimes.runner import Arrays

LENGTHS = (8, 16, 32, 64, 128, 224, 5, 3, 2, 1)  # for sizes that a model leaves open: the first that Keras can run
PERIOD = 16  # after so many examples their kinds begin anew
KINDS = ("zeros first", "large", "negative", "zeros", "fractions")  # of the first examples; see `_floats`


class Spec(NamedTuple):
    """What one input takes; None in ``shape`` for an open size."""

    shape: tuple[int | None, ...]
    dtype: str
    values: Values


def random_inputs(model: Any, count: int = 5, seed: int = 0, length: int | None = None) -> Arrays:
    """Return ``count`` random examples for ``model``, one array an input, flat in the order of ``model.inputs``.

    Numbers that choose a row of an Embedding or a class are within its range, 0 among them; where a Normalization or
    Discretization reads an input, its values are near what that was fitted to. Of floats the examples are in turn:
    a sequence that begins with zeros (so that masks show), large, negative, all 0, from 0 to 1, then plain ones. An
    example for which Keras gives no finite number is drawn again, tamely.

    Args:
        model: a Keras model, of which a subclassed one must have been called; or a SavedModel as a function.
        count: rounded up to whole batches where the model has a fixed batch size.
        length: what open sizes become; None for one that Keras can run.

    Raises:
        ValueError: the model's inputs are not known, or Keras can run none of what is drawn.
    """
    specs = _specs(model)
    fixed = batch_size(model)
    count = count if fixed is None else math.ceil(count / fixed) * fixed
    open_sizes = any(size is None for spec in specs for size in spec.shape[1:])
    reason, unanswered = "", None
    for size in (length,) if length else LENGTHS if open_sizes else (1,):
        random = np.random.default_rng(seed)
        arrays, tame = ([_draw(spec, count, size, random, tame=tame) for spec in specs] for tame in (False, True))
        for drawn in (arrays, tame):
            try:
                finite = _finite(model, drawn)
                if open_sizes and runs_dry(model, [array[: fixed or 1] for array in drawn]):
                    break
            except Exception as error:  # the backends of Keras raise what they like at sizes that do not fit
                reason = reason or (str(error).splitlines() or [type(error).__name__])[0]
                continue
            if finite is not None and finite.any():
                pairs = zip(drawn, tame, strict=True)
                return [np.where(_along(finite, array), array, other) for array, other in pairs]
            if finite is not None:  # numbers, but none that is finite: the mean of nothing where a size is too small
                unanswered = unanswered or tame
    if unanswered is not None:
        return unanswered
    shapes = [spec.shape for spec in specs]
    raise ValueError(f"the model takes {shapes}, but Keras can run no random input of these shapes: {reason}")


def _specs(model: Any) -> list[Spec]:
    if getattr(model, "inputs", None) and all(item.shape is not None for item in model.inputs):
        pairs = zip(model.inputs, values_of(model), strict=True)
        return [Spec(tuple(item.shape), item.dtype, values) for item, values in pairs]
    config = model.get_build_config() if getattr(model, "built", False) else None  # None of a SavedModel
    shape = (config or {}).get("input_shape")
    if not isinstance(shape, (tuple, list)) or not all(size is None or isinstance(size, int) for size in shape):
        raise ValueError("the model's inputs are not known; call the model once, or begin it with keras.Input")
    values = values_of(model)[0]
    return [Spec((None, *shape[1:]), "int32" if values.high else "float32", values)]


def _finite(model: Any, arrays: Arrays) -> np.ndarray | None:
    """Tell for each example whether Keras answers with finite numbers; None where it answers nothing at all."""
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
    """Return whole numbers below ``high``; sequences begin, or end, with zeros, which a mask leaves out."""
    drawn = random.integers(0, high, shape)
    if len(shape) == 2 and shape[1] > 2:
        drawn[0, : shape[1] // 3] = 0
        drawn[2::5, -(shape[1] // 3) :] = 0
        drawn[3::PERIOD] = np.minimum(1, high - 1)
    return drawn


def _floats(shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    """Return normal values, of which the first examples of every ``PERIOD`` are of ``KINDS``; the rest are plain."""
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
