"""The range of values that each input of a model accepts, found by following the graph from the input."""

import math
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import keras
import numpy as np

# Operations and layers that pass values on unchanged, so that the next layer reads the input.
# fmt: off
_PASSING = {
    "BroadcastTo", "Cast", "Concatenate", "Copy", "Dropout", "ExpandDims", "Flatten", "Flip", "GetItem", "Identity",
    "Masking", "Maximum", "Minimum", "Moveaxis", "Permute", "Pad", "Ravel", "Repeat", "RepeatVector", "Reshape", "Roll",
    "Slice", "SpatialDropout1D", "Split", "Squeeze", "Stack", "StopGradient", "Swapaxes", "Tile", "Transpose",
    "Unstack", "Where",
}
# fmt: on
_PASSING_BEGINNINGS = ("Cropping", "UpSampling", "ZeroPadding")


class Values(NamedTuple):
    """What an input accepts: integers below ``high``, one of ``choices``, or floats near ``mean``."""

    high: int | None = None
    choices: np.ndarray | None = None
    mean: Any = None  # broadcasts with the last axes of the input
    spread: Any = None


def values_of(model: Any) -> list[Values]:
    """Return the values of each input of ``model``, flat in the order of ``model.inputs``.

    Where several layers read an input, the smallest range is returned. A custom layer and a subclassed model are
    assumed to read their input with the embeddings inside them.
    """
    graph = _graph(model)
    if not isinstance(model, keras.Model):  # a SavedModel as a function has only shapes and dtypes
        return [Values() for _ in model.inputs]
    if graph is None:
        return [_merged(_inside(model))]
    return [_merged(_readings(graph, position)) for position in range(len(graph.inputs))]


def normalizes_inputs(model: Any) -> list[bool]:
    """Return for each input whether a Normalization reads it, which subtracts a mean exactly."""
    return [values.mean is not None for values in values_of(model)]


def tensor_shapes(model: Any) -> Iterator[tuple[int | None, ...]]:
    """Yield the shapes of all tensors between the layers of a model; nothing if it has no graph."""
    graph = _graph(model)
    for node in _nodes(graph) if graph is not None else ():
        yield from (tuple(output.shape) for output in node.outputs)
        yield from tensor_shapes(node.operation)


def runs_dry(model: Any, arrays: list[np.ndarray]) -> bool:
    """Tell whether a tensor between the layers is empty, as after a convolution of too small an image.

    TensorFlow returns meaningless numbers then.
    """
    graph = _graph(model)
    if graph is None:
        return False
    nodes = [node for node in _nodes(graph) if node.outputs]
    tensors = {id(tensor): tensor for node in nodes for tensor in node.outputs}
    values = dict(zip(tensors, keras.Function(graph.inputs, list(tensors.values()))(arrays), strict=True))
    for node in nodes:
        given = [values[id(tensor)] for tensor in node.arguments.keras_tensors]
        if _graph(node.operation) is not None:
            if runs_dry(node.operation, given):
                return True
        elif (
            len(given) == 1 and isinstance(node.operation, keras.layers.Layer) and _too_small(node.operation, given[0])
        ):
            return True
    return not all(math.prod(value.shape) for value in values.values())


def _too_small(layer: Any, value: Any) -> bool:
    with suppress(AttributeError, NotImplementedError, TypeError):  # operations, and layers without this method
        try:
            layer.compute_output_shape(tuple(value.shape))
        except ValueError as error:
            return "zero or negative" in str(error)
    return False


def _graph(model: Any) -> Any:
    """Return the functional graph of a model, which a Sequential hides; None for a subclassed one."""
    graph = getattr(model, "_functional", None) or model
    return graph if hasattr(graph, "_nodes") and getattr(graph, "inputs", None) else None


def _nodes(graph: Any) -> Iterator[Any]:
    """Yield the calls of a graph's operations, each after those whose outputs it reads."""
    for depth in sorted(graph._nodes_by_depth, reverse=True):
        yield from graph._nodes_by_depth[depth]


def _readings(graph: Any, position: int) -> Iterator[Values]:
    """Yield what each reader of an input has a meaning for."""
    reached = {id(graph.inputs[position])}
    for node in _nodes(graph):
        tensors = node.arguments.keras_tensors
        places = [place for place, tensor in enumerate(tensors) if id(tensor) in reached]
        if not places:
            continue
        inner = _graph(node.operation)
        if inner is not None and len(inner.inputs) == len(tensors):
            for place in places:
                yield from _readings(inner, place)
        else:
            yield from _reading(node, places)
            if _passes(node.operation):
                reached |= {id(output) for output in node.outputs}


def _passes(operation: Any) -> bool:
    name = type(operation).__name__
    return name in _PASSING or name.startswith(_PASSING_BEGINNINGS)


def _reading(node: Any, places: list[int]) -> Iterator[Values]:
    """Yield the values that an operation accepts as its arguments at ``places``."""
    operation = node.operation
    name = type(operation).__name__
    if name == "OneHot":
        yield Values(high=operation.num_classes)
    elif name in ("Take", "TakeAlongAxis") and len(node.arguments.args) > 1:
        table, indices = node.arguments.args[:2]
        if any(node.arguments.keras_tensors[place] is indices for place in places):
            axis = operation.axis
            size = int(np.prod(table.shape)) if axis is None else table.shape[axis]
            yield Values(high=size)
    elif isinstance(operation, keras.layers.Layer):
        yield from _inside(operation)


def _inside(layer: Any) -> Iterator[Values]:
    """Yield the values that a layer and the layers inside it accept."""
    for part in layer._flatten_layers():
        if isinstance(part, keras.layers.Embedding):
            yield Values(high=part.input_dim)
        elif isinstance(part, keras.layers.CategoryEncoding):
            yield Values(high=part.num_tokens)
        elif isinstance(part, keras.layers.IntegerLookup):
            known = [value for value in part.get_vocabulary() if isinstance(value, (int, np.integer))]
            yield Values(choices=np.array([*known, max(known, default=0) + 7]))
        elif isinstance(part, (keras.layers.StringLookup, keras.layers.TextVectorization)):
            yield Values(choices=np.array([*part.get_vocabulary(), "never seen"], object))
        elif isinstance(part, keras.layers.Discretization) and part.bin_boundaries:
            low, high = min(part.bin_boundaries), max(part.bin_boundaries)
            yield Values(mean=(low + high) / 2, spread=(high - low) / 2 or 1.0)
        elif isinstance(part, keras.layers.Normalization) and not part.invert and part.built:
            yield _fitted(part)


def _fitted(layer: Any) -> Values:
    if getattr(layer, "mean", None) is None:
        return Values()
    mean = keras.ops.convert_to_numpy(layer.mean)
    spread = np.sqrt(keras.ops.convert_to_numpy(layer.variance))
    return Values(mean=mean, spread=spread)


def _merged(found: Iterator[Values]) -> Values:
    readings = list(found)
    highs = [values.high for values in readings if values.high]
    choices = [values.choices for values in readings if values.choices is not None]
    means = [values for values in readings if values.mean is not None]
    if highs:
        return Values(high=min(highs))
    return Values(choices=choices[0]) if choices else means[0] if means else Values()
