"""A frozen graph without the operations that tf2onnx converts wrongly or not at all."""

from typing import Any

import numpy as np
import tensorflow as tf

from study_keras.formats.export.graph.frozen import Frozen, check_dtypes
from study_keras.formats.export.graph.rewrite import Table, constant, legalize, rewrite_bodies
from study_keras.formats.export.rewrites import convolutions, elementwise, indexing, integers, slicing
from study_keras.formats.export.shared_operations import SHARED


def to_onnx_operations(frozen: Frozen, model: Any) -> Frozen:
    """Return ``frozen`` without the operations in ``REWRITES``.

    Raises:
        ValueError: a layer of ``model`` computes with strings, float8 or lookup tables.
    """
    check_dtypes(frozen, model, "ONNX")
    # In a loop tf2onnx expects its own comparison of the counter, and casts one side of others to int64.
    inside = {name: row for name, row in REWRITES.items() if row is not compare}
    return rewrite_bodies(legalize(frozen, REWRITES), inside)


def transposed(op: Any, size: Any, kernel: Any, x: Any) -> Any:
    """tf2onnx writes negative paddings, or computes other values, unless the output has its usual size."""
    if convolutions.is_channels_first(op):
        return convolutions.channels_last(op, size, kernel, x)
    strides, same = convolutions.spatial(op, "strides"), op.get_attr("padding") == b"SAME"
    known = tf.get_static_value(op.inputs[0], partial=True)
    out = [None] * len(strides) if known is None else known[1:-1]
    usual = [
        k >= stride and (wanted is None or n is None or wanted == (n * stride if same else (n - 1) * stride + k))
        for wanted, n, stride, k in zip(out, x.shape[1:-1], strides, kernel.shape[: len(strides)], strict=True)
    ]
    if all(usual) and max(op.get_attr("dilations")) == 1:
        return None
    return convolutions.transposed_by_zeros(op, size, kernel, x)


def conv3d(op: Any, x: Any, kernel: Any) -> Any:
    """tf2onnx ignores groups."""
    grouped = x.shape.rank is not None and x.shape[-1] is not None and x.shape[-1] != kernel.shape[3]
    return convolutions.convolution(op, x, kernel) if grouped else None


def maximum(op: Any, x: Any, y: Any) -> Any:
    """tf2onnx itself looks for max(x, a * x), and loses one of two in a row."""
    source, scaled = op.inputs[0], op.inputs[1].op
    if scaled.type != "Mul" or not any(part is source for part in scaled.inputs):
        return None
    (slope, *_) = [constant(part) for part in scaled.inputs if part is not source] or [None]
    if slope is None or slope.ndim or slope > 1 or not source.dtype.is_floating:
        return None
    return tf.nn.leaky_relu(x, float(slope))


def to_half(op: Any, x: Any) -> Any:
    """tf2onnx drops a cast to half precision and back: round beforehand, or keep the casts apart."""
    if op.outputs[0].dtype == tf.bfloat16:
        return elementwise.half_precision(op, x)
    consumers = {consumer.type for output in op.outputs for consumer in output.consumers()}
    if op.outputs[0].dtype != tf.float16 or "Cast" not in consumers:
        return None
    return tf.maximum(tf.cast(x, "float16"), tf.constant(-np.inf, "float16"))


def compare(op: Any, x: Any, y: Any) -> Any:
    """tf2onnx casts integers to float32 for Less and Greater, but not for their opposites."""
    if x.dtype.is_floating:
        return None
    return tf.logical_not(x >= y if op.type == "Less" else x <= y)


REWRITES: Table = {
    **SHARED,
    **dict.fromkeys(("Greater", "Less"), compare),
    **dict.fromkeys(("Xdivy", "Xlog1py", "Xlogy"), elementwise.xlogy),
    "Cast": to_half,
    "Conv2DBackpropInput": transposed,
    "Conv3D": conv3d,
    "Conv3DBackpropInputV2": transposed,
    "Erfc": elementwise.erfc,
    "FloorDiv": integers.floor_divide,
    "FloorMod": integers.floor_mod,
    "Maximum": maximum,
    "OneHot": indexing.one_hot,
    "StridedSlice": slicing.known_size,
    "TopKV2": indexing.top_k_of_integers,
    "XlaDynamicUpdateSlice": slicing.update_slice,
}
