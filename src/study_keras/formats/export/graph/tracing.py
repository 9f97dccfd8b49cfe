"""Temporary changes to a model while it is traced, so that the graph computes what Keras computes."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any

import keras
import tensorflow as tf

from study_keras.formats.keras_internals import all_layers, attribute, call_takes


@contextmanager
def names_of_tensorflow(model: keras.Model) -> Iterator[None]:
    """Within the context layers with names that TensorFlow refuses as name scopes have other names."""
    with ExitStack() as stack:
        for index, layer in enumerate(all_layers(model)):
            if not re.fullmatch(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*", layer.name):
                stack.enter_context(attribute(layer, "name", f"layer_{index}"))
        yield


@contextmanager
def traceable(model: keras.Model) -> Iterator[None]:
    """Within the context layers that TensorFlow traces wrongly, or as operations that only it has, are replaced."""
    with ExitStack() as stack:
        for layer in all_layers(model):
            if isinstance(layer, keras.layers.TimeDistributed):
                stack.enter_context(attribute(layer, "call", _time_distributed(layer)))
            elif isinstance(layer, keras.layers.IntegerLookup):
                stack.enter_context(attribute(layer, "lookup_table", _comparisons(layer.lookup_table)))
            elif type(layer).__name__.startswith("Adaptive") and hasattr(layer, "output_size"):
                stack.enter_context(attribute(layer, "call", _adaptive_pooling(layer)))
            elif isinstance(layer, keras.layers.RandomCrop):  # it draws an offset, but crops at random in training only
                stack.enter_context(attribute(layer, "get_random_transformation", lambda data, **_: (0, 0)))
            elif isinstance(layer, keras.layers.UpSampling2D) and layer.interpolation != "nearest":
                stack.enter_context(attribute(layer, "call", _up_sampling(layer)))
        yield


def _time_distributed(layer: keras.layers.TimeDistributed) -> Callable[..., Any]:
    """Where the length is unknown, Keras 3.15 runs one step per *sample*; here steps become samples: (n * t, ...)."""
    call = layer.call

    def folded(inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if inputs.shape[1] is not None:
            return call(inputs, training=training, mask=mask)
        count, length = keras.ops.shape(inputs)[:2]
        options: dict[str, Any] = {"training": training} if call_takes(layer.layer, "training") else {}
        if call_takes(layer.layer, "mask") and mask is not None:
            options["mask"] = keras.ops.reshape(mask, (-1, *mask.shape[2:]))
        outputs = layer.layer.call(keras.ops.reshape(inputs, (count * length, *inputs.shape[2:])), **options)
        return keras.tree.map_structure(
            lambda x: keras.ops.reshape(x, (count, length, *keras.ops.shape(x)[1:])), outputs
        )

    return folded


def _adaptive_pooling(layer: Any) -> Callable[..., Any]:
    """Keras cannot trace it with an unknown size or an output size of 1; this pools each axis separately."""
    call = layer.call
    first = 1 if layer.data_format == "channels_last" else 2

    def pooled(inputs: Any) -> Any:
        axes = range(first, first + len(layer.output_size))
        if 1 not in layer.output_size and None not in [inputs.shape[axis] for axis in axes]:
            return call(inputs)
        for axis, size in zip(axes, layer.output_size, strict=True):
            inputs = _pooled_axis(inputs, axis, size, average="Average" in type(layer).__name__)
        return inputs

    return pooled


def _pooled_axis(x: Any, axis: int, size: int, *, average: bool) -> Any:
    """Pool one axis; window i is from floor(``i * length / size``) to ceil(``(i + 1) * length / size``)."""
    ops = keras.ops
    length = ops.shape(x)[axis]
    windows = ops.arange(size, dtype="int32")[:, None]
    starts, ends = windows * length // size, -(-(windows + 1) * length // size)
    places = ops.arange(length, dtype="int32")
    inside = ops.logical_and(places >= starts, places < ends)  # (size, length)
    x = ops.moveaxis(x, axis, -1)
    if average:
        shares = ops.cast(inside, x.dtype) / ops.cast(ends - starts, x.dtype)
        pooled = ops.matmul(x, ops.transpose(shares))
    else:
        pooled = ops.max(ops.where(inside, x[..., None, :], -float("inf")), axis=-1)
    return ops.moveaxis(pooled, -1, axis)


def _up_sampling(layer: keras.layers.UpSampling2D) -> Callable[..., Any]:
    """Keras cannot trace it with an unknown size."""
    call = layer.call

    def resized(inputs: Any) -> Any:
        if layer.data_format != "channels_last" or None not in inputs.shape[1:3]:
            return call(inputs)
        height, width = keras.ops.shape(inputs)[1:3]
        size = (height * layer.size[0], width * layer.size[1])
        return tf.image.resize(inputs, size, method=layer.interpolation)

    return resized


def _comparisons(table: Any) -> Any:
    """Return an object that looks up as ``table`` does, by comparisons: other runtimes have no lookup tables."""
    keys, values = table.export()
    default = table.default_value if hasattr(table, "default_value") else table._default_value

    def lookup(inputs: Any) -> Any:
        hits = tf.equal(tf.cast(inputs, keys.dtype)[..., None], keys)  # (..., size of the vocabulary)
        differences = tf.where(hits, values - default, tf.zeros_like(values))
        return tf.reduce_sum(differences, axis=-1) + default

    return SimpleNamespace(lookup=lookup, size=table.size)
