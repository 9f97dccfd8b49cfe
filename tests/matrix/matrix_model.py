"""What the matrix does with a model: weights, inputs, Keras' own answers, and how far others are from them."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

Arrays = list[np.ndarray]
TOLERANCE = 1e-5  # of the largest number in an answer
PREPARED = ("Normalization", "Discretization", "IntegerLookup", "StringLookup", "TextVectorization")


def randomize(model: keras.Model, seed: int = 0) -> keras.Model:
    """Give each weight values of its own, so that a dropped or permuted one shows.

    What was measured of data, seeds, and weights that were quantized keep their values.
    """
    random = np.random.default_rng(seed)
    layers = list(model._flatten_layers(include_self=True, recursive=True))
    kept = {id(variable) for layer in layers if type(layer).__name__ in PREPARED for variable in layer.variables}
    if any(getattr(layer, "quantization_mode", None) for layer in layers):
        return model
    for variable in model.variables:
        if id(variable) in kept or not variable.dtype.startswith(("float", "bfloat")):
            continue
        fan_in = np.prod(variable.shape[:-1])  # deep models must neither explode nor die
        values = random.normal(0, min(0.5, np.sqrt(2 / max(fan_in, 1))), variable.shape)
        if variable.name.endswith("variance"):
            values = np.abs(values) + 0.3
        variable.assign(values.astype(variable.dtype if variable.dtype != "bfloat16" else "float32"))
    return model


def input_specs(model: keras.Model) -> Any:
    """The shapes and dtypes of a model's inputs, in the structure in which it takes them."""
    if getattr(model, "inputs", None):
        structure = model.inputs[0] if isinstance(model, keras.Sequential) else model._inputs_struct
        return keras.tree.map_structure(lambda x: keras.InputSpec(shape=x.shape, dtype=x.dtype), structure)
    shapes = next(iter(model._build_shapes_dict.values()))  # subclassed, and called once
    return keras.tree.map_shape_structure(
        lambda shape: keras.InputSpec(shape=(None, *shape[1:]), dtype=model.input_dtype), shapes
    )


def inputs_of(model: keras.Model, name: str, values: tuple[float, float] | None = None) -> list[Arrays]:
    """Two batches of seeded inputs: three plain examples, and two of large and negative numbers.

    A size that is unknown is another one in the second batch. Integers are below 5, for tables of that many rows.

    Args:
        model: of any kind.
        name: what the seed is made of.
        values: the range of all inputs, in place of the usual numbers.
    """
    random = np.random.default_rng(zlib.crc32(name.encode()))
    specs = keras.tree.flatten(input_specs(model))
    batches = []
    for count, length, large in ((3, 6, False), (2, 9, True)):
        arrays = []
        for spec in specs:
            sizes = (length + axis if size is None else size for axis, size in enumerate(spec.shape[1:]))
            shape = (spec.shape[0] or count, *sizes)
            arrays.append(_numbers(random, shape, spec.dtype, values, large=large))
        batches.append(arrays)
    return batches


def _numbers(
    random: np.random.Generator, shape: tuple[int, ...], dtype: str, values: tuple[float, float] | None, *, large: bool
) -> np.ndarray:
    if dtype == "string":
        return random.choice(np.array(["the cat sat", "on a mat", "dog"], object), shape)
    if dtype == "bool":
        return random.random(shape) < 0.5
    if "int" in dtype:
        low, high = values or ((0, 255) if dtype == "uint8" and len(shape) > 2 else (0, 4))
        return random.integers(int(low), int(high) + 1, shape).astype(dtype)
    if values:
        return random.uniform(*values, shape).astype(dtype)
    array = random.normal(0, 1.5, shape)
    if large:
        array = np.where(random.random(shape) < 0.2, 100 * array, array)
        array[0] = -np.abs(array[0])
    elif len(shape) == 3 and shape[1] > 2:
        array[0, :2] = 0  # for masks
    return array.astype(dtype)


def answers(model: keras.Model, inputs: Arrays, *, predict: bool = False) -> Arrays:
    """What Keras says, in float32: files for inference have no half precision."""
    packed = keras.tree.pack_sequence_as(input_specs(model), inputs)
    with _in_float32(model):
        try:
            outputs = model.predict_on_batch(packed) if predict else model(packed, training=False)
        except Exception:
            if keras.backend.backend() != "tensorflow":
                raise
            import tensorflow as tf  # its compiler can do convolutions with channels first on a processor too

            outputs = tf.function(lambda x: model(x, training=False), jit_compile=True)(packed)
    return [np.asarray(keras.ops.convert_to_numpy(output)) for output in keras.tree.flatten(outputs)]


@contextmanager
def _in_float32(model: keras.Model) -> Iterator[None]:
    half = [
        layer
        for layer in model._flatten_layers(include_self=True, recursive=True)
        if type(layer.dtype_policy) is keras.DTypePolicy and layer.dtype_policy.name.startswith("mixed_")
    ]
    before = [layer.dtype_policy for layer in half]
    try:
        for layer in half:
            layer.dtype_policy = "float32"
        yield
    finally:
        for layer, policy in zip(half, before, strict=True):
            layer.dtype_policy = policy


def difference(expected: Arrays, received: Arrays) -> float:
    """The largest difference, relative to the largest answer; infinite where shapes differ."""
    if [x.shape for x in expected] != [np.shape(x) for x in received]:
        return float("inf")
    return max((_difference(x, np.asarray(y)) for x, y in zip(expected, received, strict=True)), default=0.0)


def _difference(expected: np.ndarray, received: np.ndarray) -> float:
    if expected.dtype.kind not in "fV":
        return float((expected != received).any())
    expected, received = expected.astype("float64"), received.astype("float64")
    same = (expected == received) | (np.isnan(expected) & np.isnan(received))
    if same.all():
        return 0.0
    finite = np.abs(expected[np.isfinite(expected)])
    gaps = np.abs(expected - received)[~same]
    worst = gaps.max() / max(finite.max(initial=0), 1e-6)  # smaller answers are 0 in some runtimes
    return float("inf") if np.isnan(worst) else float(worst)


def rounding(model: keras.Model, inputs: Arrays, expected: Arrays, tries: int = 4) -> float:
    """How far Keras' own answers move when inputs and weights change in their last digit."""
    random, worst = np.random.default_rng(0), 0.0

    def moved(array: np.ndarray) -> np.ndarray:
        if array.dtype.kind != "f":
            return array
        return (array * (1 + random.choice([-1.2e-7, 0, 1.2e-7], array.shape))).astype(array.dtype)

    weights = [(variable, np.array(variable)) for variable in model.variables if variable.dtype == "float32"]
    for _ in range(tries):
        for variable, value in weights:
            variable.assign(moved(value))
        worst = max(worst, difference(expected, answers(model, [moved(array) for array in inputs])))
    for variable, value in weights:
        variable.assign(value)
    return worst
