"""Translates the options of Keras' layers to TF.js, and refuses those that it lacks or computes differently."""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import keras
import numpy as np

# Keras' name -> TF.js' name of the same function
ACTIVATIONS = {name: name for name in (
    "elu", "gelu", "linear", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid", "softmax", "softplus",
    "softsign", "tanh",
)} | {"celu": "elu", "silu": "swish"}  # fmt: skip  # celu at its default alpha of 1
# No output of a trained model depends on these options.
_TRAINING = re.compile(
    "name|trainable|dtype|seed|weights|batch_shape|synchronized|use_cudnn|unroll|activity_regularizer|momentum"
    "|(recurrent_)?dropout|unit_forget_bias|.*_(initializer|regularizer|constraint)|layer|backward_layer|data_format"
)
_SPELLING = {("LeakyReLU", "negative_slope"): "alpha"}


def refuse(layer: Any, what: str) -> NoReturn:
    """Raise the error that all checks of layers use: the layer, and what TF.js lacks."""
    raise ValueError(
        f"{type(layer).__name__} {layer.name!r}: TF.js has no {what} among its layers; leave it out, or write the "
        "model as a graph (kind='graph')"
    )


def options_of(layer: Any, names: Sequence[str]) -> dict[str, Any]:
    """Return the named options in TF.js' spelling, as JSON types."""
    options = {}
    for name in names:
        if hasattr(layer, name):
            value = plain(_activation_name(getattr(layer, name)))
            value = ACTIVATIONS.get(value, value) if name.endswith("activation") else value
            options[_SPELLING.get((type(layer).__name__, name), name)] = value
    return options


def check_options(layer: Any, names: Sequence[str], shape: Sequence[Any], training: bool) -> None:
    """Refuse options that are not in ``names`` and could change an output, and those that TF.js computes differently.

    Args:
        names: the options that TF.js' layer also has.
        shape: of the first input, with the batch size.
        training: whether TF.js is to train the model.

    Raises:
        ValueError: names the layer and the option.
    """
    kind = type(layer).__name__
    for name, default in _defaults(layer).items():
        value = getattr(layer, name, default)
        if name.endswith("activation") and _activation_name(value) not in ACTIVATIONS:
            refuse(layer, f"{name} {_activation_name(value)!r}")
        if name not in names and not _TRAINING.fullmatch(name) and plain(value) not in (plain(default), None, False):
            refuse(layer, f"{kind} with {name}={value!r}")
    if getattr(layer, "data_format", "channels_last") != "channels_last" and len(shape) > 2:
        refuse(layer, f"{kind} with data_format={layer.data_format!r}, which is wrong in several of its layers")
    for rule in (*_RULES.get(kind, ()), *((_gates,) if hasattr(layer, "recurrent_activation") else ())):
        if reason := rule(layer, tuple(shape)):
            refuse(layer, reason)
    if training and kind == "BatchNormalization" and not (layer.center and layer.scale):
        refuse(layer, "training of BatchNormalization without center and scale")


def plain(value: Any) -> Any:
    """Return ``value`` as JSON types, so that (1, 1) equals [1, 1]."""
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value.item() if isinstance(value, np.generic) else value


def _defaults(layer: Any) -> dict[str, Any]:
    parameters = inspect.signature(type(layer).__init__).parameters.values()
    return {
        parameter.name: parameter.default
        for parameter in parameters
        if parameter.name != "self" and parameter.kind is not inspect.Parameter.VAR_KEYWORD
    }


def _activation_name(value: Any) -> Any:
    """Return the name of one of Keras' activations; any other value unchanged."""
    name = getattr(value, "__name__", "")
    return name if name and getattr(keras.activations, name, None) is value else value


def _convolution(layer: Any, shape: Sequence[Any]) -> str:
    strides = plain(layer.strides) if isinstance(layer.strides, (list, tuple)) else [layer.strides]
    small = any(k < s for k, s in zip(layer.kernel_size, strides, strict=True))
    if layer.padding == "causal" or (layer.padding == "same" and small):
        return f"padding {layer.padding!r} of such a kernel and stride"
    dilated = max(layer.dilation_rate) > 1
    if dilated and (max(strides) > 1 or "Depthwise" in type(layer).__name__ or "Separable" in type(layer).__name__):
        return f"dilation_rate={layer.dilation_rate} here"
    return "strides that differ" if len(set(strides)) > 1 and type(layer).__name__ != "Conv2D" else ""


