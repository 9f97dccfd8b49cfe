"""Average and maximum pooling over two and three axes."""

from typing import Any

import tensorflow as tf

from study_keras.formats.export.graph.rewrite import Table, sizes
from study_keras.formats.export.rewrites.convolutions import channels_last, is_channels_first, padded_for, spatial


def pool(op: Any, x: Any) -> Any:
    """Pooling over two axes, where a window is smaller than its stride."""
    if is_channels_first(op):
        return channels_last(op, x)
    size, strides = spatial(op, "ksize"), spatial(op, "strides")
    average = op.type == "AvgPool"
    padded = padded_for(op, x, size, strides, value=0 if average else x.dtype.min)
    if padded is x:
        return None
    if not average:
        return tf.nn.max_pool2d(padded, size, strides, "VALID")
    ones = padded_for(op, tf.ones_like(x[:1, :, :, :1]), size, strides)
    total, seen = (tf.nn.avg_pool2d(values, size, strides, "VALID") for values in (padded, ones))
    return total / seen


def pool3d(op: Any, x: Any) -> Any:
    """Pooling over three axes, first over the last two: TF.js' own is wrong with some options."""
    if is_channels_first(op):
        return channels_last(op, x)
    (depth, *size), (step, *strides) = spatial(op, "ksize"), spatial(op, "strides")
    padding = op.get_attr("padding").decode()
    pooled = tf.nn.avg_pool2d if op.type == "AvgPool3D" else tf.nn.max_pool2d
    batch, length, height, width, channels = sizes(x)
    x = pooled(tf.reshape(x, [batch * length, height, width, channels]), size, strides, padding)
    _, height, width, _ = sizes(x)
    x = tf.reshape(x, [batch, length, height * width, channels])
    x = pooled(x, [depth, 1], [step, 1], padding)
    return tf.reshape(x, [batch, sizes(x)[1], height, width, channels])


POOL3D: Table = {"AvgPool3D": pool3d, "MaxPool3D": pool3d}
REWRITES: Table = {**POOL3D, "AvgPool": pool, "MaxPool": pool}
