"""The convolutions, said in TF.js. Channels come last here; see ``tfjs_layers.channels_last``."""

from typing import Any

import numpy as np

from study_keras.formats import tfjs_phrases as say
from study_keras.formats.tfjs_graph import Call, Tensor

CONV = ("kernel_size", "strides", "padding", "activation", "use_bias", "dilation_rate", "data_format")


def conv(call: Call) -> Tensor:
    """Conv1D, 2D and 3D; groups become one kernel with zeros, a causal padding becomes a ZeroPadding2D."""
    options = call.take("filters", "groups", *CONV)
    kernel, x = call.variable("kernel"), call.x
    if options.pop("groups") > 1:
        kernel = _ungrouped(np.asarray(kernel), x.shape[-1])
    if max(options["strides"]) > 1 and max(options["dilation_rate"]) > 1:
        kernel, options = _inflated(np.asarray(kernel), options)
    if options["padding"] == "causal":
        x = say.pad_or_crop_1d(
            call,
            x,
            "ZeroPadding2D",
            "padding",
            ((options["kernel_size"][0] - 1) * options["dilation_rate"][0], 0),
        )
        options["padding"] = "valid"
    if call.kind != "Conv3D":
        x, options = _without_same(call, x, options)
    weights = {"kernel": kernel, "bias": call.variable("bias")}
    return say.with_activation(call, call.kind, x, call.shape, weights, options)