def _transposed(layer: Any, shape: Sequence[Any]) -> str:
    small = any(k < s for k, s in zip(layer.kernel_size, layer.strides, strict=True))
    return "kernel below its stride or dilation" if small or max(layer.dilation_rate) > 1 else ""


def _gates(layer: Any, shape: Sequence[Any]) -> str:
    return "GRU with reset_after=True" if getattr(layer, "reset_after", False) else ""


def _pooling(layer: Any, shape: Sequence[Any]) -> str:
    small = any(k < s for k, s in zip(np.atleast_1d(layer.pool_size), np.atleast_1d(layer.strides), strict=True))
    return "window below its stride with padding='same'" if small and layer.padding == "same" else ""


def _ranks(*ranks: int) -> Callable[[Any, Sequence[Any]], str]:
    return lambda layer, shape: "" if len(shape) in ranks else f"{type(layer).__name__} of {len(shape)} axes"


def _sizes(layer: Any, shape: Sequence[Any]) -> str:
    return f"{type(layer).__name__} of unknown sizes" if None in shape[1:] else ""


def _axes(layer: Any, shape: Sequence[Any]) -> str:
    axes = [axis % len(shape) for axis in np.atleast_1d(layer.axis)]
    return "" if axes == [len(shape) - 1] else f"{type(layer).__name__} over the axis {layer.axis}"


def _dot(layer: Any, shape: Sequence[Any]) -> str:
    return "normalized Dot" if layer.normalize else ""


def _nearest(layer: Any, shape: Sequence[Any]) -> str:
    return f"interpolation {layer.interpolation!r}" if layer.interpolation != "nearest" else ""


def _alpha(layer: Any, shape: Sequence[Any]) -> str:
    return f"alpha={layer.alpha}" if layer.alpha != 1 else ""


def _shared(layer: Any, shape: Sequence[Any]) -> str:
    return (
        "" if set(layer.shared_axes or ()) in (set(), set(range(1, len(shape) - 1))) else "PReLU with such shared_axes"
    )


def _numbers(layer: Any, shape: Sequence[Any]) -> str:
    return "scale and offset that are arrays" if np.ndim(layer.scale) or np.ndim(layer.offset) else ""


def _sides(layer: Any, shape: Sequence[Any]) -> str:
    """TF.js creates the backward layer from the forward one, so both must have the same options."""
    forward, backward = layer.forward_layer, layer.backward_layer
    if type(forward) is not type(backward) or type(forward).__name__ not in ("GRU", "LSTM", "SimpleRNN"):
        return "Bidirectional of such layers"
    names = [name for name in _defaults(forward) if not _TRAINING.fullmatch(name) and name != "go_backwards"]
    if options_of(forward, names) != options_of(backward, names) or forward.go_backwards == backward.go_backwards:
        return "Bidirectional with a backward_layer of its own"
    return ""


_IMAGE, _SERIES = _ranks(4), _ranks(3)
_RULES: Mapping[str, Sequence[Callable[[Any, Sequence[Any]], str]]] = {
    "AveragePooling1D": (_pooling,),
    "AveragePooling2D": (_pooling,),
    "BatchNormalization": (_ranks(2, 3, 4), _axes),
    "Bidirectional": (_sides,),
    "Conv1D": (_convolution, _SERIES),
    "Conv2D": (_convolution, _IMAGE),
    "Conv2DTranspose": (_transposed, _IMAGE),
    "Conv3D": (_convolution, _ranks(5)),
    "DepthwiseConv2D": (_convolution,),
    "Dot": (_ranks(2, 3), _dot),
    "ELU": (_alpha,),
    "Flatten": (_sizes, _ranks(3, 4, 5)),
    "LayerNormalization": (_ranks(2, 3, 4), _axes),
    "MaxPooling1D": (_pooling,),
    "MaxPooling2D": (_pooling,),
    "PReLU": (_shared,),
    "Rescaling": (_numbers,),
    "Reshape": (_sizes,),
    "SeparableConv2D": (_convolution,),
    "Softmax": (_axes,),
    "TimeDistributed": (_sizes,),
    "UpSampling2D": (_nearest,),
}
