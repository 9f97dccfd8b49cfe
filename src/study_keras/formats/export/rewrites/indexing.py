"""Gathers, scatters, bands and orders of tensors that other runtimes lack or get wrong."""

import math
from typing import Any

import numpy as np
import tensorflow as tf

from study_keras.formats.export.graph.rewrite import Table, constant, sizes
from study_keras.formats.export.rewrites.slicing import known_size, roll, update_slice

_LONGEST = 1024  # of a row of integers whose ranks are counted, which takes the square of memory


def one_hot(op: Any, indices: Any, depth: Any, on: Any, off: Any) -> Any:
    axis = op.get_attr("axis")
    indices = tf.cast(tf.expand_dims(indices, axis), "int32")
    shape = [1] * indices.shape.rank
    shape[axis] = -1
    hit = tf.equal(indices, tf.reshape(tf.range(depth), shape))
    if on.dtype == tf.bool:
        return tf.logical_or(tf.logical_and(hit, on), tf.logical_and(tf.logical_not(hit), off))
    return tf.cast(hit, on.dtype) * (on - off) + off


def band_part(op: Any, x: Any, lower: Any, upper: Any) -> Any:
    """TF.js reads the upper limit from the wrong input."""
    rows, columns = tf.shape(x)[-2], tf.shape(x)[-1]
    below = tf.range(rows)[:, None] - tf.range(columns)[None, :]
    lower, upper = tf.cast(lower, "int32"), tf.cast(upper, "int32")
    kept = tf.logical_and(tf.logical_or(lower < 0, below <= lower), tf.logical_or(upper < 0, -below <= upper))
    if x.dtype == tf.bool:
        return tf.logical_and(x, kept)
    return tf.where(kept, x, tf.zeros_like(x))


def cumulative(op: Any, x: Any, axis: Any) -> Any:
    """TF.js does not take a negative axis here."""
    along = constant(axis)
    if along is None or along >= 0 or x.shape.rank is None:
        return None
    function = tf.cumsum if op.type == "Cumsum" else tf.math.cumprod
    options = {name: op.get_attr(name) for name in ("exclusive", "reverse")}
    return function(x, int(along) + x.shape.rank, **options)


def gather(op: Any, x: Any, indices: Any, axis: Any) -> Any:
    """With batch axes TF.js' wasm kernel reads the wrong rows: number the rows of all batches consecutively."""
    batches, along = op.get_attr("batch_dims"), constant(axis)
    if not batches or along is None or x.shape.rank is None:
        return None
    along = int(along) % x.shape.rank
    if along != batches:
        return None
    shape = sizes(x)
    count = math.prod(shape[:batches])
    first = tf.range(count) * shape[along]
    places = tf.reshape(tf.cast(indices, "int32"), [count, -1]) + first[:, None]
    rows = tf.reshape(x, [count * shape[along], *shape[along + 1 :]])
    shape = tf.concat([tf.shape(indices), tf.shape(x)[along + 1 :]], axis=0)
    return tf.reshape(tf.gather(rows, tf.reshape(places, [-1])), shape)


def where(op: Any, condition: Any) -> Any:
    """Return the indices of True values, where they do not depend on an input."""
    value = constant(condition)
    return None if value is None else tf.constant(np.argwhere(value), "int64")


def top_k_of_integers(op: Any, x: Any, k: Any) -> Any:
    """tf2onnx treats integers as float32: count, for each value, those that rank before it."""
    length = x.shape[-1]
    if x.dtype.is_floating or length is None or length > _LONGEST:
        return None
    places = np.arange(length)
    one, other = tf.expand_dims(x, -1), tf.expand_dims(x, -2)
    before = tf.logical_or(other > one, tf.logical_and(tf.equal(other, one), places[None, :] < places[:, None]))
    rank = tf.reduce_sum(tf.cast(before, "int32"), axis=-1)
    chosen = tf.equal(tf.expand_dims(rank, -1), tf.range(k))  # (..., length, k)
    values = tf.reduce_sum(tf.where(chosen, one, tf.zeros([], x.dtype)), axis=-2)
    indices = tf.reduce_sum(tf.where(chosen, places[:, None].astype("int32"), 0), axis=-2)
    return [values, tf.cast(indices, op.outputs[1].dtype)]


def diagonal(op: Any, x: Any, k: Any, padding: Any) -> Any:
    offset, rows, columns = constant(k), x.shape[-2], x.shape[-1]
    if offset is None or np.size(offset) != 1 or rows is None or columns is None:
        return None
    offset = int(np.ravel(offset)[0])
    row, column = max(-offset, 0), max(offset, 0)
    places = [(row + i) * columns + column + i for i in range(min(rows - row, columns - column))]
    flat = tf.reshape(x, tf.concat([tf.shape(x)[:-2], [rows * columns]], axis=0))
    return tf.gather(flat, places, axis=-1)


def segment_sum(op: Any, x: Any, segments: Any, count: Any) -> Any:
    """Multiply with a matrix of zeros and ones."""
    if x.shape.rank is None or segments.shape.rank != 1 or not x.dtype.is_floating:
        return None
    chosen = tf.cast(tf.equal(tf.range(count)[:, None], tf.cast(segments, "int32")[None, :]), x.dtype)
    rest = tf.shape(x)[1:]
    total = tf.matmul(chosen, tf.reshape(x, tf.stack([tf.shape(x)[0], tf.reduce_prod(rest)])))
    return tf.reshape(total, tf.concat([[count], rest], axis=0))


def switch_many(op: Any, x: Any, index: Any) -> Any:
    """Select one of several branches with TF.js' switch of two; an index out of range selects the last."""
    count = op.get_attr("num_outs")
    index = tf.where(tf.logical_or(index < 0, index >= count), count - 1, index)
    return [tf.raw_ops.Switch(data=x, pred=tf.equal(index, branch)).output_true for branch in range(count)]


REWRITES: Table = {
    "Cumprod": cumulative,
    "Cumsum": cumulative,
    "GatherV2": gather,
    "MatrixBandPart": band_part,
    "MatrixDiagPartV3": diagonal,
    "OneHot": one_hot,
    "Roll": roll,
    "StridedSlice": known_size,
    "UnsortedSegmentSum": segment_sum,
    "Where": where,
    "XlaDynamicUpdateSlice": update_slice,
    "_SwitchN": switch_many,
}
