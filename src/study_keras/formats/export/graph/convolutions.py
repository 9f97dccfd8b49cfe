"""Convolutions and poolings as TF.js computes them rightly: channels last, no groups, no doubtful padding."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from study_keras.formats.export.graph.rewrite import Rewrite


def conv2d(op: Any, x: Any, kernel: Any) -> Any:
    import tensorflow as tf

    if _first(op):
        return channels_last(op, x, kernel)
    if not kernel.shape.is_fully_defined():  # in a loop
        return None
    strides, dilations = _pair(op, "strides"), _pair(op, "dilations")
    padding = op.get_attr("padding").decode()
    if max(dilations) > 1 and max(strides) > 1:
        kernel, dilations = _dilated(kernel, dilations), [1, 1]
    groups = _groups(x, kernel.shape[2])
    size = [(k - 1) * d + 1 for k, d in zip(kernel.shape[:2], dilations, strict=True)]
    padded = _padded(op, x, size, strides)
    same = padded is x and dilations == _pair(op, "dilations")
    if groups == 1 and same:
        return None
    padding = padding if padded is x else "VALID"
    if groups > 1:
        return _grouped(padded, kernel, groups, strides=strides, padding=padding, dilations=dilations)
    return tf.nn.conv2d(padded, kernel, strides, padding, dilations=dilations)


def _grouped(x: Any, kernel: Any, groups: int, *, strides: list[int], padding: str, dilations: list[int]) -> Any:
    """A kernel for each channel is a depthwise convolution; otherwise one convolution for each group."""
    import tensorflow as tf

    height, width, inside, filters = kernel.shape
    if inside == 1 and len(set(strides)) == 1 and (max(dilations) == 1 or max(strides) == 1):
        kernel = tf.reshape(kernel, [height, width, groups, filters // groups])
        return tf.nn.depthwise_conv2d(x, kernel, [1, *strides, 1], padding, dilations=dilations)
    parts = zip(tf.split(x, groups, axis=-1), tf.split(kernel, groups, axis=-1), strict=True)
    return tf.concat([tf.nn.conv2d(a, b, strides, padding, dilations=dilations) for a, b in parts], axis=-1)


def _groups(x: Any, inside: int) -> int:
    """Keras fixes the channels; a graph that has lost them along the way has none to group."""
    return 1 if x.shape.rank is None or x.shape[-1] is None else x.shape[-1] // inside


def depthwise(op: Any, x: Any, kernel: Any) -> Any:
    import tensorflow as tf

    if _first(op):
        return channels_last(op, x, kernel)
    if not kernel.shape.is_fully_defined():  # in a loop
        return None
    strides, dilations = _pair(op, "strides"), _pair(op, "dilations")
    padding = op.get_attr("padding").decode()
    size = [(k - 1) * d + 1 for k, d in zip(kernel.shape[:2], dilations, strict=True)]
    padded = _padded(op, x, size, strides)
    if padded is x and max(dilations) == 1:
        return None
    kernel = _dilated(kernel, dilations)
    padding = padding if padded is x else "VALID"
    return tf.nn.depthwise_conv2d(padded, kernel, [1, *strides, 1], padding)


def conv3d(op: Any, x: Any, kernel: Any) -> Any:
    import tensorflow as tf

    if _first(op):
        return channels_last(op, x, kernel)
    if not kernel.shape.is_fully_defined():  # in a loop
        return None
    strides, dilations = _pair(op, "strides"), _pair(op, "dilations")
    kernel, padding = _dilated(kernel, dilations), op.get_attr("padding").decode()
    groups = _groups(x, kernel.shape[3])
    padded = _padded(op, x, kernel.shape[:3], strides)
    if padded is x and groups == 1 and max(dilations) == 1:
        return None
    padding, strides = (padding if padded is x else "VALID"), [1, *strides, 1]
    parts = zip(tf.split(padded, groups, axis=-1), tf.split(kernel, groups, axis=-1), strict=True)
    return tf.concat([tf.nn.conv3d(a, b, strides, padding) for a, b in parts], axis=-1)


def transposed(op: Any, size: Any, kernel: Any, x: Any) -> Any:
    """A transposed convolution, where TF.js lacks it or errs: zeros between the values, then a convolution."""
    if _first(op):
        return channels_last(op, size, kernel, x)
    strides, dilations = _pair(op, "strides"), _pair(op, "dilations")
    rank = len(strides)
    small = any(k < s for k, s in zip(kernel.shape[:rank], strides, strict=True))
    if rank == 2 and max(dilations) == 1 and not small and op.get_attr("padding") != b"EXPLICIT":
        return None
    return transposed_by_zeros(op, size, kernel, x)


def transposed_by_zeros(op: Any, size: Any, kernel: Any, x: Any) -> Any:
    """Any transposed convolution, channels last, as a convolution of ``x`` with zeros between its values."""
    import tensorflow as tf

    strides, dilations = _pair(op, "strides"), _pair(op, "dilations")
    rank = len(strides)
    kernel = _dilated(kernel, dilations)
    axes = list(range(rank))
    x, ends = _spread(x, strides), []
    for axis in axes:
        out = size[axis + 1]
        taps = kernel.shape[axis]
        length = tf.shape(x)[axis + 1] if x.shape[axis + 1] is None else x.shape[axis + 1]
        total = tf.maximum(length + taps - 1 - out, 0) if op.get_attr("padding") == b"SAME" else 0
        before = taps - 1 - total // 2
        ends.append([before, out + taps - 1 - length - before])
    x = _pad_or_cut(x, ends)
    order = [*axes, rank + 1, rank]
    kernel = tf.transpose(tf.reverse(kernel, axes), order)
    convolve = tf.nn.conv2d if rank == 2 else tf.nn.conv3d
    return convolve(x, kernel, [1] * (rank + 2), "VALID")


def _spread(x: Any, strides: Sequence[int]) -> Any:
    """Put stride - 1 zeros between neighbours along each spatial axis."""
    import tensorflow as tf

    for axis, stride in enumerate(strides, start=1):
        if stride > 1:
            shape = _shape(x)
            x = tf.expand_dims(x, axis + 1)
            x = tf.pad(x, [[0, 0]] * (axis + 1) + [[0, stride - 1]] + [[0, 0]] * (len(shape) - axis - 1))
            length = shape[axis] * stride
            x = tf.reshape(x, [*shape[:axis], length, *shape[axis + 1 :]])
            where = [slice(None)] * len(shape)
            where[axis] = slice(0, length - stride + 1)
            x = x[tuple(where)]
    return x


def _pad_or_cut(x: Any, ends: list[list[Any]]) -> Any:
    """Pad each spatial axis; a negative end is cut off."""
    import tensorflow as tf

    pads, where = [[0, 0]], [slice(None)]
    for axis, (before, after) in enumerate(ends, start=1):
        pads.append([tf.maximum(before, 0), tf.maximum(after, 0)])
        length = _shape(x)[axis]
        where.append(slice(tf.maximum(-before, 0), length + tf.minimum(after, 0)))
    return tf.pad(x[(*where, slice(None))], [*pads, [0, 0]])


def pool(op: Any, x: Any) -> Any:
    """Poolings over 2 axes."""
    import tensorflow as tf

    if _first(op):
        return channels_last(op, x)
    if op.get_attr("padding") != b"SAME":
        return None
    size, strides = _pair(op, "ksize"), _pair(op, "strides")
    if all(k >= s for k, s in zip(size, strides, strict=True)):
        return None
    average = op.type == "AvgPool"
    padded = _padded(op, x, size, strides, value=0 if average else x.dtype.min)
    if padded is x:
        return None
    if not average:
        return tf.nn.max_pool2d(padded, size, strides, "VALID")
    ones = _padded(op, tf.ones_like(x[:1, :, :, :1]), size, strides)
    total, seen = (tf.nn.avg_pool2d(values, size, strides, "VALID") for values in (padded, ones))
    return total / seen


def pool3d(op: Any, x: Any) -> Any:
    """Poolings over 3 axes, first over the last two of them: TF.js' own are wrong with some options."""
    import tensorflow as tf

    if _first(op):
        return channels_last(op, x)
    (depth, *size), (step, *strides), padding = (
        _pair(op, "ksize"),
        _pair(op, "strides"),
        op.get_attr("padding").decode(),
    )
    pooled = tf.nn.avg_pool2d if op.type == "AvgPool3D" else tf.nn.max_pool2d
    batch, length, height, width, channels = _shape(x)
    x = pooled(tf.reshape(x, [batch * length, height, width, channels]), size, strides, padding)
    _, height, width, _ = _shape(x)
    x = tf.reshape(x, [batch, length, height * width, channels])
    x = pooled(x, [depth, 1], [step, 1], padding)
    return tf.reshape(x, [batch, _shape(x)[1], height, width, channels])


