"""Operations of TensorFlow that other runtimes lack, said with elementary ones; exact to float32's rounding."""

import functools
import operator
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from study_keras.formats.export.graph import convolutions
from study_keras.formats.export.graph.rewrite import Rewrite, constant

_CHUNK = 1024  # so many products of two bytes sum up exactly in float32: 1024 * 128 * 128 = 2 ** 24
_MASKS = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")
_SIGN = np.iinfo("int32").min


def expm1(op: Any, x: Any) -> Any:
    """exp(x) - 1 loses the digits of a small x; this does not."""
    import tensorflow as tf

    return tf.tanh(x / 2) * (tf.exp(x) + 1)


def log1p(op: Any, x: Any) -> Any:
    """log(1 + x) loses the digits of a small x; the series of 2 artanh(x / (2 + x)) does not."""
    import tensorflow as tf

    ratio = tf.where(tf.abs(x) < 0.3, x, tf.zeros_like(x))
    ratio /= 2 + ratio
    small = 2 * ratio * _polynomial((1 / 9, 1 / 7, 1 / 5, 1 / 3, 1), ratio * ratio)
    return tf.where(tf.abs(x) < 0.3, small, tf.math.log(1 + x))


def softplus(op: Any, x: Any) -> Any:
    """LiteRT's is log(1 + exp(x)), which overflows."""
    import tensorflow as tf

    return tf.maximum(x, 0) + log1p(op, tf.exp(-tf.abs(x)))


def arc(op: Any, x: Any) -> Any:
    """An angle by the quotient of its sine and cosine."""
    import tensorflow as tf

    if op.type == "Atan":
        return tf.atan2(x, tf.ones_like(x))
    other = tf.sqrt((1 - x) * (1 + x))
    return tf.atan2(x, other) if op.type == "Asin" else tf.atan2(other, x)


def hyperbolic(op: Any, x: Any) -> Any:
    import tensorflow as tf

    if op.type == "Cosh":
        return (tf.exp(x) + tf.exp(-x)) / 2
    if op.type == "Sinh":
        return (expm1(op, x) - expm1(op, -x)) / 2
    if op.type == "Atanh":
        return (log1p(op, x) - log1p(op, -x)) / 2
    if op.type == "Acosh":
        return tf.math.log(x + tf.sqrt(x - 1) * tf.sqrt(x + 1))
    size = tf.abs(x)  # Asinh
    return tf.sign(x) * log1p(op, size + size * size / (1 + tf.sqrt(1 + size * size)))


def tan(op: Any, x: Any) -> Any:
    import tensorflow as tf

    return tf.sin(x) / tf.cos(x)


def erf(op: Any, x: Any) -> Any:
    """The quotient of two polynomials that Eigen, and so TensorFlow itself, computes."""
    import tensorflow as tf

    x = tf.clip_by_value(x, -4, 4)
    above = (
        -2.72614225801306e-10,
        2.77068142495902e-08,
        -2.10102402082508e-06,
        -5.69250639462346e-05,
        -7.34990630326855e-04,
        -2.95459980854025e-03,
        -1.60960333262415e-02,
    )
    below = (
        -1.45660718464996e-05,
        -2.13374055278905e-04,
        -1.68282697438203e-03,
        -7.37332916720468e-03,
        -1.42647390514189e-02,
    )
    return x * _polynomial(above, x * x) / _polynomial(below, x * x)


def erfinv(op: Any, x: Any) -> Any:
    """M. Giles, Approximating the erfinv function (2010), single precision."""
    import tensorflow as tf

    near: tuple[float, ...] = (
        2.81022636e-08,
        3.43273939e-07,
        -3.5233877e-06,
        -4.39150654e-06,
        0.00021858087,
        -0.00125372503,
    )
    near = (*near, -0.00417768164, 0.246640727, 1.50140941)
    far: tuple[float, ...] = (
        -0.000200214257,
        0.000100950558,
        0.00134934322,
        -0.00367342844,
        0.00573950773,
        -0.0076224613,
    )
    far = (*far, 0.00943887047, 1.00167406, 2.83297682)
    w = -tf.math.log((1 - x) * (1 + x))
    inner, outer = _polynomial(near, w - 2.5), _polynomial(far, tf.sqrt(tf.maximum(w, 5.0)) - 3)
    return x * tf.where(w < 5, inner, outer)


