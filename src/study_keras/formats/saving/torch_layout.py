"""A model's weights under the names and in the layouts that PyTorch's layers have, and back."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import keras
import numpy as np

from study_keras.formats.written.identifiers import distinct


class Layout(NamedTuple):
    """How an array lies in PyTorch, and the way back; ``shape`` is Keras'."""

    forth: Callable[[np.ndarray], np.ndarray]
    back: Callable[[np.ndarray, tuple[int, ...]], np.ndarray]


class Entry(NamedTuple):
    """One array of the file.

    Attributes:
        name: in the file, such as ``dense.weight``.
        path: Keras', such as ``dense/kernel``; of layers in nested models with theirs in front.
        layer: the layer's name, for messages.
        variable: Keras'; None for the scale or shift that the layer does not have, which are ones or zeros.
        constant: that number.
        shape: in the file.
    """

    name: str
    path: str
    layer: str
    variable: Any
    constant: float
    layout: Layout
    shape: tuple[int, ...]


def _permuted(*axes: int) -> Layout:
    return Layout(lambda a: a.transpose(axes), lambda a, _: a.transpose(np.argsort(axes)))


def _depthwise_back(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    *size, channels, multiplier = shape
    return np.moveaxis(array.reshape(channels, multiplier, *size), (0, 1), (-2, -1))


SAME = Layout(lambda a: a, lambda a, _: a)
DENSE = _permuted(1, 0)  # (in, out) -> (out, in)
CONV1D = _permuted(2, 1, 0)  # (steps, in, out) -> (out, in, steps)
CONV2D = _permuted(3, 2, 0, 1)  # (rows, columns, in, out) -> (out, in, rows, columns)
DEPTHWISE = Layout(  # (rows, columns, in, multiplier) -> (in * multiplier, 1, rows, columns)
    lambda a: np.moveaxis(a, (-2, -1), (0, 1)).reshape(-1, 1, *a.shape[:-2]), _depthwise_back
)
_NORMALIZATION = {"gamma": ("weight", SAME), "beta": ("bias", SAME)}
_BIAS = {"bias": ("bias", SAME)}
# Keras' layer -> Keras' weight -> PyTorch's name, after that of the layer, and layout.
LAYERS: dict[type, dict[str, tuple[str, Layout]]] = {
    keras.layers.Dense: {"kernel": ("weight", DENSE), **_BIAS},
    keras.layers.Conv1D: {"kernel": ("weight", CONV1D), **_BIAS},
    keras.layers.Conv2D: {"kernel": ("weight", CONV2D), **_BIAS},
    keras.layers.DepthwiseConv2D: {"kernel": ("weight", DEPTHWISE), **_BIAS},
    keras.layers.SeparableConv2D: {
        "depthwise_kernel": ("_depthwise.weight", DEPTHWISE),
        "pointwise_kernel": ("_pointwise.weight", CONV2D),
        "bias": ("_pointwise.bias", SAME),
    },
    keras.layers.BatchNormalization: {
        **_NORMALIZATION,
        "moving_mean": ("running_mean", SAME),
        "moving_variance": ("running_var", SAME),
    },
    keras.layers.LayerNormalization: _NORMALIZATION,
    keras.layers.Embedding: {"embeddings": ("weight", SAME)},
}


def entries(model: keras.Model) -> list[Entry]:
    """Return each array of the model, in the order of its layers.

    Layers that PyTorch has too get its names and layouts; the weights of others keep Keras' names and layouts.

    Raises:
        ValueError: the model has not been built, or a layer's weights were changed by quantization or LoRA.
    """
    if not model.built:
        raise ValueError(f"the model {model.name} has no weights yet; give it an Input, or call it once")
    found: list[Entry] = []
    seen = set[str]()
    for path, layer, name in named_layers(model):
        if name in seen:
            continue
        seen.add(name)
        if getattr(layer, "quantization_mode", None) or getattr(layer, "lora_enabled", False):
            raise ValueError(f"{type(layer).__name__} {layer.name!r} is quantized or has LoRA; save it as .keras")
        found += _known(path, layer, name) if type(layer) in LAYERS else _others(path, layer, name)
    return found


def named_layers(model: keras.Model) -> Iterator[tuple[str, Any, str]]:
    """Yield path, layer and name of each layer that has weights: ``("in ner/dense", ..., "in_ner_dense")``.

    A layer that is reached twice comes twice, by the same name.
    """
    names: dict[int, str] = {}
    for path, layer in _walk(model, ()):
        if not layer.weights:
            continue
        if id(layer) not in names:
            names[id(layer)] = distinct("_".join(path), set(names.values()))
        yield "/".join(path), layer, names[id(layer)]


def _walk(model: keras.Model, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    whole = type(model) is keras.Sequential or type(model).__name__ == "Functional"
    if above and not whole:  # a model with code of its own may have weights beside those of its layers
        yield above, model
        return
    for layer in model.layers:
        path = (*above, layer.name)
        if isinstance(layer, keras.Model):
            yield from _walk(layer, path)
        else:
            yield path, layer


def _known(path: str, layer: Any, name: str) -> Iterator[Entry]:
    for own, (theirs, layout) in LAYERS[type(layer)].items():
        place = name + theirs if theirs[0] == "_" else f"{name}.{theirs}"
        variable = getattr(layer, own, None)
        if variable is not None:
            shape = layout.forth(np.empty(tuple(variable.shape), bool)).shape
            yield Entry(place, f"{path}/{own}", layer.name, variable, 0.0, layout, shape)
        elif own in _NORMALIZATION:  # PyTorch's layers have both or none
            shape = tuple(layer.weights[0].shape)  # all of them have the channels
            constant = 1.0 if own == "gamma" else 0.0
            yield Entry(place, f"{path}/{own}", layer.name, None, constant, SAME, shape)


def _others(path: str, layer: Any, name: str) -> Iterator[Entry]:
    taken = set[str]()
    for number, variable in enumerate(layer.weights):
        inner = variable.path.partition(f"{layer.name}/")[2] or variable.name
        own = inner.replace("/", ".")
        own = f"{own}_{number}" if own in taken else own
        taken.add(own)
        shape = tuple(variable.shape)
        yield Entry(f"{name}.{own}", f"{path}/{inner}", layer.name, variable, 0.0, SAME, shape)
