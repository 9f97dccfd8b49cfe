"""Operations on integers and their bits that other runtimes lack or get wrong."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from study_keras.formats.export.graph.rewrite import Table, constant

_POWERS = 2.0 ** np.arange(16, dtype="float32")
_STEPS = np.left_shift(np.int32(1), np.arange(32), dtype="int32")  # the last is -2**31
_SIGN = np.iinfo("int32").min


def bitcast(op: Any, x: Any) -> Any:
    """Bitcast float32 to int32 where only the sign is used: Keras looks for -0.0 in argmax."""
    consumers = [consumer for output in op.outputs for consumer in output.consumers()]
    if x.dtype != tf.float32 or op.outputs[0].dtype != tf.int32 or not all(map(_uses_sign, consumers)):
        return None
    negative = tf.logical_or(x < 0, tf.logical_and(tf.equal(x, 0), 1 / x < 0))
    return -tf.cast(negative, "int32")


def _uses_sign(op: Any) -> bool:
    values = [constant(tensor) for tensor in op.inputs]
    if op.type == "Less":
        return values[1] is not None and not np.any(values[1])
    return op.type == "BitwiseAnd" and any(value is not None and np.all(value == _SIGN) for value in values)


def bitwise(op: Any, x: Any, y: Any) -> Any:
    """And, or, exclusive or: 16 bits at a time as floats of 0 and 1, which are exact everywhere."""
    if x.dtype.name not in ("int8", "int32", "uint8"):
        return None
    if _uses_sign(op):  # without 32 times the memory
        x = x if constant(op.inputs[1]) is not None else y
        return tf.where(x < 0, tf.constant(_SIGN, x.dtype), tf.constant(0, x.dtype))
    halves = []
    for one, other in zip(_bits(x), _bits(y), strict=True):
        both = one * other
        bits = {"BitwiseAnd": both, "BitwiseOr": one + other - both, "BitwiseXor": one + other - 2 * both}[op.type]
        halves.append(tf.cast(tf.reduce_sum(bits * _POWERS, axis=-1), "int32"))
    low, high = halves
    high = tf.where(high >= 2**15, high - 2**16, high)
    return tf.cast(high * 2**16 + low, x.dtype)


def _bits(x: Any) -> tuple[Any, Any]:
    """Return the bits of the lower and upper 16 of int32, each (..., 16) float32, the lowest first."""
    x = tf.cast(x, "int32")
    high = tf.math.floordiv(x, 2**16)
    low = x - high * 2**16
    high = tf.where(high < 0, high + 2**16, high)
    numbers = [tf.expand_dims(tf.cast(half, "float32"), -1) for half in (low, high)]
    # Products, not quotients: TensorFlow replaces those by products with reciprocals that are not exact.
    low, high = (tf.floor(n * (1 / _POWERS)) - 2 * tf.floor(n * (0.5 / _POWERS)) for n in numbers)
    return low, high


def invert(op: Any, x: Any) -> Any:
    return -1 - x if x.dtype.name in ("int8", "int32") else None


def left_shift(op: Any, x: Any, by: Any) -> Any:
    """Multiply by a power of 2; both drop the bits that overflow."""
    return x * tf.gather(_STEPS, tf.clip_by_value(by, 0, 31)) if x.dtype == tf.int32 else None


def right_shift(op: Any, x: Any, by: Any) -> Any:
    """Divide by a power of 2, rounded down."""
    if x.dtype != tf.int32:
        return None
    shifted = tf.math.floordiv(x, tf.gather(_STEPS, tf.clip_by_value(by, 0, 30)))
    return tf.where(by > 30, tf.where(x < 0, tf.constant(-1, x.dtype), tf.constant(0, x.dtype)), shifted)


def wrapped(op: Any, *inputs: Any) -> Any:
    """Compute with integers of 8 or 16 bits in int32, and wrap what overflows, as TensorFlow does."""
    dtype = op.outputs[0].dtype
    if dtype.name not in ("int8", "int16", "uint8", "uint16"):
        return None
    if op.type == "Cast" and (op.get_attr("Truncate") or not inputs[0].dtype.is_integer):
        return None
    wide = _IN_INT32[op.type](*(tf.cast(x, "int32") for x in inputs))
    lowest, count = dtype.min, dtype.max - dtype.min + 1
    fitting = wide - tf.math.floordiv(wide - lowest, count) * count
    return tf.raw_ops.Cast(x=fitting, DstT=dtype, Truncate=True)  # which marks it as wrapped


def floor_divide(op: Any, x: Any, y: Any) -> Any:
    """ONNX rounds quotients of integers towards zero."""
    if not x.dtype.is_integer:
        return None
    quotient = tf.raw_ops.TruncateDiv(x=x, y=y)
    rest = x - quotient * y
    below = tf.logical_and(tf.not_equal(rest, 0), tf.not_equal(rest < 0, y < 0))
    return quotient - tf.cast(below, x.dtype)


def floor_mod(op: Any, x: Any, y: Any) -> Any:
    return x - floor_divide(op, x, y) * y if x.dtype.is_integer else None


def dense_bincount(op: Any, x: Any, size: Any, weights: Any) -> Any:
    """Count by comparisons: (n, values) -> (n, size)."""
    hits = tf.one_hot(x, tf.cast(size, "int32"), dtype=weights.dtype)  # (n, values, size)
    if op.get_attr("binary_output"):
        return tf.reduce_max(hits, axis=-2)
    if weights.shape.num_elements() != 0:
        hits *= tf.expand_dims(weights, -1)
    return tf.reduce_sum(hits, axis=-2)


_IN_INT32: Mapping[str, Callable[..., Any]] = {
    "AddV2": lambda x, y: x + y,
    "Cast": lambda x: x,
    "Mul": lambda x, y: x * y,
    "Neg": lambda x: 0 - x,
    "Square": lambda x: x * x,
    "Sub": lambda x, y: x - y,
}
WRAPPED: Table = dict.fromkeys(_IN_INT32, wrapped)
REWRITES: Table = {
    **dict.fromkeys(("BitwiseAnd", "BitwiseOr", "BitwiseXor"), bitwise),
    "Bitcast": bitcast,
    "Invert": invert,
    "LeftShift": left_shift,
    "RightShift": right_shift,
}
