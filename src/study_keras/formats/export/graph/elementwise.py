"""Functions of single numbers that TF.js lacks or gets wrong."""

from collections.abc import Mapping
from typing import Any

from study_keras.formats.export.graph import arithmetic
from study_keras.formats.export.graph.rewrite import Rewrite


def identity(op: Any, x: Any, *_: Any) -> Any:
    import tensorflow as tf

    return tf.identity(x)


def erfc(op: Any, x: Any) -> Any:
    import tensorflow as tf

    return 1 - tf.math.erf(x)


def softsign(op: Any, x: Any) -> Any:
    import tensorflow as tf

    return x / (1 + tf.abs(x))


def rint(op: Any, x: Any) -> Any:
    import tensorflow as tf

    return tf.round(x)


def xlogy(op: Any, x: Any, y: Any) -> Any:
    import tensorflow as tf

    log = tf.math.log1p(y) if op.type == "Xlog1py" else tf.math.log(y)
    product = x / y if op.type == "Xdivy" else x * log
    return tf.where(tf.equal(x, 0), tf.zeros_like(product), product)


def bucketize(op: Any, x: Any) -> Any:
    import tensorflow as tf

    limits = tf.constant(list(op.get_attr("boundaries")), "float32")
    reached = tf.cast(x, "float32")[..., None] >= limits
    return tf.reduce_sum(tf.cast(reached, "int32"), axis=-1)


def halves(op: Any, x: Any) -> Any:
    """A number in half precision, which TF.js has not: rounded to its digits (Dekker's splitting), kept as float32."""
    import tensorflow as tf

    digits = {"float16": 13, "bfloat16": 16}.get(op.outputs[0].dtype.name)  # of float32's that it lacks
    if digits is None or x.dtype.name != "float32" or op.get_attr("Truncate"):
        return None
    apart = x * (2.0**digits + 1)
    high = apart - (apart - x)
    rounded = tf.where(tf.math.is_finite(high), high, x)
    return tf.raw_ops.Cast(x=rounded, DstT=op.outputs[0].dtype, Truncate=True)  # which marks it as rounded already


def sine(op: Any, x: Any) -> Any:
    """By the tangent of half of it: wasm's own is off by 2e-7, also where the sine is small."""
    import tensorflow as tf

    tangent = tf.tan(x / 2)
    return 2 * tangent / (1 + tangent * tangent)


def cross(op: Any, x: Any, y: Any) -> Any:
    import tensorflow as tf

    def turned(a: Any, *order: int) -> Any:
        return tf.stack([a[..., index] for index in order], axis=-1)

    return turned(x, 1, 2, 0) * turned(y, 2, 0, 1) - turned(x, 2, 0, 1) * turned(y, 1, 2, 0)


def in_top_k(op: Any, scores: Any, targets: Any, k: Any) -> Any:
    import tensorflow as tf

    hit = tf.equal(tf.range(tf.shape(scores)[1])[None, :], tf.cast(targets, "int32")[:, None])
    score = tf.reduce_sum(tf.where(hit, scores, tf.zeros_like(scores)), axis=1)
    better = tf.reduce_sum(tf.cast(scores > score[:, None], "int32"), axis=1)
    return tf.logical_and(better < tf.cast(k, "int32"), tf.math.is_finite(score))


def floor_division(op: Any, x: Any, y: Any) -> Any:
    """Of floats TF.js' cpu backend gives integers."""
    import tensorflow as tf

    return tf.floor(x / y) if x.dtype.is_floating else None


REWRITES: Mapping[str, Rewrite] = {
    "Bucketize": bucketize,
    "CheckNumerics": identity,
    "Cross": cross,
    "EnsureShape": identity,
    "Erfc": erfc,
    "FloorDiv": floor_division,
    "InTopKV2": in_top_k,
    "Log1p": arithmetic.log1p,  # wasm's own loses the digits of a small number
    "PreventGradient": identity,
    "Rint": rint,
    "Sin": sine,
    "Snapshot": identity,
    "Softsign": softsign,
    "StopGradient": identity,
    "Xdivy": xlogy,
    "Xlog1py": xlogy,
    "Xlogy": xlogy,
}
