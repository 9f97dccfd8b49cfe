"""Operations on the bits of integers, for runtimes that have none or get them wrong."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from study_keras.formats.export.graph import arithmetic
from study_keras.formats.export.graph.rewrite import Rewrite

_POWERS = 2.0 ** np.arange(16, dtype="float32")
_STEPS = np.left_shift(np.int32(1), np.arange(32), dtype="int32")  # the last is -2**31
_NARROW = ("int8", "int32", "uint8")


def by_bits(op: Any, x: Any, y: Any) -> Any:
    """And, or, exclusive or: 16 bits at a time as floats of 0 and 1, which are exact everywhere."""
    import tensorflow as tf

    if x.dtype.name not in _NARROW:
        return None
    kept = arithmetic.bitwise_and(op, x, y) if op.type == "BitwiseAnd" else None
    if kept is not None:
        return kept
    halves = []
    for one, other in zip(_halves(x), _halves(y), strict=True):
        both = one * other
        bits = {"BitwiseAnd": both, "BitwiseOr": one + other - both, "BitwiseXor": one + other - 2 * both}[op.type]
        halves.append(tf.cast(tf.reduce_sum(bits * _POWERS, axis=-1), "int32"))
    low, high = halves
    high = tf.where(high >= 2**15, high - 2**16, high)
    return tf.cast(high * 2**16 + low, x.dtype)


def _halves(x: Any) -> tuple[Any, Any]:
    """Return the bits of the lower and the upper 16 of int32, (..., 16) float32 each, the lowest first."""
    import tensorflow as tf

    x = tf.cast(x, "int32")
    high = tf.math.floordiv(x, 2**16)
    low = x - high * 2**16
    high = tf.where(high < 0, high + 2**16, high)
    numbers = [tf.expand_dims(tf.cast(half, "float32"), -1) for half in (low, high)]
    # No quotients: TensorFlow makes products of them, with reciprocals that are not exact.
    low, high = (tf.floor(n * (1 / _POWERS)) - 2 * tf.floor(n * (0.5 / _POWERS)) for n in numbers)
    return low, high


def invert(op: Any, x: Any) -> Any:
    return -1 - x if x.dtype.name in ("int8", "int32") else None


def left_shift(op: Any, x: Any, by: Any) -> Any:
    """A product with a power of 2; what does not fit is lost in both."""
    import tensorflow as tf

    return x * tf.gather(_STEPS, tf.clip_by_value(by, 0, 31)) if x.dtype == tf.int32 else None


def right_shift(op: Any, x: Any, by: Any) -> Any:
    """A quotient by a power of 2, rounded down."""
    import tensorflow as tf

    if x.dtype != tf.int32:
        return None
    shifted = tf.math.floordiv(x, tf.gather(_STEPS, tf.clip_by_value(by, 0, 30)))
    return tf.where(by > 30, tf.where(x < 0, tf.constant(-1, x.dtype), tf.constant(0, x.dtype)), shifted)


def wrapped(op: Any, *inputs: Any) -> Any:
    """An operation on integers of 8 or 16 bits in int32: what does not fit wraps, as in TensorFlow."""
    import tensorflow as tf

    dtype = op.outputs[0].dtype
    if dtype.name not in ("int8", "int16", "uint8", "uint16"):
        return None
    if op.type == "Cast" and (op.get_attr("Truncate") or not inputs[0].dtype.is_integer):
        return None
    wide = _IN_INT32[op.type](*(tf.cast(x, "int32") for x in inputs))
    lowest, count = dtype.min, dtype.max - dtype.min + 1
    fitting = wide - tf.math.floordiv(wide - lowest, count) * count
    return tf.raw_ops.Cast(x=fitting, DstT=dtype, Truncate=True)  # which marks it as wrapped already


_IN_INT32: Mapping[str, Callable[..., Any]] = {
    "AddV2": lambda x, y: x + y,
    "Cast": lambda x: x,
    "Mul": lambda x, y: x * y,
    "Neg": lambda x: 0 - x,
    "Square": lambda x: x * x,
    "Sub": lambda x, y: x - y,
}
WRAPPED: Mapping[str, Rewrite] = dict.fromkeys(_IN_INT32, wrapped)
REWRITES: Mapping[str, Rewrite] = {
    "BitwiseAnd": by_bits,
    "BitwiseOr": by_bits,
    "BitwiseXor": by_bits,
    "Invert": invert,
    "LeftShift": left_shift,
    "RightShift": right_shift,
}
