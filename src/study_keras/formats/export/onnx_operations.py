"""The operations of a frozen TensorFlow graph that tf2onnx says wrongly or not at all, in others that it knows."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from study_keras.formats.export.graph import arithmetic, convolutions, elementwise, indexing
from study_keras.formats.export.graph.freeze import Frozen, check_numbers, optimize
from study_keras.formats.export.graph.rewrite import Rewrite, Through, constant, rewrite, rewrite_bodies
from study_keras.formats.export.shared_operations import SHARED


def in_onnx_operations(frozen: Frozen, model: Any) -> Frozen:
    """Return ``frozen`` without the operations that ``REWRITES`` names.

    Raises:
        ValueError: a layer of ``model`` computes with what is no number, or no number that others have.
    """
    check_numbers(frozen, model, "ONNX")
    for _ in range(2):  # folding makes plain what can be rewritten, and the other way round
        frozen = optimize(rewrite(frozen, REWRITES))
    # In a loop the converter knows its own comparison of the counter, and makes int64 of one side of others.
    inside = {name: row for name, row in REWRITES.items() if row is not compare}
    return rewrite_bodies(rewrite(frozen, REWRITES), inside)


def transposed(op: Any, size: Any, kernel: Any, x: Any) -> Any:
    """tf2onnx writes negative paddings, or other answers, unless the output has the usual size."""
    import tensorflow as tf

    if op.get_attr("data_format").decode().startswith("NC"):
        return convolutions.transposed(op, size, kernel, x)  # first makes it channels last
    strides, dilations = op.get_attr("strides")[1:-1], op.get_attr("dilations")[1:-1]
    taps, same = kernel.shape[: len(strides)], op.get_attr("padding") == b"SAME"
    known, sizes = tf.get_static_value(op.inputs[0], partial=True), x.shape[1:-1]
    out = [None] * len(strides) if known is None else known[1:-1]
    usual = [
        k >= stride and (wanted is None or n is None or wanted == (n * stride if same else (n - 1) * stride + k))
        for wanted, n, stride, k in zip(out, sizes, strides, taps, strict=True)
    ]
    if all(usual) and max(dilations) == 1:
        return None
    return convolutions.transposed_by_zeros(op, size, kernel, x)


def conv3d(op: Any, x: Any, kernel: Any) -> Any:
    """tf2onnx overlooks groups."""
    grouped = x.shape.rank is not None and x.shape[-1] is not None and x.shape[-1] != kernel.shape[3]
    return convolutions.conv3d(op, x, kernel) if grouped else None


def maximum(op: Any, x: Any, y: Any) -> Any:
    """tf2onnx looks for max(x, a * x) itself, and loses one of two in a row."""
    import tensorflow as tf

    source, scaled = op.inputs[0], op.inputs[1].op
    if scaled.type != "Mul" or not any(part is source for part in scaled.inputs):
        return None
    (slope, *_) = [constant(part) for part in scaled.inputs if part is not source] or [None]
    if slope is None or slope.ndim or slope > 1 or not source.dtype.is_floating:
        return None
    return tf.nn.leaky_relu(x, float(slope))


def to_half(op: Any, x: Any) -> Any:
    """tf2onnx takes a cast to half precision and back for nothing: rounded before, or kept by what stands between."""
    import tensorflow as tf

    if op.outputs[0].dtype == tf.bfloat16:
        return elementwise.halves(op, x)
    consumers = {consumer.type for output in op.outputs for consumer in output.consumers()}
    if op.outputs[0].dtype != tf.float16 or "Cast" not in consumers:
        return None
    return tf.maximum(tf.cast(x, "float16"), tf.constant(-np.inf, "float16"))


def compare(op: Any, x: Any, y: Any) -> Any:
    """Less or greater of integers: the converter casts them to float32, but not for the opposites."""
    import tensorflow as tf

    if x.dtype.is_floating:
        return None
    return tf.logical_not(x >= y if op.type == "Less" else x <= y)


REWRITES: Mapping[str, Rewrite | Through] = {
    **SHARED,
    "Cast": to_half,
    "Conv2DBackpropInput": transposed,
    "Conv3D": conv3d,
    "Conv3DBackpropInputV2": transposed,
    "Erfc": elementwise.erfc,
    "FloorDiv": arithmetic.floor_divide,
    "FloorMod": arithmetic.floor_mod,
    "Greater": compare,
    "Less": compare,
    "Maximum": maximum,
    "OneHot": indexing.one_hot,
    "StridedSlice": indexing.known_size,
    "TopKV2": indexing.top_k_of_integers,
    "Xdivy": elementwise.xlogy,
    "XlaDynamicUpdateSlice": arithmetic.update_slice,
    "Xlog1py": elementwise.xlogy,
    "Xlogy": elementwise.xlogy,
}