def bitcast(op: Any, x: Any) -> Any:
    """Of float32 as int32, asked for its sign only: Keras looks for -0.0 in argmax."""
    import tensorflow as tf

    consumers = [consumer for output in op.outputs for consumer in output.consumers()]
    if x.dtype != tf.float32 or op.outputs[0].dtype != tf.int32 or not all(map(_asks_for_sign, consumers)):
        return None
    negative = tf.logical_or(x < 0, tf.logical_and(tf.equal(x, 0), 1 / x < 0))
    return -tf.cast(negative, "int32")


def bitwise_and(op: Any, x: Any, y: Any) -> Any:
    """With the bit of the sign only."""
    import tensorflow as tf

    if not _asks_for_sign(op):
        return None
    x = x if constant(op.inputs[1]) is not None else y
    return tf.where(x < 0, tf.constant(_SIGN, x.dtype), tf.constant(0, x.dtype))


def _asks_for_sign(op: Any) -> bool:
    values = [constant(tensor) for tensor in op.inputs]
    if op.type == "Less":
        return values[1] is not None and not np.any(values[1])
    return op.type == "BitwiseAnd" and any(value is not None and np.all(value == _SIGN) for value in values)


def dense_bincount(op: Any, x: Any, size: Any, weights: Any) -> Any:
    """Count with comparisons: (n, values) -> (n, size)."""
    import tensorflow as tf

    hits = tf.one_hot(x, tf.cast(size, "int32"), dtype=weights.dtype)  # (n, values, size)
    if op.get_attr("binary_output"):
        return tf.reduce_max(hits, axis=-2)
    if weights.shape.num_elements() != 0:
        hits *= tf.expand_dims(weights, -1)
    return tf.reduce_sum(hits, axis=-2)


def matmul_of_bytes(op: Any, x: Any, y: Any) -> Any:
    """A product of int8, of a quantized model, in float32: exact, in pieces small enough for that."""
    import tensorflow as tf

    if x.dtype != tf.int8 or y.dtype != tf.int8 or y.shape.rank is None:
        return None
    length = y.shape[-1 if op.get_attr("adj_y") else -2]
    if length is None:
        return None
    x, y = (tf.cast(value, "float32") for value in (x, y))
    x = tf.linalg.matrix_transpose(x) if op.get_attr("adj_x") else x
    y = tf.linalg.matrix_transpose(y) if op.get_attr("adj_y") else y
    starts = range(0, length, _CHUNK)
    pieces = [tf.matmul(x[..., start : start + _CHUNK], y[..., start : start + _CHUNK, :]) for start in starts]
    pieces = pieces if len(pieces) == 1 else [tf.cast(piece, "int32") for piece in pieces]
    return tf.cast(functools.reduce(operator.add, pieces), op.outputs[0].dtype)


def rsqrt(op: Any, x: Any) -> Any:
    """LiteRT's answers NaN for 0, and Keras takes the smaller of that infinity and another number."""
    import tensorflow as tf

    source = op.inputs[0].op
    if source.type.startswith("Add") and any(_positive(constant(part)) for part in source.inputs):
        return None
    return tf.where(tf.equal(x, 0), tf.constant(np.inf, x.dtype), 1 / tf.sqrt(x))


def floor_divide(op: Any, x: Any, y: Any) -> Any:
    """Of whole numbers: ONNX rounds towards zero."""
    import tensorflow as tf

    if not x.dtype.is_integer:
        return None
    quotient = tf.raw_ops.TruncateDiv(x=x, y=y)
    rest = x - quotient * y
    below = tf.logical_and(tf.not_equal(rest, 0), tf.not_equal(rest < 0, y < 0))
    return quotient - tf.cast(below, x.dtype)


def floor_mod(op: Any, x: Any, y: Any) -> Any:
    return x - floor_divide(op, x, y) * y if x.dtype.is_integer else None


def update_slice(op: Any, x: Any, update: Any, starts: Any) -> Any:
    """Put ``update`` into ``x``, moved so that it fits."""
    import tensorflow as tf

    room = tf.shape(x) - tf.shape(update)
    before = tf.clip_by_value(tf.cast(starts, "int32"), 0, room)
    ends = tf.stack([before, room - before], axis=1)
    inside = tf.pad(tf.ones_like(update, "int32"), ends) > 0
    return tf.where(inside, tf.pad(update, ends), x)


