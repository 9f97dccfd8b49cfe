"""How each Keras layer is said in TF.js: the table LAYERS at the end.

Every option that a translation does not ask for by name must be at its default, or the layer is refused.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from study_keras.formats import tfjs_arithmetic as arithmetic
from study_keras.formats import tfjs_conv as conv
from study_keras.formats import tfjs_phrases as say
from study_keras.formats import tfjs_shapes as shapes
from study_keras.formats.tfjs_graph import Call, Tensor
from study_keras.formats.tfjs_recurrent import RECURRENT

Translation = Callable[[Call], Tensor | list[Tensor]]


def same(*options: str, weights: tuple[str, ...] = (), **fixed: Any) -> Translation:
    """The TF.js layer of the same name, options and weights, its activation apart where TF.js lacks that."""

    def translate(call: Call) -> Tensor:
        values = {name: call.variable(name) for name in weights}
        return say.with_activation(call, call.kind, call.inputs, call.shape, values, {**call.take(*options), **fixed})

    return translate


def channels_last(translate: Translation, spatial: int | None = None) -> Translation:
    """Let ``translate`` see the channels last; TF.js' own channels_first is wrong in several layers."""

    def translated(call: Call) -> Tensor | list[Tensor]:
        if call.config.get("data_format") != "channels_first":
            return translate(call)
        if call.config.get("activation") in ("softmax", "log_softmax"):
            call.refuse("softmax over the last axis with channels_first", "put it into a layer of its own")
        axes = len(call.x.shape) - 2 if spatial is None else spatial
        config = {**call.config, "data_format": "channels_last"}
        shape = tuple(call.shape[axis] for axis in _order(len(call.shape), axes))
        x = say.permute(call, call.x, _order(len(call.x.shape), axes))
        inner = replace(call, inputs=[x], config=config, shapes=[shape])
        y = translate(inner)
        call.said, call.named = inner.said, inner.named
        if isinstance(y, Tensor) and len(y.shape) >= axes + 2:
            return say.permute(call, y, np.argsort(_order(len(y.shape), axes)).tolist())
        return y

    return translated


def _order(rank: int, spatial: int) -> list[int]:
    """The axes of a channels_first tensor in channels_last order; unchanged without a spatial axis."""
    if rank < spatial + 2:
        return list(range(rank))
    channel = rank - spatial - 1
    return [*range(channel), *range(channel + 1, rank), channel]


def embedding(call: Call) -> Tensor:
    options = call.take("input_dim", "output_dim", "mask_zero")
    return call.say("Embedding", call.x, call.shape, {"embeddings": call.variable("embeddings")}, **options)


def inactive(*options: str, kept_as: str | None = None) -> Translation:
    """A layer that does nothing at inference: kept where TF.js has it, left out otherwise."""

    def translate(call: Call) -> Tensor:
        values = call.take(*options) if kept_as else {}
        if kept_as and not call.graph.each_step:
            return call.say(kept_as, call.x, **values)
        if call.graph.training and call.kind != "Identity":
            call.refuse(f"{call.kind} in training", "export without training=True")
        return call.x

    return translate


def spatial_dropout(call: Call) -> Tensor:
    axes = len(call.x.shape) - 2
    first = call.config.get("data_format") == "channels_first"
    shape = [None, None, *[1] * axes] if first else [None, *[1] * axes, None]
    return call.say("Dropout", call.x, rate=call.take("rate", "data_format")["rate"], noise_shape=shape)


def category_encoding(call: Call) -> Tensor:
    options = call.take("num_tokens", "output_mode")
    if len(call.x.shape) != 2 or (options["output_mode"] == "one_hot" and call.x.shape[1] != 1):
        call.refuse(f"CategoryEncoding of shape {call.x.shape}", "use (batch, length), for one_hot (batch, 1)")
    # TF.js' CategoryEncoding overwrites the shape of the tensor it gets, which must not be that of an input.
    x = call.say("Reshape", call.x, target_shape=call.x.shape[1:])
    return call.say("CategoryEncoding", x, call.shape, **options)._replace(integer=False)


def einsum_dense(call: Call) -> Tensor:
    """Dense, wherever the last axes of the input meet the first ones of the kernel in their order."""
    options = call.take("equation", "output_shape", "activation", "bias_axes")
    left, out = options["equation"].replace("...", "").split("->")
    x_axes, kernel_axes = left.split(",")
    met = [axis for axis in x_axes if axis not in out]
    new = [axis for axis in kernel_axes if axis not in x_axes]
    kept = [axis for axis in x_axes if axis in out]
    bias_axes = list(options["bias_axes"] or new)
    if not met or "".join(met + new) != kernel_axes or "".join(kept + met) != x_axes or "".join(kept + new) != out:
        call.refuse(f"EinsumDense of the equation {options['equation']!r}", "use Dense, Permute and Reshape")
    if bias_axes != new:
        call.refuse(f"EinsumDense with bias_axes={options['bias_axes']!r}", f"use {''.join(new)!r}")
    kernel, bias = call.layer.kernel, call.layer.bias
    call.used.update(id(value) for value in (kernel, bias))
    inside = int(np.prod(kernel.shape[: len(met)]))
    matrix = np.asarray(kernel).reshape(inside, -1)
    weights = {"kernel": matrix, "bias": None if bias is None else np.asarray(bias).ravel()}
    x = say.reshape(call, call.x, (*call.x.shape[: len(call.x.shape) - len(met)], inside))
    shape = (*x.shape[:-1], matrix.shape[1])
    y = call.say("Dense", x, shape, weights, units=shape[-1], use_bias=bias is not None)
    return say.activation(call, say.reshape(call, y, call.shape), options["activation"] or "linear")


