"""Slices, shifts and blocks of tensors that other runtimes lack or get wrong."""

import math
from typing import Any

import numpy as np
import tensorflow as tf

from study_keras.formats.export.graph.rewrite import constant, sizes

MASKS = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")


def known_size(op: Any, shape: Any, begin: Any, end: Any, step: Any) -> Any:
    """Replace a size that is read from a shape at run time by a constant, which allows more constant folding."""
    source, limits = op.inputs[0].op, [constant(value) for value in (begin, end, step)]
    if source.type != "Shape" or source.inputs[0].shape.rank is None or any(x is None for x in limits):
        return None
    if op.get_attr("ellipsis_mask") or op.get_attr("new_axis_mask"):
        return None
    start, stop, by = (int(value[0]) for value in limits)
    cut = slice(None if op.get_attr("begin_mask") else start, None if op.get_attr("end_mask") else stop, by)
    known = source.inputs[0].shape.as_list()
    found = [known[start]] if op.get_attr("shrink_axis_mask") else known[cut]
    if None in found:
        return None
    return tf.constant(found[0] if op.get_attr("shrink_axis_mask") else found, op.outputs[0].dtype)


def new_axes(op: Any, x: Any, begin: Any, end: Any, strides: Any) -> Any:
    """LiteRT's slice cannot add axes where sizes are unknown."""
    masks = {name: op.get_attr(name) for name in MASKS}
    count = begin.shape[0]
    added = masks.pop("new_axis_mask")
    if not added or count is None or x.shape.rank is None:
        return None
    new = [bool(added >> i & 1) for i in range(count)]
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


def update_slice(op: Any, x: Any, update: Any, starts: Any) -> Any:
    """Write ``update`` into ``x``, at the nearest place where it fits."""
    room = tf.shape(x) - tf.shape(update)
    before = tf.clip_by_value(tf.cast(starts, "int32"), 0, room)
    ends = tf.stack([before, room - before], axis=1)
    inside = tf.pad(tf.ones_like(update, "int32"), ends) > 0
    return tf.where(inside, tf.pad(update, ends), x)


def roll(op: Any, x: Any, shift: Any, axis: Any) -> Any:
    shifts, axes = constant(op.inputs[1]), constant(op.inputs[2])
    if shifts is None or axes is None:
        return None
    for by, along in zip(np.atleast_1d(shifts).tolist(), np.atleast_1d(axes).tolist(), strict=True):
        size = sizes(x)[along]
        cut = (size - by) % size
        x = tf.concat([_part(x, along, cut, None), _part(x, along, None, cut)], axis=along)
    return x


def _part(x: Any, axis: int, start: Any, stop: Any) -> Any:
    where = [slice(None)] * x.shape.rank
    where[axis] = slice(start, stop)
    return x[tuple(where)]


def squeeze(op: Any, x: Any) -> Any:
    """LiteRT's converter loses some of these next to a transposition."""
    shape = op.outputs[0].shape
    if shape.rank is None or shape.as_list().count(None) > 1:
        return None
    return tf.reshape(x, [-1 if size is None else size for size in shape])


def space_and_batch(op: Any, x: Any, block: Any, ends: Any) -> Any:
    """SpaceToBatchND and BatchToSpaceND over three axes, one axis at a time."""
    block, ends = constant(op.inputs[1]), constant(op.inputs[2])
    if block is None or ends is None or len(block) < 3 or x.shape.rank is None:
        return None
    rank, back = x.shape.rank, op.type == "BatchToSpaceND"
    if not back:
        x = tf.pad(x, [[0, 0], *ends.tolist(), *[[0, 0]] * (rank - 1 - len(block))])
    order = range(len(block)) if back else reversed(range(len(block)))
    for axis in order:
        by, shape = int(block[axis]), sizes(x)
        count, length, left, right = shape[0], shape[axis + 1], shape[1 : axis + 1], shape[axis + 2 :]
        outer, inner = math.prod(left), math.prod(right)
        if back:
            x = tf.reshape(x, [by, count // by, outer, length, inner])
            x = tf.transpose(x, [1, 2, 3, 0, 4])
            x = tf.reshape(x, [count // by, *left, length * by, *right])
        else:
            x = tf.reshape(x, [count, outer, length // by, by, inner])
            x = tf.transpose(x, [3, 0, 1, 2, 4])
            x = tf.reshape(x, [count * by, *left, length // by, *right])
    if back:
        first = [0, *ends[:, 0].tolist()]
        last = [None, *(-int(end) or None for end in ends[:, 1])]
        x = x[tuple(slice(a, b) for a, b in zip(first, last, strict=True))]
    return x
