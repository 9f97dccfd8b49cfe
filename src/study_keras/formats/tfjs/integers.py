"""Operations on integers and bools that TF.js' wasm backend gets wrong, or has only for floats.

Found by running each kernel on cpu and wasm with int32 and bool inputs.
"""

from typing import Any

import numpy as np
import tensorflow as tf

from study_keras.formats.export.graph.rewrite import Table, constant
from study_keras.formats.export.rewrites import elementwise, slicing


def cast(op: Any, x: Any) -> Any:
    """Cast to bool: wasm keeps the lowest byte of a number."""
    if op.outputs[0].dtype.name in ("float16", "bfloat16"):
        return elementwise.half_precision(op, x)
    if op.outputs[0].dtype != tf.bool or x.dtype == tf.bool:
        return None
    return tf.not_equal(x, tf.zeros([], x.dtype))


def select(op: Any, condition: Any, x: Any, y: Any) -> Any:
    if x.dtype != tf.bool:
        return None
    return tf.logical_or(tf.logical_and(condition, x), tf.logical_and(tf.logical_not(condition), y))


def reverse(op: Any, x: Any, axes: Any) -> Any:
    return tf.not_equal(tf.reverse(tf.cast(x, "int32"), axes), 0) if x.dtype == tf.bool else None


def strided_slice(op: Any, x: Any, begin: Any, end: Any, strides: Any) -> Any:
    """With steps other than 1 wasm returns the bytes of integers as floats: slice two halves of 16 bits as floats."""
    size = slicing.known_size(op, x, begin, end, strides)
    if size is not None:
        return size
    steps = constant(strides)
    if x.dtype.is_floating or (steps is not None and np.all(steps == 1)):
        return None
    options = {name: op.get_attr(name) for name in slicing.MASKS}
    numbers = tf.cast(x, "int32")
    high = numbers // 65536
    high, low = (
        tf.cast(tf.strided_slice(tf.cast(half, "float32"), begin, end, strides, **options), "int32")
        for half in (high, numbers - high * 65536)
    )
    return tf.cast(high * 65536 + low, x.dtype)


def clip(op: Any, x: Any, low: Any, high: Any) -> Any:
    return None if x.dtype.is_floating else tf.minimum(tf.maximum(x, low), high)


def floor_divide(op: Any, x: Any, y: Any) -> Any:
    """Wasm divides int32 as float32, exact below 2**24: divide the remainder again, then compare.

    For floats TF.js' cpu backend returns integers.
    """
    if x.dtype.is_floating:
        return tf.floor(x / y)
    if x.dtype != tf.int32:
        return None
    floats = tf.cast(y, "float32")
    near = tf.cast(tf.floor(tf.cast(x, "float32") / floats), "int32")
    near += tf.cast(tf.floor(tf.cast(x - near * y, "float32") / floats), "int32")
    left = x - near * y
    over = tf.where(y > 0, left >= y, left <= y)
    under = tf.where(y > 0, left < 0, left > 0)
    return near + tf.cast(over, "int32") - tf.cast(under, "int32")


def absolute(op: Any, x: Any) -> Any:
    """The kernel computes in float32, as do those of neg (wasm) and square (cpu)."""
    return tf.where(x < 0, 0 - x, x) if x.dtype == tf.int32 else None


def neg(op: Any, x: Any) -> Any:
    return None if x.dtype.is_floating else 0 - x


def square(op: Any, x: Any) -> Any:
    return None if x.dtype.is_floating else x * x


REWRITES: Table = {
    "Abs": absolute,
    "Cast": cast,
    "ClipByValue": clip,
    "FloorDiv": floor_divide,
    "Neg": neg,
    "ReverseV2": reverse,
    "Select": select,
    "SelectV2": select,
    "Square": square,
    "StridedSlice": strided_slice,
}