def is_infinite(op: Any, x: Any) -> Any:
    """LiteRT's converter writes the largest number where a constant is infinite."""
    import tensorflow as tf

    return tf.abs(x) > x.dtype.max


def squeeze(op: Any, x: Any) -> Any:
    """LiteRT's converter loses some of these next to a transposition."""
    import tensorflow as tf

    shape = op.outputs[0].shape
    if shape.rank is None or shape.as_list().count(None) > 1:
        return None
    return tf.reshape(x, [-1 if size is None else size for size in shape])


def new_axes(op: Any, x: Any, begin: Any, end: Any, strides: Any) -> Any:
    """LiteRT's slice brings no new axes where sizes are unknown."""
    import tensorflow as tf

    masks = {name: op.get_attr(name) for name in _MASKS}
    count = begin.shape[0]
    if not masks.pop("new_axis_mask") or count is None or x.shape.rank is None:
        return None
    new = [bool(op.get_attr("new_axis_mask") >> i & 1) for i in range(count)]
    kept = [i for i in range(count) if not new[i]]
    renumbered = {name: sum((mask >> i & 1) << place for place, i in enumerate(kept)) for name, mask in masks.items()}
    x_rank, axis = x.shape.rank, 0
    limits = [tf.gather(value, tf.constant(kept, "int32")) for value in (begin, end, strides)]
    x = tf.strided_slice(x, *limits, **renumbered) if kept else x
    for i in range(count):
        if new[i]:
            x = tf.expand_dims(x, axis)
        ellipsis, shrinks = masks["ellipsis_mask"] >> i & 1, masks["shrink_axis_mask"] >> i & 1
        axis += x_rank - len(kept) + 1 if ellipsis else int(not (shrinks and not new[i]))
    return x


def space_and_batch(op: Any, x: Any, block: Any, ends: Any) -> Any:
    """SpaceToBatchND and BatchToSpaceND over three axes, one axis after the other."""
    import tensorflow as tf

    sizes, ends_known = constant(op.inputs[1]), constant(op.inputs[2])
    if sizes is None or ends_known is None or len(sizes) < 3 or x.shape.rank is None:
        return None
    rank, back = x.shape.rank, op.type == "BatchToSpaceND"
    if not back:
        x = tf.pad(x, [[0, 0], *ends_known.tolist(), *[[0, 0]] * (rank - 1 - len(sizes))])
    order = range(len(sizes)) if back else reversed(range(len(sizes)))
    for axis in order:
        by, shape = int(sizes[axis]), [tf.shape(x)[i] if n is None else n for i, n in enumerate(x.shape)]
        count, length, left = shape[0], shape[axis + 1], shape[1 : axis + 1]
        outer, inner = _product(left), _product(shape[axis + 2 :])
        if back:
            x = tf.reshape(x, [by, count // by, outer, length, inner])
            x = tf.transpose(x, [1, 2, 3, 0, 4])
            x = tf.reshape(x, [count // by, *left, length * by, *shape[axis + 2 :]])
        else:
            x = tf.reshape(x, [count, outer, length // by, by, inner])
            x = tf.transpose(x, [3, 0, 1, 2, 4])
            x = tf.reshape(x, [count * by, *left, length // by, *shape[axis + 2 :]])
    if back:
        first = [0, *ends_known[:, 0].tolist()]
        last = [None, *(-int(end) or None for end in ends_known[:, 1])]
        x = x[tuple(slice(a, b) for a, b in zip(first, last, strict=True))]
    return x


def channels_last(op: Any, *inputs: Any) -> Any:
    """The same operation between two transpositions, where it has its channels first."""
    first = op.get_attr("data_format").decode().startswith("NC")
    return convolutions.channels_last(op, *inputs) if first else None


def _product(sizes: Sequence[Any]) -> Any:
    result: Any = 1
    for size in sizes:
        result = result * size
    return result


def _positive(value: Any) -> bool:
    return value is not None and bool(np.all(value > 0))


def _polynomial(coefficients: Sequence[float], x: Any) -> Any:
    value = coefficients[0]
    for coefficient in coefficients[1:]:
        value = value * x + coefficient
    return value


# What both ONNX and LiteRT lack.
REWRITES: Mapping[str, Rewrite] = {
    "BatchMatMulV3": matmul_of_bytes,
    "Bitcast": bitcast,
    "Erfinv": erfinv,
    "Expm1": expm1,
    "Log1p": log1p,
}
