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
