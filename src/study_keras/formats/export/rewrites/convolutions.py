"""Convolutions and transposed convolutions: channels last, without groups, with paddings that TF.js supports."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from study_keras.formats.export.graph.rewrite import Table, attributes, sizes


def convolution(op: Any, x: Any, kernel: Any) -> Any:
    """Conv2D, Conv3D and DepthwiseConv2dNative."""
    if is_channels_first(op):
        return channels_last(op, x, kernel)
    if not kernel.shape.is_fully_defined():  # in a loop
        return None
    strides, dilations = spatial(op, "strides"), spatial(op, "dilations")
    rank, depthwise = len(strides), op.type == "DepthwiseConv2dNative"
    groups = 1 if depthwise else _groups(x, kernel.shape[rank])
    size = [(k - 1) * d + 1 for k, d in zip(kernel.shape[:rank], dilations, strict=True)]
    padded = padded_for(op, x, size, strides)
    dilate = max(dilations) > 1 and (op.type != "Conv2D" or max(strides) > 1)
    if padded is x and groups == 1 and not dilate:
        return None
    if dilate:
        kernel, dilations = _dilated(kernel, dilations), [1] * rank
    padding = op.get_attr("padding").decode() if padded is x else "VALID"
    if depthwise:
        return tf.nn.depthwise_conv2d(padded, kernel, [1, *strides, 1], padding)
    if rank == 2 and groups > 1 and kernel.shape[2] == 1 and len(set(strides)) == 1:  # a kernel for each channel
        kernel = tf.reshape(kernel, [*kernel.shape[:2], groups, kernel.shape[3] // groups])
        return tf.nn.depthwise_conv2d(padded, kernel, [1, *strides, 1], padding, dilations=dilations)
    convolve = tf.nn.conv2d if rank == 2 else tf.nn.conv3d
    options = {"strides": [1, *strides, 1], "padding": padding, "dilations": [1, *dilations, 1]}
    if groups == 1:
        return convolve(padded, kernel, **options)
    parts = zip(tf.split(padded, groups, axis=-1), tf.split(kernel, groups, axis=-1), strict=True)
    return tf.concat([convolve(a, b, **options) for a, b in parts], axis=-1)


def _groups(x: Any, inside: int) -> int:
    """Return 1 where the graph has lost the number of channels; Keras' own layers keep it."""
    return 1 if x.shape.rank is None or x.shape[-1] is None else x.shape[-1] // inside


def transposed(op: Any, size: Any, kernel: Any, x: Any) -> Any:
    """Conv2DBackpropInput and Conv3DBackpropInputV2, where TF.js lacks them or gets them wrong."""
    if is_channels_first(op):
        return channels_last(op, size, kernel, x)
    strides, dilations = spatial(op, "strides"), spatial(op, "dilations")
    rank = len(strides)
    small = any(k < s for k, s in zip(kernel.shape[:rank], strides, strict=True))
    if rank == 2 and max(dilations) == 1 and not small and op.get_attr("padding") != b"EXPLICIT":
        return None
    return transposed_by_zeros(op, size, kernel, x)


def transposed_by_zeros(op: Any, size: Any, kernel: Any, x: Any) -> Any:
    """Compute any transposed convolution, channels last, as a convolution of ``x`` with zeros between its values."""
    strides, dilations = spatial(op, "strides"), spatial(op, "dilations")
    rank = len(strides)
    kernel = _dilated(kernel, dilations)
    axes = list(range(rank))
    x, ends = _spread(x, strides), []
    for axis in axes:
        out, taps, length = size[axis + 1], kernel.shape[axis], sizes(x)[axis + 1]
        total = tf.maximum(length + taps - 1 - out, 0) if op.get_attr("padding") == b"SAME" else 0
        before = taps - 1 - total // 2
        ends.append([before, out + taps - 1 - length - before])
    kernel = tf.transpose(tf.reverse(kernel, axes), [*axes, rank + 1, rank])
    convolve = tf.nn.conv2d if rank == 2 else tf.nn.conv3d
    return convolve(_pad_or_cut(x, ends), kernel, [1] * (rank + 2), "VALID")


