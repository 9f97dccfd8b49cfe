"""Operations on integers and bools that TF.js' wasm backend gets wrong or has only for floats.

Found by running each kernel on cpu and wasm with int32 and bool inputs.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from study_keras.formats.export.graph import elementwise, indexing
from study_keras.formats.export.graph.rewrite import Rewrite, constant


def cast(op: Any, x: Any) -> Any:
    """A number as bool: wasm keeps its lowest byte."""
    import tensorflow as tf

    if op.outputs[0].dtype.name in ("float16", "bfloat16"):
        return elementwise.halves(op, x)
    if op.outputs[0].dtype != tf.bool or x.dtype == tf.bool:
        return None
    return tf.not_equal(x, tf.zeros([], x.dtype))


def select(op: Any, condition: Any, x: Any, y: Any) -> Any:
    import tensorflow as tf

    if x.dtype != tf.bool:
        return None
    return tf.logical_or(tf.logical_and(condition, x), tf.logical_and(tf.logical_not(condition), y))


def reverse(op: Any, x: Any, axes: Any) -> Any:
    import tensorflow as tf

    if x.dtype != tf.bool:
        return None
    return tf.not_equal(tf.reverse(tf.cast(x, "int32"), axes), 0)


def strided_slice(op: Any, x: Any, begin: Any, end: Any, strides: Any) -> Any:
    """Steps other than 1 give the bytes of integers as floats in wasm: let the two halves of each go as floats."""
    import tensorflow as tf

    size = indexing.known_size(op, x, begin, end, strides)
    if size is not None:
        return size
    steps = constant(strides)
    if x.dtype.is_floating or (steps is not None and np.all(steps == 1)):
        return None
    masks = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")
    options = {name: op.get_attr(name) for name in masks}
    numbers = tf.cast(x, "int32")
    high = numbers // 65536
    halves = (high, numbers - high * 65536)
    high, low = (
        tf.cast(tf.strided_slice(tf.cast(half, "float32"), begin, end, strides, **options), "int32") for half in halves
    )
    return tf.cast(high * 65536 + low, x.dtype)


def clip(op: Any, x: Any, low: Any, high: Any) -> Any:
    import tensorflow as tf

    return None if x.dtype.is_floating else tf.minimum(tf.maximum(x, low), high)


def in_floats(op: Any, *inputs: Any) -> Any:
    """A product of integers, exact below 2**24."""
    import tensorflow as tf

    if inputs[0].dtype.is_floating:
        return None
    options = {name: op.get_attr(name) for name in op.node_def.attr if name[0] not in "_T"}
    options = {name: value.decode() if isinstance(value, bytes) else value for name, value in options.items()}
    names = ("x", "y") if op.type.startswith("Batch") else ("a", "b")
    given = {name: tf.cast(value, "float32") for name, value in zip(names, inputs, strict=True)}
    result = getattr(tf.raw_ops, op.type.replace("V3", "V2"))(**given, **options)
    return tf.cast(result, op.outputs[0].dtype)


def quotient(op: Any, x: Any, y: Any) -> Any:
    """Rounded down. Wasm divides as float32, exact below 2**24: what is left is divided again, and then compared."""
    import tensorflow as tf

    if x.dtype != tf.int32:
        return elementwise.floor_division(op, x, y)
    floats = tf.cast(y, "float32")
    near = tf.cast(tf.floor(tf.cast(x, "float32") / floats), "int32")
    near += tf.cast(tf.floor(tf.cast(x - near * y, "float32") / floats), "int32")
    left = x - near * y
    over = tf.where(y > 0, left >= y, left <= y)
    under = tf.where(y > 0, left < 0, left > 0)
    return near + tf.cast(over, "int32") - tf.cast(under, "int32")


def absolute(op: Any, x: Any) -> Any:
    """The kernel goes through float32, as do those of neg (wasm) and square (cpu)."""
    import tensorflow as tf

    return tf.where(x < 0, 0 - x, x) if x.dtype == tf.int32 else None


def neg(op: Any, x: Any) -> Any:
    return None if x.dtype.is_floating else 0 - x


def square(op: Any, x: Any) -> Any:
    return None if x.dtype.is_floating else x * x


REWRITES: Mapping[str, Rewrite] = {
    "Abs": absolute,
    "BatchMatMulV2": in_floats,
    "BatchMatMulV3": in_floats,
    "Cast": cast,
    "ClipByValue": clip,
    "FloorDiv": quotient,
    "MatMul": in_floats,
    "Neg": neg,
    "ReverseV2": reverse,
    "Select": select,
    "SelectV2": select,
    "Square": square,
    "StridedSlice": strided_slice,
}