def bias_add(op: Any, x: Any, bias: Any) -> Any:
    import tensorflow as tf

    if op.get_attr("data_format") != b"NCHW" or x.shape.rank < 3:
        return None
    return x + tf.reshape(bias, [-1, *[1] * (x.shape.rank - 2)])


def _first(op: Any) -> bool:
    return op.get_attr("data_format").decode().startswith("NC")


def channels_last(op: Any, *inputs: Any) -> Any:
    """The same operation between two transpositions."""
    import tensorflow as tf

    *others, x = inputs if "Backprop" in op.type else (*inputs[1:], inputs[0])
    rank = 5 if "3D" in op.type else 4
    last, first = [0, *range(2, rank), 1], [0, rank - 1, *range(1, rank - 1)]
    values = {name: op.get_attr(name) for name in op.node_def.attr if name != "T" and name[0] != "_"}
    values["data_format"] = "NDHWC" if rank == 5 else "NHWC"
    for name in ("strides", "dilations", "ksize"):
        if name in values:
            values[name] = [values[name][axis] for axis in last]
    values = {name: value.decode() if isinstance(value, bytes) else value for name, value in values.items()}
    x = tf.transpose(x, last)
    raw = getattr(tf.raw_ops, op.type)
    if "Backprop" in op.type:
        size, kernel = others
        name = "input_sizes"
        return tf.transpose(
            raw(**{name: tf.gather(size, last)}, filter=kernel, out_backprop=x, **_known(values)), first
        )
    if others:
        return tf.transpose(raw(input=x, filter=others[0], **_known(values)), first)
    name = "value" if op.type == "AvgPool" else "input"
    return tf.transpose(raw(**{name: x}, **_known(values)), first)


