"""Each Keras layer as one or a few steps: the tables of what is supported, and of what each kind of step holds."""

import inspect
import re
from collections.abc import Sequence
from typing import Any

import keras

from study_keras.formats.written import layer_options as options
from study_keras.formats.written.steps import Place, Shape, known_shape, refuse

# What each kind of step has in `options` and `weights`. Sizes are of (rows, columns), or of (steps,) in one dimension.
KINDS = {
    "Dense": "weights kernel (in, out), maybe bias (out,); on the last axis",
    "Conv2D": "strides, padding, dilation, groups; weights kernel (rows, columns, in / groups, out), maybe bias",
    "Conv1D": "strides, padding, dilation, groups; weights kernel (steps, in / groups, out), maybe bias",
    "DepthwiseConv2D": "strides, padding, dilation; weights kernel (rows, columns, in, multiplier), maybe bias: output"
    " channel in * multiplier + m",
    "MaxPooling2D": "pool_size, strides, padding (as if filled with minus infinity)",
    "AveragePooling2D": "pool_size, strides, padding (which does not count in the mean)",
    "GlobalMaxPooling2D": "axes, counted with the batch; keepdims",
    "GlobalAveragePooling2D": "axes, keepdims",
    "GlobalMaxPooling1D": "axes, keepdims",
    "GlobalAveragePooling1D": "axes, keepdims",
    "ZeroPadding2D": "padding",
    "BatchNormalization": "epsilon; weights gamma, beta, moving_mean, moving_variance (channels,); on the last axis",
    "LayerNormalization": "epsilon; weights maybe gamma, maybe beta (channels,); on the last axis",
    "Embedding": "weights embeddings (words, out)",
    "Flatten": "",
    "Reshape": "",
    "Permute": "axes, counted with the batch, for a transpose: (0, 2, 1)",
    "Activation": "function, a key of layer_options.FUNCTIONS, and its numbers",
    "Add": "",
    "Subtract": "",
    "Multiply": "",
    "Average": "",
    "Maximum": "",
    "Minimum": "",
    "Concatenate": "axis, counted with the batch",
    "UpSampling2D": "size; nearest",
    "Rescaling": "scale, offset: a number, or a tuple of one a channel",
    "Cast": "from integers to float32",
}  # padding: ((top, bottom), (left, right)), or ((before, after),) in one dimension
_IDENTITY = {
    *("Dropout", "SpatialDropout1D", "SpatialDropout2D", "AlphaDropout", "GaussianDropout", "GaussianNoise"),
    *("ActivityRegularization", "Identity", "RandomBrightness", "RandomContrast", "RandomFlip", "RandomRotation"),
    *("RandomTranslation", "RandomZoom"),
}  # they do nothing at inference
_ACTIVATIONS = {"Activation", "ELU", "LeakyReLU", "ReLU", "Softmax"}
_MERGES = {"Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"}
SUPPORTED = sorted(
    {*KINDS, *_IDENTITY, *_ACTIVATIONS, "SeparableConv2D"} - {"Cast"},
)
_TAKES_INTEGERS = {"Embedding", "Flatten", "Reshape", "Permute", "Rescaling", *_IDENTITY}
# Of integers Keras makes floats in these, whatever it says of their dtype; in others they stay integers.
_MAKES_FLOATS = {"Dense", "BatchNormalization", "LayerNormalization"}
_MAKES_FLOATS |= {"Conv1D", "Conv2D", "DepthwiseConv2D", "SeparableConv2D"}
# No output depends on these options at inference; see also `check_options`.
_TRAINING = re.compile(
    "name|trainable|dtype|seed|weights|batch_shape|synchronized|activity_regularizer|momentum|quantization_config"
    "|.*_(initializer|regularizer|constraint)"
)


def add_layer(place: Place, call: Any, inputs: Sequence[str]) -> str:
    """Add the steps of one call of a layer, and return the name of its output.

    Raises:
        ValueError: names the layer, and what of it has no step.
    """
    kind = _kind(place.layer)
    _check_call(place.layer, call, kind)
    shape = known_shape(call.outputs[0], f"{type(place.layer).__name__} {place.layer.name!r}")
    dtypes = {place.given(name).dtype for name in inputs}
    if kind not in _TAKES_INTEGERS | _MAKES_FLOATS and not any("float" in dtype for dtype in dtypes):
        refuse(place.layer, f"arithmetic in {', '.join(sorted(dtypes))}; it computes in float32")
    return _add_kind(place, kind, inputs, shape)