def _without_same(call: Call, x: Tensor, options: dict[str, Any]) -> tuple[Tensor, dict[str, Any]]:
    """Pad beforehand where a kernel is smaller than its stride: there "same" goes wrong on TF.js' wasm."""
    sizes = list(zip(x.shape[1:-1], options["kernel_size"], options["strides"], strict=True))
    if options["padding"] != "same" or all(kernel >= stride for _, kernel, stride in sizes):
        return x, options
    ends = []
    for size, kernel, stride in sizes:
        if kernel > 1 and size is None:
            call.refuse("'same' padding of an unknown size with a kernel smaller than its stride", "use 'valid'")
        total = 0 if kernel == 1 or size is None else max((-(-size // stride) - 1) * stride + kernel - size, 0)
        ends.append((total // 2, total - total // 2))
    options = {**options, "padding": "valid"}
    if not any(map(sum, ends)):
        return x, options
    if len(ends) == 1:
        return say.pad_or_crop_1d(call, x, "ZeroPadding2D", "padding", ends[0]), options
    shape = [size and size + sum(end) for (size, _, _), end in zip(sizes, ends, strict=True)]
    return call.say("ZeroPadding2D", x, (None, *shape, x.shape[-1]), padding=ends), options


def _ungrouped(kernel: np.ndarray, channels: int) -> np.ndarray:
    """(*size, channels / groups, filters) -> (*size, channels, filters), zero between the groups."""
    inside, filters = kernel.shape[-2:]
    groups = channels // inside
    whole = np.zeros((*kernel.shape[:-2], channels, filters), kernel.dtype)
    for group in range(groups):
        rows = slice(group * inside, (group + 1) * inside)
        columns = slice(group * filters // groups, (group + 1) * filters // groups)
        whole[..., rows, columns] = kernel[..., columns]
    return whole


def _inflated(kernel: np.ndarray, options: dict[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
    """Write the dilation into the kernel, as zeros between its values."""
    rates = options["dilation_rate"]
    size = [(n - 1) * rate + 1 for n, rate in zip(options["kernel_size"], rates, strict=True)]
    whole = np.zeros((*size, *kernel.shape[-2:]), kernel.dtype)
    whole[tuple(slice(None, None, rate) for rate in rates)] = kernel
    return whole, {**options, "kernel_size": size, "dilation_rate": [1] * len(size)}


def conv_transpose(call: Call) -> Tensor:
    options = call.take("filters", *CONV)
    if set(options.pop("dilation_rate")) != {1}:
        call.refuse(f"{call.kind} with dilation_rate={call.config['dilation_rate']!r}", "use 1")
    weights = {"kernel": call.variable("kernel"), "bias": call.variable("bias")}
    if call.kind == "Conv3DTranspose":
        return _conv3d_transpose(call, weights, options)
    if call.kind == "Conv1DTranspose":
        return as_2d(call, "Conv2DTranspose", weights, options)
    return say.with_activation(call, call.kind, call.x, call.shape, weights, options)


def _conv3d_transpose(call: Call, weights: dict[str, Any], options: dict[str, Any]) -> Tensor:
    """Zeros between the values, then a Conv3D with the kernel turned round: TF.js' own is wrong on wasm."""
    x = call.x
    strides, same_size = options["strides"], options["padding"] == "same"
    for axis, (kernel, stride) in enumerate(zip(options["kernel_size"], strides, strict=True), start=1):
        size, after = x.shape[axis], call.shape[axis]
        if size is None or after is None:
            call.refuse("Conv3DTranspose of an unknown size", "fix the sizes of the input")
        before = kernel - 1 - (max(kernel - stride, 0) // 2 if same_size else 0)
        matrix = np.zeros((size, after + kernel - 1))
        matrix[np.arange(size), before + stride * np.arange(size)] = 1
        x = say.along_axis(call, x, axis, matrix)
    kernel = np.asarray(weights["kernel"])[::-1, ::-1, ::-1].swapaxes(3, 4).copy()
    options = {**options, "strides": [1, 1, 1], "padding": "valid"}
    return say.with_activation(call, "Conv3D", x, call.shape, {**weights, "kernel": kernel}, options)


def depthwise(call: Call) -> Tensor:
    """DepthwiseConv: TF.js forgets the dilation, so it goes into the kernel."""
    options = call.take("depth_multiplier", *CONV)
    kernel = call.variable("kernel")
    if max(options["dilation_rate"]) > 1:
        kernel, options = _inflated(np.asarray(kernel), options)
    weights = {"depthwise_kernel": kernel, "bias": call.variable("bias")}
    if call.kind == "DepthwiseConv1D":
        return as_2d(call, "DepthwiseConv2D", weights, options)
    x, options = _without_same(call, call.x, options)
    return say.with_activation(call, call.kind, x, call.shape, weights, options)


def separable(call: Call) -> Tensor:
    options = call.take("filters", "depth_multiplier", *CONV)
    weights = {name: call.variable(name) for name in ("depthwise_kernel", "pointwise_kernel", "bias")}
    if max(options["dilation_rate"]) > 1:
        weights["depthwise_kernel"], options = _inflated(np.asarray(weights["depthwise_kernel"]), options)
    if call.kind == "SeparableConv1D":
        return as_2d(call, "SeparableConv2D", weights, options)
    x, options = _without_same(call, call.x, options)
    return say.with_activation(call, call.kind, x, call.shape, weights, options)


def as_2d(call: Call, class_name: str, weights: dict[str, Any], options: dict[str, Any]) -> Tensor:
    """A one-dimensional convolution as the two-dimensional one over an image of width 1."""
    square = class_name != "Conv2DTranspose"  # TF.js wants both strides of the others the same
    for name in ("kernel_size", "strides", "dilation_rate"):
        if name in options:
            (size,) = options[name]
            options = {**options, name: [size, size if square and name == "strides" else 1]}
    name, options = options["activation"], {**options, "activation": "linear"}
    weights = {key: np.asarray(value)[:, None] if "kernel" in key else value for key, value in weights.items()}
    x = say.reshape(call, call.x, (None, call.x.shape[1], 1, call.x.shape[2]))
    if square:
        x, options = _without_same(call, x, options)
    y = say.with_activation(call, class_name, x, (None, call.shape[1], 1, call.shape[2]), weights, options)
    return say.activation(call, say.reshape(call, y, call.shape), name)