def _known(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value for name, value in values.items() if name not in ("Tshape", "explicit_paddings", "use_cudnn_on_gpu")
    }


def _padded(op: Any, x: Any, size: Sequence[int], strides: Sequence[int], *, value: float = 0) -> Any:
    """Pad beforehand where a window is smaller than its stride: there "SAME" goes wrong in TF.js."""
    import tensorflow as tf

    padding = op.get_attr("padding").decode()
    if padding == "EXPLICIT":
        ends: Any = np.reshape(op.get_attr("explicit_paddings"), (-1, 2))
        return tf.pad(x, ends)
    if padding != "SAME" or all(k >= s for k, s in zip(size, strides, strict=True)):
        return x
    ends = [[0, 0]]
    for axis, (k, s) in enumerate(zip(size, strides, strict=True), start=1):
        n = _shape(x)[axis]
        needed = (-(-n // s) - 1) * s + k - n
        total = max(needed, 0) if isinstance(n, int) else tf.maximum(needed, 0)
        ends.append([total // 2, total - total // 2])
    return tf.pad(x, [*ends, [0, 0]], constant_values=value)


def _dilated(kernel: Any, rates: Sequence[int]) -> Any:
    """Write the dilation into the kernel, as zeros between its values."""
    import tensorflow as tf

    if max(rates) == 1:
        return kernel
    spread = _spread(kernel[None, ...], rates)
    return tf.squeeze(spread, 0)


def _pair(op: Any, name: str) -> list[int]:
    """Return the spatial ones of four or five numbers."""
    values = list(op.get_attr(name))
    return values[2:] if _first(op) else values[1:-1]


def _shape(x: Any) -> list[Any]:
    """Return the sizes of ``x``: numbers where they are known, scalars of the graph elsewhere."""
    import tensorflow as tf

    return [tf.shape(x)[axis] if size is None else int(size) for axis, size in enumerate(x.shape)]


REWRITES: Mapping[str, Rewrite] = {
    "AvgPool": pool,
    "AvgPool3D": pool3d,
    "BiasAdd": bias_add,
    "Conv2D": conv2d,
    "Conv2DBackpropInput": transposed,
    "Conv3D": conv3d,
    "Conv3DBackpropInputV2": transposed,
    "DepthwiseConv2dNative": depthwise,
    "MaxPool": pool,
    "MaxPool3D": pool3d,
}