def _add_kind(place: Place, kind: str, inputs: Sequence[str], shape: Shape) -> str:
    layer = place.layer
    if kind not in _TAKES_INTEGERS:
        inputs = [_as_float(place, name) for name in inputs]
    if kind in _IDENTITY:
        return inputs[0]
    if kind in _ACTIVATIONS:
        function = options.activation(layer, layer.activation if kind == "Activation" else layer)
        return place.add("Activation", inputs, shape, (function, {})) if function else inputs[0]
    if kind in _MERGES or kind == "Concatenate":
        return place.add(kind, inputs, shape, (options.merge(place, inputs, kind, shape), {}))
    made = _add_without_activation(place, kind, inputs, shape)
    function = options.activation(layer, getattr(layer, "activation", None))
    return place.add("Activation", [made], shape, (function, {}), function["function"]) if function else made


def _add_without_activation(place: Place, kind: str, inputs: Sequence[str], shape: Shape) -> str:
    found, weights = options.READERS[kind](place.layer, place.given(inputs[0]).shape)
    if kind != "SeparableConv2D":
        return place.add(kind, inputs, shape, (found, weights))
    first = {"kernel": weights.pop("depthwise_kernel")}
    inner = (*shape[:-1], first["kernel"].shape[-2] * first["kernel"].shape[-1])
    made = place.add("DepthwiseConv2D", inputs, inner, (found, first), "depthwise")
    point = {"strides": (1, 1), "padding": ((0, 0), (0, 0)), "dilation": (1, 1), "groups": 1}
    return place.add(
        "Conv2D", [made], shape, (point, {"kernel": weights.pop("pointwise_kernel"), **weights}), "pointwise"
    )


def _as_float(place: Place, name: str) -> str:
    """Return ``name``, or that of a new step that makes float32 of its integers, as Keras does where it computes."""
    value = place.given(name)
    return name if "float" in value.dtype else place.add("Cast", [name], value.shape, part="input")


def _kind(layer: Any) -> str:
    """Return the name of Keras' own layer, or of the operation that ``x + y`` of two tensors makes."""
    name = type(layer).__name__
    if not isinstance(layer, keras.layers.Layer) and name in _MERGES:
        return name
    if getattr(keras.layers, name, None) is not type(layer) or name not in SUPPORTED:
        refuse(layer, f"such layer; it has {', '.join(SUPPORTED)}")
    return name


def _check_call(layer: Any, call: Any, kind: str) -> None:
    """Refuse a call with further arguments, and options that no step has."""
    arguments = call.arguments
    # Keras replaces `training` by that of the outermost call.
    others = [
        key for key, value in arguments.kwargs.items() if key != "training" and value is not None and value is not False
    ]
    taken = keras.tree.flatten(arguments.args)
    if others or len(taken) != len(arguments.keras_tensors):
        refuse(layer, f"further arguments of a call, here {', '.join(others) or 'a constant'}")
    if not isinstance(layer, keras.layers.Layer):
        return
    if getattr(layer, "quantization_mode", None) or getattr(layer, "lora_enabled", False):
        refuse(layer, "quantized weights and no LoRA")
    if layer.compute_dtype not in ("float32", "float16", "bfloat16"):
        refuse(layer, f"arithmetic in {layer.compute_dtype}; it computes in float32")
    if getattr(layer, "data_format", None) == "channels_first":
        refuse(layer, "data_format='channels_first'")
    if kind in _IDENTITY:
        return
    for key, parameter in inspect.signature(type(layer).__init__).parameters.items():
        default = None if parameter.default is inspect.Parameter.empty else parameter.default
        value = getattr(layer, key, default)
        known = key in options.KNOWN.get(kind, ()) or key in ("activation", "use_bias", "data_format")
        if not known and not _TRAINING.fullmatch(key) and value != default and value not in (None, False):
            refuse(layer, f"{key}={value!r}")
