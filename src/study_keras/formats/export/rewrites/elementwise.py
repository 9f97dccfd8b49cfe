"""Functions of single numbers that other runtimes lack or get wrong."""

from typing import Any

import numpy as np
import tensorflow as tf

from study_keras.formats.export.graph.rewrite import Table, constant
from study_keras.formats.export.rewrites.special import erfinv, log1p


def identity(op: Any, x: Any, *_: Any) -> Any:
    return tf.identity(x)


def erfc(op: Any, x: Any) -> Any:
    return 1 - tf.math.erf(x)


def softsign(op: Any, x: Any) -> Any:
    return x / (1 + tf.abs(x))


def rint(op: Any, x: Any) -> Any:
    return tf.round(x)


def xlogy(op: Any, x: Any, y: Any) -> Any:
    log = tf.math.log1p(y) if op.type == "Xlog1py" else tf.math.log(y)
    product = x / y if op.type == "Xdivy" else x * log
    return tf.where(tf.equal(x, 0), tf.zeros_like(product), product)


def bucketize(op: Any, x: Any) -> Any:
    limits = tf.constant(list(op.get_attr("boundaries")), "float32")
    reached = tf.cast(x, "float32")[..., None] >= limits
    return tf.reduce_sum(tf.cast(reached, "int32"), axis=-1)


def half_precision(op: Any, x: Any) -> Any:
    """Round to float16 or bfloat16 by Dekker's splitting, and stay in float32, for a runtime without these dtypes."""
    digits = {"float16": 13, "bfloat16": 16}.get(op.outputs[0].dtype.name)  # that float32 has in addition
    if digits is None or x.dtype.name != "float32" or op.get_attr("Truncate"):
        return None
    apart = x * (2.0**digits + 1)
    high = apart - (apart - x)
    rounded = tf.where(tf.math.is_finite(high), high, x)
    return tf.raw_ops.Cast(x=rounded, DstT=op.outputs[0].dtype, Truncate=True)  # which marks it as rounded


def sine(op: Any, x: Any) -> Any:
    """Compute the sine from the tangent of x / 2: the wasm kernel is off by 2e-7, also where the sine is small."""
    tangent = tf.tan(x / 2)
    return 2 * tangent / (1 + tangent * tangent)


def cross(op: Any, x: Any, y: Any) -> Any:
    def turned(a: Any, *order: int) -> Any:
        return tf.stack([a[..., index] for index in order], axis=-1)

    return turned(x, 1, 2, 0) * turned(y, 2, 0, 1) - turned(x, 2, 0, 1) * turned(y, 1, 2, 0)


def in_top_k(op: Any, scores: Any, targets: Any, k: Any) -> Any:
    hit = tf.equal(tf.range(tf.shape(scores)[1])[None, :], tf.cast(targets, "int32")[:, None])
    score = tf.reduce_sum(tf.where(hit, scores, tf.zeros_like(scores)), axis=1)
    better = tf.reduce_sum(tf.cast(scores > score[:, None], "int32"), axis=1)
    return tf.logical_and(better < tf.cast(k, "int32"), tf.math.is_finite(score))


def rsqrt(op: Any, x: Any) -> Any:
    """LiteRT returns NaN for 0; Keras needs the infinity, of which it takes a minimum with another number."""
    source = op.inputs[0].op
    parts = map(constant, source.inputs) if source.type.startswith("Add") else ()
    if any(part is not None and np.all(part > 0) for part in parts):
        return None
    return tf.where(tf.equal(x, 0), tf.constant(np.inf, x.dtype), 1 / tf.sqrt(x))


def is_infinite(op: Any, x: Any) -> Any:
    """LiteRT's converter writes the largest finite number for an infinite constant."""
    return tf.abs(x) > x.dtype.max


REWRITES: Table = {
    **dict.fromkeys(("CheckNumerics", "EnsureShape", "PreventGradient", "Snapshot", "StopGradient"), identity),
    **dict.fromkeys(("Xdivy", "Xlog1py", "Xlogy"), xlogy),
    "Bucketize": bucketize,
    "Cross": cross,
    "Erfc": erfc,
    "Erfinv": erfinv,
    "InTopKV2": in_top_k,
    "Log1p": log1p,  # the wasm kernel loses the digits of a small number
    "Rint": rint,
    "Sin": sine,
    "Softsign": softsign,
}
