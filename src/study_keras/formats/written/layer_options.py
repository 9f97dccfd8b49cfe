"""The options and weights of each kind of layer as plain values: padding in numbers, functions by their formula."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from study_keras.formats.written.steps import Place, Read, Shape, refuse

_CONV = ("filters", "rank", "kernel_size", "strides", "padding", "dilation_rate", "groups", "depth_multiplier")
_POOL = ("pool_size", "strides", "padding")
# The options that are read here; of the others each must have its default.
KNOWN: dict[str, Sequence[str]] = {
    "Dense": ("units",),
    **dict.fromkeys(("Conv1D", "Conv2D", "DepthwiseConv2D", "SeparableConv2D"), _CONV),
    **dict.fromkeys(("MaxPooling2D", "AveragePooling2D"), _POOL),
    **{f"Global{name}Pooling{rank}D": ("keepdims",) for name in ("Max", "Average") for rank in (1, 2)},
    "ZeroPadding2D": ("padding",),
    "BatchNormalization": ("axis", "epsilon", "center", "scale"),
    "LayerNormalization": ("axis", "epsilon", "center", "scale"),
    "Embedding": ("input_dim", "output_dim"),
    "Reshape": ("target_shape",),
    "Permute": ("dims",),
    "Concatenate": ("axis",),
    "UpSampling2D": ("size",),
    "Rescaling": ("scale", "offset"),
    "ReLU": ("max_value", "negative_slope", "threshold"),
    "LeakyReLU": ("negative_slope",),
    "ELU": ("alpha",),
    "Softmax": ("axis",),
}
# The functions of a step `Activation`, and the numbers of each; on every number, softmax on the last axis.
FUNCTIONS: dict[str, dict[str, Any]] = {
    # x if x > threshold, otherwise 0; this cut off at 0 and max_value, if there is one; plus
    # negative_slope * (x - threshold) below the threshold
    "relu": {"max_value": None, "negative_slope": 0.0, "threshold": 0.0},
    "elu": {"alpha": 1.0},  # x if x > 0, otherwise alpha * (exp(x) - 1)
    "leaky_relu": {"negative_slope": 0.2},  # x if x >= 0, otherwise negative_slope * x
    "gelu": {"approximate": False},  # x * (1 + erf(x / sqrt(2))) / 2
    "hard_sigmoid": {},  # x / 6 + 1 / 2, cut off at 0 and 1
    "hard_silu": {},  # x * hard_sigmoid(x)
    "selu": {},
    "exponential": {},
    "mish": {},  # x * tanh(softplus(x))
    "sigmoid": {},
    "silu": {},  # x * sigmoid(x)
    "softmax": {},
    "softplus": {},  # log(1 + exp(x))
    "softsign": {},  # x / (1 + |x|)
    "tanh": {},
}


def activation(layer: Any, function: Any) -> dict[str, Any]:
    """Return ``function`` and its numbers of an activation, or of an activation layer; empty for linear."""
    if isinstance(function, keras.layers.ReLU):
        most = None if function.max_value is None else float(function.max_value)
        slope, threshold = float(function.negative_slope), float(function.threshold)
        return {"function": "relu", "max_value": most, "negative_slope": slope, "threshold": threshold}
    if isinstance(function, keras.layers.LeakyReLU):
        return {"function": "leaky_relu", "negative_slope": float(function.negative_slope)}
    if isinstance(function, keras.layers.ELU):
        return {"function": "elu", "alpha": float(function.alpha)}
    if isinstance(function, keras.layers.Softmax):
        if function.axis not in (-1, len(layer.output.shape) - 1):
            refuse(layer, f"softmax over axis {function.axis}; it has the last one")
        return {"function": "softmax"}
    name = getattr(function, "__name__", None)
    if function is None or function is keras.activations.linear:
        return {}
    if function is keras.activations.relu6:
        return {"function": "relu", **FUNCTIONS["relu"], "max_value": 6.0}
    if name not in FUNCTIONS or getattr(keras.activations, name) is not function:
        shown = name or type(function).__name__
        refuse(layer, f"activation {shown!r}; it has {', '.join([*FUNCTIONS, 'relu6', 'linear'])}")
    return {"function": name, **FUNCTIONS[str(name)]}


def merge(place: Place, inputs: Sequence[str], kind: str, shape: Shape) -> dict[str, Any]:
    """Return the options of a layer of several inputs."""
    layer, shapes = place.layer, [place.given(name).shape for name in inputs]
    if len({len(given) for given in shapes}) > 1:
        refuse(layer, f"inputs of different ranks, here {', '.join(map(str, shapes))}")
    if kind != "Concatenate":
        return {}
    axis = layer.axis % (len(shape) + 1)
    return {"axis": axis} if axis else refuse(layer, "concatenation of batches")


def same_padding(size: int, kernel: int, stride: int, dilation: int = 1) -> tuple[int, int]:
    """Return the rows before and after for ``padding="same"``; if uneven, the additional one comes after."""
    total = max(0, (math.ceil(size / stride) - 1) * stride + (kernel - 1) * dilation + 1 - size)
    return total // 2, total - total // 2


def _padding(layer: Any, given: Shape, kernel: Sequence[int], dilation: Sequence[int]) -> tuple[tuple[int, int], ...]:
    if layer.padding == "valid":
        return ((0, 0),) * len(kernel)
    if layer.padding == "causal":
        return (((kernel[0] - 1) * dilation[0], 0),)
    return tuple(same_padding(*numbers) for numbers in zip(given[:-1], kernel, layer.strides, dilation, strict=True))


def _weights(layer: Any, *names: str) -> dict[str, Any]:
    """Return the layer's variables of these names, without those that it does not have."""
    return {name: getattr(layer, name) for name in names if getattr(layer, name, None) is not None}


