"""The layers that TF.js has with the same meaning as Keras, their options and weights.

Every option that a row does not name must have its default. Models with other layers become graph models.
"""

from typing import NamedTuple


class Row(NamedTuple):
    """The options (in Keras' spelling) and weights of TF.js' layer of the same name."""

    options: tuple[str, ...] = ()
    weights: tuple[str, ...] = ()
    passes_mask: bool = False


_CONV = ("filters", "kernel_size", "strides", "padding", "dilation_rate", "activation", "use_bias")
_POOL = ("pool_size", "strides", "padding")
_SIMPLE = ("units", "activation", "use_bias", "return_sequences", "return_state", "go_backwards")
_RECURRENT = (*_SIMPLE, "recurrent_activation")
_GATES = ("kernel", "recurrent_kernel", "bias")
LAYERS: dict[str, Row] = {
    "Activation": Row(("activation",), passes_mask=True),
    "Add": Row(),
    "AlphaDropout": Row(("rate", "noise_shape"), passes_mask=True),
    "Average": Row(),
    "AveragePooling1D": Row(_POOL),
    "AveragePooling2D": Row(_POOL),
    "BatchNormalization": Row(
        ("axis", "momentum", "epsilon", "center", "scale"), ("gamma", "beta", "moving_mean", "moving_variance"), True
    ),
    "Bidirectional": Row(("merge_mode",)),
    "Concatenate": Row(("axis",)),
    "Conv1D": Row(_CONV, ("kernel", "bias")),
    "Conv2D": Row(_CONV, ("kernel", "bias")),
    "Conv2DTranspose": Row(_CONV, ("kernel", "bias")),
    "Conv3D": Row(_CONV, ("kernel", "bias")),
    "Cropping2D": Row(("cropping",)),
    "Dense": Row(("units", "activation", "use_bias"), ("kernel", "bias"), True),
    "DepthwiseConv2D": Row(("depth_multiplier", *_CONV[1:]), ("kernel", "bias")),
    "Dot": Row(("axes", "normalize")),
    "Dropout": Row(("rate", "noise_shape"), passes_mask=True),
    "ELU": Row(("alpha",)),
    "Embedding": Row(("input_dim", "output_dim", "mask_zero"), ("embeddings",)),
    "Flatten": Row(),
    "GRU": Row((*_RECURRENT, "reset_after"), _GATES),
    "GaussianDropout": Row(("rate",), passes_mask=True),
    "GaussianNoise": Row(("stddev",), passes_mask=True),
    "GlobalAveragePooling1D": Row(),
    "GlobalAveragePooling2D": Row(),
    "GlobalMaxPooling1D": Row(),
    "GlobalMaxPooling2D": Row(),
    "LSTM": Row(_RECURRENT, _GATES),
    "LayerNormalization": Row(("axis", "epsilon", "center", "scale"), ("gamma", "beta"), True),
    "LeakyReLU": Row(("negative_slope",)),
    "Masking": Row(("mask_value",), passes_mask=True),
    "MaxPooling1D": Row(_POOL),
    "MaxPooling2D": Row(_POOL),
    "Maximum": Row(),
    "Minimum": Row(),
    "Multiply": Row(),
    "PReLU": Row(("shared_axes",), ("alpha",)),
    "Permute": Row(("dims",)),
    "ReLU": Row(("max_value",)),
    "RepeatVector": Row(("n",)),
    "Rescaling": Row(("scale", "offset")),
    "Reshape": Row(("target_shape",)),
    "SeparableConv2D": Row(("depth_multiplier", *_CONV), ("depthwise_kernel", "pointwise_kernel", "bias")),
    "SimpleRNN": Row(_SIMPLE, _GATES),
    "Softmax": Row(("axis",)),
    "SpatialDropout1D": Row(("rate",), passes_mask=True),
    "TimeDistributed": Row(),
    "UpSampling2D": Row(("size", "interpolation")),
    "ZeroPadding2D": Row(("padding",)),
}
RECURRENT = {"Bidirectional", "GRU", "LSTM", "SimpleRNN"}
OPERATIONS = {"Add", "Maximum", "Minimum", "Multiply"}  # x + y of two tensors is the layer Add, and so on
SEVERAL_INPUTS = {*OPERATIONS, "Average", "Concatenate", "Dot"}