def _spread(x: Any, strides: Sequence[int]) -> Any:
    """Put stride - 1 zeros between neighbours along each spatial axis."""
    for axis, stride in enumerate(strides, start=1):
        if stride > 1:
            shape = sizes(x)
            x = tf.expand_dims(x, axis + 1)
            x = tf.pad(x, [[0, 0]] * (axis + 1) + [[0, stride - 1]] + [[0, 0]] * (len(shape) - axis - 1))
            length = shape[axis] * stride
            x = tf.reshape(x, [*shape[:axis], length, *shape[axis + 1 :]])
            where = [slice(None)] * len(shape)
            where[axis] = slice(0, length - stride + 1)
            x = x[tuple(where)]
    return x


def _pad_or_cut(x: Any, ends: list[list[Any]]) -> Any:
    """Pad each spatial axis; where an end is negative, cut."""
    pads, where = [[0, 0]], [slice(None)]
    for axis, (before, after) in enumerate(ends, start=1):
        pads.append([tf.maximum(before, 0), tf.maximum(after, 0)])
        where.append(slice(tf.maximum(-before, 0), sizes(x)[axis] + tf.minimum(after, 0)))
    return tf.pad(x[(*where, slice(None))], [*pads, [0, 0]])


def _dilated(kernel: Any, rates: Sequence[int]) -> Any:
    """Write the dilation into the kernel, as zeros between its values."""
    return tf.squeeze(_spread(kernel[None, ...], rates), 0) if max(rates) > 1 else kernel


def is_channels_first(op: Any) -> bool:
    return op.get_attr("data_format").decode().startswith("NC")


def channels_first(op: Any, *inputs: Any) -> Any:
    """Transpose around an operation, if it has its channels first."""
    return channels_last(op, *inputs) if is_channels_first(op) else None


def channels_last(op: Any, *inputs: Any) -> Any:
    """Return the same operation, channels last, between two transpositions."""
    rank = 5 if "3D" in op.type else 4
    last, first = [0, *range(2, rank), 1], [0, rank - 1, *range(1, rank - 1)]
    options = {name: value for name, value in attributes(op).items() if name != "explicit_paddings"}
    options["data_format"] = "NDHWC" if rank == 5 else "NHWC"
    for name in options.keys() & {"strides", "dilations", "ksize"}:
        options[name] = [options[name][axis] for axis in last]
    names = [argument.name for argument in op.op_def.input_arg]
    given = dict(zip(names, inputs, strict=True))
    if "input_sizes" in given:
        given["input_sizes"] = tf.gather(given["input_sizes"], last)
    image = names[-1 if "input_sizes" in given else 0]
    given[image] = tf.transpose(given[image], last)
    return tf.transpose(getattr(tf.raw_ops, op.type)(**given, **options), first)


def bias_add(op: Any, x: Any, bias: Any) -> Any:
    if op.get_attr("data_format") != b"NCHW" or x.shape.rank < 3:
        return None
    return x + tf.reshape(bias, [-1, *[1] * (x.shape.rank - 2)])


def padded_for(op: Any, x: Any, size: Sequence[int], strides: Sequence[int], *, value: float = 0) -> Any:
    """Pad where a window is smaller than its stride, because TF.js computes "SAME" wrongly there."""
    padding = op.get_attr("padding").decode()
    if padding == "EXPLICIT":
        return tf.pad(x, np.reshape(op.get_attr("explicit_paddings"), (-1, 2)))
    if padding != "SAME" or all(k >= s for k, s in zip(size, strides, strict=True)):
        return x
    ends: list[list[Any]] = [[0, 0]]
    for axis, (k, s) in enumerate(zip(size, strides, strict=True), start=1):
        n = sizes(x)[axis]
        needed = (-(-n // s) - 1) * s + k - n
        total = max(needed, 0) if isinstance(n, int) else tf.maximum(needed, 0)
        ends.append([total // 2, total - total // 2])
    return tf.pad(x, [*ends, [0, 0]], constant_values=value)


def spatial(op: Any, name: str) -> list[int]:
    """Return the values of an attribute such as ``strides`` for the spatial axes."""
    values = list(op.get_attr(name))
    return values[2:] if is_channels_first(op) else values[1:-1]


REWRITES: Table = {
    "BiasAdd": bias_add,
    "Conv2D": convolution,
    "Conv2DBackpropInput": transposed,
    "Conv3D": convolution,
    "Conv3DBackpropInputV2": transposed,
    "DepthwiseConv2dNative": convolution,
}