def _conv(layer: Any, given: Shape) -> Read:
    size, dilation = tuple(layer.kernel_size), tuple(layer.dilation_rate)
    found = {"strides": tuple(layer.strides), "padding": _padding(layer, given, size, dilation), "dilation": dilation}
    if type(layer) in (keras.layers.Conv1D, keras.layers.Conv2D):
        found["groups"] = layer.groups
    if type(layer) is keras.layers.SeparableConv2D:
        return found, _weights(layer, "depthwise_kernel", "pointwise_kernel", "bias")
    return found, _weights(layer, "kernel", "bias")


def _pool(layer: Any, given: Shape) -> Read:
    size = tuple(layer.pool_size)
    padding = _padding(layer, given, size, (1,) * len(size))
    return {"pool_size": size, "strides": tuple(layer.strides), "padding": padding}, {}


def _global_pool(layer: Any, given: Shape) -> Read:
    return {"axes": tuple(range(1, len(given))), "keepdims": bool(layer.keepdims)}, {}


def _last_axis(layer: Any, given: Shape) -> None:
    axes = layer.axis if isinstance(layer.axis, list | tuple) else [layer.axis]
    if [axis % (len(given) + 1) for axis in axes] != [len(given)]:
        refuse(layer, f"axis={layer.axis}; it normalizes the last axis")


def _batch_normalization(layer: Any, given: Shape) -> Read:
    _last_axis(layer, given)
    whole = {"gamma": np.ones(given[-1]), "beta": np.zeros(given[-1])}
    weights = whole | _weights(layer, "gamma", "beta", "moving_mean", "moving_variance")
    return {"epsilon": float(layer.epsilon)}, weights


def _layer_normalization(layer: Any, given: Shape) -> Read:
    _last_axis(layer, given)
    return {"epsilon": float(layer.epsilon)}, _weights(layer, "gamma", "beta")


def _rescaling(layer: Any, _: Shape) -> Read:
    def plain(value: Any) -> Any:
        return tuple(map(float, value)) if np.ndim(value) == 1 else float(value)

    if max(np.ndim(layer.scale), np.ndim(layer.offset)) > 1:
        refuse(layer, "scale or offset of several dimensions")
    return {"scale": plain(layer.scale), "offset": plain(layer.offset)}, {}


# kind -> a function of the layer and the shape of its input, to the options and weights of the step
READERS: dict[str, Callable[[Any, Shape], Read]] = {
    "Dense": lambda layer, _: ({}, _weights(layer, "kernel", "bias")),
    **dict.fromkeys(("Conv1D", "Conv2D", "DepthwiseConv2D", "SeparableConv2D"), _conv),
    **dict.fromkeys(("MaxPooling2D", "AveragePooling2D"), _pool),
    **{f"Global{name}Pooling{rank}D": _global_pool for name in ("Max", "Average") for rank in (1, 2)},
    "ZeroPadding2D": lambda layer, _: ({"padding": tuple(map(tuple, layer.padding))}, {}),
    "BatchNormalization": _batch_normalization,
    "LayerNormalization": _layer_normalization,
    "Embedding": lambda layer, _: ({}, _weights(layer, "embeddings")),
    "Flatten": lambda *_: ({}, {}),
    "Reshape": lambda *_: ({}, {}),
    "Permute": lambda layer, _: ({"axes": (0, *layer.dims)}, {}),
    "UpSampling2D": lambda layer, _: ({"size": tuple(layer.size)}, {}),
    "Rescaling": _rescaling,
}
