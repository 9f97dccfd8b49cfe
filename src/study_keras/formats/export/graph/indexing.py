"""Slices, scatters and bands of tensors that TF.js lacks or gets wrong."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from study_keras.formats.export.graph.rewrite import Rewrite, constant

_LONGEST = 1024  # of a row of integers whose order is counted: it takes the square


def one_hot(op: Any, indices: Any, depth: Any, on: Any, off: Any) -> Any:
    import tensorflow as tf

    axis = op.get_attr("axis")
    indices = tf.cast(tf.expand_dims(indices, axis), "int32")
    rank = indices.shape.rank
    shape = [1] * rank
    shape[axis] = -1
    hit = tf.equal(indices, tf.reshape(tf.range(depth), shape))
    if on.dtype == tf.bool:
        return tf.logical_or(tf.logical_and(hit, on), tf.logical_and(tf.logical_not(hit), off))
    return tf.cast(hit, on.dtype) * (on - off) + off


def band_part(op: Any, x: Any, lower: Any, upper: Any) -> Any:
    """TF.js reads the upper limit from the wrong input."""
    import tensorflow as tf

    rows, columns = tf.shape(x)[-2], tf.shape(x)[-1]
    below = tf.range(rows)[:, None] - tf.range(columns)[None, :]
    lower, upper = tf.cast(lower, "int32"), tf.cast(upper, "int32")
    kept = tf.logical_and(tf.logical_or(lower < 0, below <= lower), tf.logical_or(upper < 0, -below <= upper))
    if x.dtype == tf.bool:
        return tf.logical_and(x, kept)
    return tf.where(kept, x, tf.zeros_like(x))


def cumulative(op: Any, x: Any, axis: Any) -> Any:
    """TF.js takes no axis that is counted from the end here."""
    import tensorflow as tf

    along = constant(axis)
    if along is None or along >= 0 or x.shape.rank is None:
        return None
    function = tf.cumsum if op.type == "Cumsum" else tf.math.cumprod
    options = {name: op.get_attr(name) for name in ("exclusive", "reverse")}
    return function(x, int(along) + x.shape.rank, **options)


def known_size(op: Any, shape: Any, begin: Any, end: Any, step: Any) -> Any:
    """A size that is asked for at run time, though it is known: with it as a constant much else can be folded."""
    import tensorflow as tf

    sizes, limits = op.inputs[0], [constant(value) for value in (begin, end, step)]
    masks = [op.get_attr(name) for name in ("ellipsis_mask", "new_axis_mask")]
    if (
        sizes.op.type != "Shape"
        or sizes.op.inputs[0].shape.rank is None
        or any(x is None for x in limits)
        or any(masks)
    ):
        return None
    start, stop, by = (int(value[0]) for value in limits)
    cut = slice(None if op.get_attr("begin_mask") else start, None if op.get_attr("end_mask") else stop, by)
    known = sizes.op.inputs[0].shape.as_list()
    found = [known[start]] if op.get_attr("shrink_axis_mask") else known[cut]
    if None in found:
        return None
    return tf.constant(found[0] if op.get_attr("shrink_axis_mask") else found, op.outputs[0].dtype)


def roll(op: Any, x: Any, shift: Any, axis: Any) -> Any:
    import tensorflow as tf

    shifts, axes = constant(op.inputs[1]), constant(op.inputs[2])
    if shifts is None or axes is None:
        return None
    for by, along in zip(np.atleast_1d(shifts).tolist(), np.atleast_1d(axes).tolist(), strict=True):
        size = tf.shape(x)[along] if x.shape[along] is None else x.shape[along]
        cut = (size - by) % size
        x = tf.concat([_part(x, along, cut, None), _part(x, along, None, cut)], axis=along)
    return x


def _part(x: Any, axis: int, start: Any, stop: Any) -> Any:
    where = [slice(None)] * x.shape.rank
    where[axis] = slice(start, stop)
    return x[tuple(where)]


def gather(op: Any, x: Any, indices: Any, axis: Any) -> Any:
    """With batch axes TF.js' wasm reads the wrong rows: count the places of all batches in one row."""
    import tensorflow as tf

    batches, along = op.get_attr("batch_dims"), constant(axis)
    if not batches or along is None or x.shape.rank is None:
        return None
    along = int(along) % x.shape.rank
    if along != batches:
        return None
    sizes = [tf.shape(x)[i] if size is None else size for i, size in enumerate(x.shape)]
    count = sizes[0]
    for size in sizes[1:batches]:
        count = count * size
    inner = tf.shape(indices)[batches:]
    first = tf.range(count) * sizes[along]
    places = tf.reshape(tf.cast(indices, "int32"), [count, -1]) + first[:, None]
    rows = tf.reshape(x, [count * sizes[along], *sizes[along + 1 :]])
    shape = tf.concat([tf.shape(indices)[:batches], inner, tf.shape(x)[along + 1 :]], axis=0)
    return tf.reshape(tf.gather(rows, tf.reshape(places, [-1])), shape)


def where(op: Any, condition: Any) -> Any:
    """The places of what is true, where that is known before any input comes."""
    import tensorflow as tf

    value = constant(condition)
    return None if value is None else tf.constant(np.argwhere(value), "int64")


def top_k_of_integers(op: Any, x: Any, k: Any) -> Any:
    """ONNX' converter takes integers for float32: count, for each, those that come before it."""
    import tensorflow as tf

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
    import tensorflow as tf

    offset, rows, columns = constant(k), x.shape[-2], x.shape[-1]
    if offset is None or np.size(offset) != 1 or rows is None or columns is None:
        return None
    offset = int(np.ravel(offset)[0])
    row, column = max(-offset, 0), max(offset, 0)
    places = [(row + i) * columns + column + i for i in range(min(rows - row, columns - column))]
    flat = tf.reshape(x, tf.concat([tf.shape(x)[:-2], [rows * columns]], axis=0))
    return tf.gather(flat, places, axis=-1)


def segment_sum(op: Any, x: Any, segments: Any, count: Any) -> Any:
    """A product with a matrix of zeros and ones."""
    import tensorflow as tf

    if x.shape.rank is None or segments.shape.rank != 1 or not x.dtype.is_floating:
        return None
    chosen = tf.cast(tf.equal(tf.range(count)[:, None], tf.cast(segments, "int32")[None, :]), x.dtype)
    rest = tf.shape(x)[1:]
    total = tf.matmul(chosen, tf.reshape(x, tf.stack([tf.shape(x)[0], tf.reduce_prod(rest)])))
    return tf.reshape(total, tf.concat([[count], rest], axis=0))


def switch_many(op: Any, x: Any, index: Any) -> Any:
    """One branch of several: TF.js has a switch of two. An index beyond the end takes the last."""
    import tensorflow as tf

    count = op.get_attr("num_outs")
    index = tf.where(tf.logical_or(index < 0, index >= count), count - 1, index)
    return [tf.raw_ops.Switch(data=x, pred=tf.equal(index, branch)).output_true for branch in range(count)]


REWRITES: Mapping[str, Rewrite] = {
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
    "_SwitchN": switch_many,
}
