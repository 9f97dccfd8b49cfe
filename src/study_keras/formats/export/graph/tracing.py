"""What must change in a model for the length of its tracing, so that the graph says what Keras computes."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any

import keras


@contextmanager
def traceable(model: keras.Model) -> Iterator[None]:
    """Let layers that TensorFlow traces wrongly, or only as what no other runtime has, be plain for a block."""
    layers = list(model._flatten_layers(include_self=True, recursive=True))
    with ExitStack() as stack:
        for layer in layers:
            if isinstance(layer, keras.layers.TimeDistributed):
                stack.enter_context(_with(layer, "call", _time_distributed(layer)))
            elif isinstance(layer, keras.layers.IntegerLookup):
                stack.enter_context(_with(layer, "lookup_table", _comparisons(layer.lookup_table)))
            elif type(layer).__name__.startswith("Adaptive") and hasattr(layer, "output_size"):
                stack.enter_context(_with(layer, "call", _adaptive_pooling(layer)))
            elif isinstance(layer, keras.layers.RandomCrop):  # which computes a place, and crops in training only
                stack.enter_context(_with(layer, "get_random_transformation", lambda data, **_: (0, 0)))
            elif isinstance(layer, keras.layers.UpSampling2D) and layer.interpolation != "nearest":
                stack.enter_context(_with(layer, "call", _up_sampling(layer)))
        yield


@contextmanager
def _with(layer: Any, name: str, value: Any) -> Iterator[None]:
    """Give ``layer`` another attribute for the length of a block."""
    own, before = name in vars(layer), getattr(layer, name)
    setattr(layer, name, value)
    try:
        yield
    finally:
        if own:
            setattr(layer, name, before)
        else:
            delattr(layer, name)


def _time_distributed(layer: keras.layers.TimeDistributed) -> Callable[..., Any]:
    """Where the length is unknown, Keras 3.15 runs one step for each *sample*; here steps are samples: (n * t, ...)."""
    call = layer.call

    def folded(inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if inputs.shape[1] is not None:
            return call(inputs, training=training, mask=mask)
        count, length = keras.ops.shape(inputs)[:2]
        options: dict[str, Any] = {"training": training} if layer.layer._call_has_training_arg else {}
        if layer.layer._call_has_mask_arg and mask is not None:
            options["mask"] = keras.ops.reshape(mask, (-1, *mask.shape[2:]))
        outputs = layer.layer.call(keras.ops.reshape(inputs, (count * length, *inputs.shape[2:])), **options)
        return keras.tree.map_structure(
            lambda x: keras.ops.reshape(x, (count, length, *keras.ops.shape(x)[1:])), outputs
        )

    return folded


def _adaptive_pooling(layer: Any) -> Callable[..., Any]:
    """Keras cannot trace it where a size is unknown, nor to a size of 1: here each axis is pooled on its own."""
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
    """Pool the windows of one axis: from ``i * length / size``, rounded down, to that of ``i + 1``, rounded up."""
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
    """Keras cannot trace it where a size is unknown."""
    call = layer.call

    def resized(inputs: Any) -> Any:
        import tensorflow as tf

        if layer.data_format != "channels_last" or None not in inputs.shape[1:3]:
            return call(inputs)
        height, width = keras.ops.shape(inputs)[1:3]
        size = (height * layer.size[0], width * layer.size[1])
        return tf.image.resize(inputs, size, method=layer.interpolation)

    return resized


def _comparisons(table: Any) -> Any:
    """Return what looks up as ``table`` does, without a table: other runtimes have none."""
    import tensorflow as tf

    keys, values = table.export()
    default = table.default_value if hasattr(table, "default_value") else table._default_value

    def lookup(inputs: Any) -> Any:
        hits = tf.equal(tf.cast(inputs, keys.dtype)[..., None], keys)  # (..., size of the vocabulary)
        differences = tf.where(hits, values - default, tf.zeros_like(values))
        return tf.reduce_sum(differences, axis=-1) + default

    return SimpleNamespace(lookup=lookup, size=table.size)