POOLS = {f"{kind}Pooling{rank}D": channels_last(shapes.pool) for kind in ("Average", "Max") for rank in (1, 2, 3)}
GLOBAL_POOLS = {
    f"Global{kind}Pooling{rank}D": channels_last(shapes.global_pool)
    for kind in ("Average", "Max")
    for rank in (1, 2, 3)
}
RANDOM = [
    name
    for name in dir(keras.layers)
    if (name.startswith("Random") and name != "RandomCrop")  # which crops at inference too
    or name in ("AugMix", "AutoContrast", "CutMix", "MixUp", "RandAugment")
]
LAYERS: Mapping[str, Translation] = {
    **POOLS,
    **GLOBAL_POOLS,
    **RECURRENT,
    "ConvLSTM1D": channels_last(RECURRENT["ConvLSTM1D"], spatial=1),
    "ConvLSTM2D": channels_last(RECURRENT["ConvLSTM2D"], spatial=2),
    "Activation": arithmetic.activation,
    "ActivityRegularization": inactive(),
    "AdaptiveAveragePooling1D": channels_last(shapes.adaptive_pool),
    "AdaptiveAveragePooling2D": channels_last(shapes.adaptive_pool),
    "AdaptiveAveragePooling3D": channels_last(shapes.adaptive_pool),
    "Add": arithmetic.merge,
    "AlphaDropout": inactive("rate", "noise_shape", kept_as="AlphaDropout"),
    "Average": arithmetic.merge,
    "BatchNormalization": arithmetic.batch_normalization,
    "CategoryEncoding": category_encoding,
    "CenterCrop": channels_last(shapes.center_crop),
    "Concatenate": arithmetic.concatenate,
    "Conv1D": channels_last(conv.conv),
    "Conv1DTranspose": channels_last(conv.conv_transpose),
    "Conv2D": channels_last(conv.conv),
    "Conv2DTranspose": channels_last(conv.conv_transpose),
    "Conv3D": channels_last(conv.conv),
    "Conv3DTranspose": channels_last(conv.conv_transpose),
    "Cropping1D": shapes.pad_or_crop,
    "Cropping2D": channels_last(shapes.pad_or_crop),
    "Cropping3D": channels_last(shapes.pad_or_crop),
    "Dense": same("units", "activation", "use_bias", weights=("kernel", "bias")),
    "DepthwiseConv1D": channels_last(conv.depthwise),
    "DepthwiseConv2D": channels_last(conv.depthwise),
    "Dot": arithmetic.dot,
    "Dropout": inactive("rate", "noise_shape", kept_as="Dropout"),
    "ELU": lambda call: say.elu(call, call.x, float(call.take("alpha")["alpha"])),
    "EinsumDense": einsum_dense,
    "Embedding": embedding,
    "Flatten": channels_last(shapes.flatten),
    "GaussianDropout": inactive("rate", kept_as="GaussianDropout"),
    "GaussianNoise": inactive("stddev", kept_as="GaussianNoise"),
    "GroupNormalization": arithmetic.group_normalization,
    "Identity": inactive(),
    "LayerNormalization": arithmetic.layer_normalization,
    "LeakyReLU": lambda call: say.leaky_relu(call, call.x, call.take("negative_slope")["negative_slope"]),
    "Masking": same("mask_value"),
    "Maximum": arithmetic.merge,
    "Minimum": arithmetic.merge,
    "Multiply": arithmetic.merge,
    "Normalization": arithmetic.normalization,
    "PReLU": same("shared_axes", weights=("alpha",)),
    "Permute": same("dims"),
    "ReLU": arithmetic.relu,
    "RepeatVector": same("n"),
    "Rescaling": arithmetic.rescaling,
    "Reshape": shapes.reshape,
    "Resizing": channels_last(shapes.resizing),
    "SeparableConv1D": channels_last(conv.separable),
    "SeparableConv2D": channels_last(conv.separable),
    "Softmax": arithmetic.softmax,
    "SpatialDropout1D": inactive("rate", kept_as="SpatialDropout1D"),
    "SpatialDropout2D": spatial_dropout,
    "SpatialDropout3D": spatial_dropout,
    "Subtract": arithmetic.subtract,
    "UpSampling1D": shapes.up_sampling,
    "UpSampling2D": channels_last(shapes.up_sampling),
    "UpSampling3D": channels_last(shapes.up_sampling),
    "ZeroPadding1D": channels_last(shapes.pad_or_crop),
    "ZeroPadding2D": channels_last(shapes.pad_or_crop),
    "ZeroPadding3D": channels_last(shapes.pad_or_crop),
    **{name: inactive() for name in RANDOM},
}
