"""Layers that merge, activate and normalize, said in TF.js."""

import keras
import numpy as np

from study_keras.formats import tfjs_phrases as say
from study_keras.formats.tfjs_graph import Call, Tensor


def merge(call: Call) -> Tensor:
    call.take()
    if len(call.inputs) == 1:
        return call.x
    return say.merged(call, call.kind, *call.inputs)


def subtract(call: Call) -> Tensor:
    call.take()
    return say.merged(call, "Add", call.x, say.negative(call, call.inputs[1]))


def concatenate(call: Call) -> Tensor:
    axis = call.take("axis")["axis"]
    if len(call.inputs) == 1:
        return call.x
    axis = axis % len(call.shape)
    if axis == 0:
        call.refuse("Concatenate of batches", "use another axis")
    return call.say("Concatenate", call.inputs, call.shape, axis=axis)


def dot(call: Call) -> Tensor:
    options = call.take("axes", "normalize")
    ranks = [len(x.shape) for x in call.inputs]
    axes = options["axes"] if isinstance(options["axes"], (list, tuple)) else [options["axes"]] * 2
    axes = [axis % rank for axis, rank in zip(axes, ranks, strict=True)]
    if ranks not in ([2, 2], [3, 3]) or 0 in axes:
        call.refuse(f"Dot of ranks {ranks} over the axes {axes}", "use two inputs of rank 2 or two of rank 3")
    return call.say("Dot", call.inputs, call.shape, axes=axes, normalize=options["normalize"])


def activation(call: Call) -> Tensor:
    name = call.take("activation")["activation"]
    if not isinstance(name, str):
        call.refuse(f"activation {name!r}", "use a Keras activation by its name")
    if name == "linear":
        return call.say("Activation", call.x, activation="linear")
    return say.activation(call, call.x, name)


def relu(call: Call) -> Tensor:
    """max_value and negative_slope together are leaky(x) - relu(x - max_value)."""
    options = call.take("max_value", "negative_slope", "threshold")
    slope, top, threshold = (options[name] for name in ("negative_slope", "max_value", "threshold"))
    if threshold and (slope or top is not None):
        call.refuse("ReLU with a threshold and more", "leave negative_slope and max_value at their defaults")
    if threshold:
        return call.say("ThresholdedReLU", call.x, theta=float(threshold))
    if not slope:
        return say.relu(call, call.x, None if top is None else float(top))
    y = say.leaky_relu(call, call.x, float(slope))
    if top is None:
        return y
    over = say.relu(call, say.scaled(call, call.x, 1.0, -float(top)))
    return say.merged(call, "Add", y, say.negative(call, over))


def softmax(call: Call) -> Tensor:
    axis = call.take("axis")["axis"]
    if isinstance(axis, (list, tuple)):
        if len(axis) > 1:
            call.refuse(f"Softmax over the axes {axis}", "use a single axis")
        (axis,) = axis
    return softmax_over(call, axis)


def softmax_over(call: Call, axis: int) -> Tensor:
    order = [a for a in range(len(call.x.shape)) if a != axis % len(call.x.shape)] + [axis % len(call.x.shape)]
    if order[0] != 0:
        call.refuse("Softmax over the batch", "use another axis")
    y = say.activation(call, say.permute(call, call.x, order), "softmax")
    return say.permute(call, y, np.argsort(order).tolist())


def rescaling(call: Call) -> Tensor:
    options = call.take("scale", "offset")
    scale, offset = np.asarray(options["scale"]), np.asarray(options["offset"])
    if scale.size == offset.size == 1:
        return say.scaled(call, call.x, scale.item(), offset.item())
    return say.affine(call, call.x, scale=scale, offset=offset)


def normalization(call: Call) -> Tensor:
    """Subtract the mean and divide by the deviation: a Rescaling, or constants for each channel or value."""
    options = call.take("axis", "invert", "mean", "variance")
    call.used.update(id(value) for value in call.layer.weights)
    mean, variance = (np.asarray(value, "float64") for value in (call.layer.mean, call.layer.variance))
    deviation = np.maximum(np.sqrt(variance), keras.config.epsilon())
    mean, deviation = (value[0] if value.ndim > 1 else value for value in (mean, deviation))  # without the batch
    if mean.size == 1:
        mean, deviation = mean.ravel(), deviation.ravel()
        if options["invert"]:
            return say.scaled(call, call.x, deviation.item(), mean.item())
        return say.scaled(call, call.x, 1 / deviation.item(), -mean.item() / deviation.item())
    if options["invert"]:
        return say.affine(call, call.x, scale=deviation, offset=mean)
    return say.affine(call, call.x, mean=mean, scale=1 / deviation)


def batch_normalization(call: Call) -> Tensor:
    """TF.js has it for two to four axes, and trains it with both gamma and beta only."""
    options = call.take("axis", "epsilon", "center", "scale")
    axis = options.pop("axis") % len(call.x.shape)
    if call.graph.training and not (options["center"] and options["scale"]):
        call.refuse("training of it without center and scale", "use both or export without training=True")
    weights = {name: call.variable(name) for name in ("gamma", "beta", "moving_mean", "moving_variance")}
    order = [a for a in range(len(call.x.shape)) if a != axis] + [axis]
    x = say.permute(call, call.x, order)
    momentum = call.config["momentum"]
    y = say.batch_norm(call, x, weights, x.shape, momentum=momentum, **options)
    return say.permute(call, y, np.argsort(order).tolist())


def layer_normalization(call: Call) -> Tensor:
    options = call.take("axis", "epsilon", "center", "scale")
    axes = options["axis"] if isinstance(options["axis"], (list, tuple)) else [options["axis"]]
    options["axis"] = [axis % len(call.x.shape) for axis in axes]
    if len(call.x.shape) > 4 or 0 in options["axis"] or options["axis"] != sorted(options["axis"]):
        call.refuse(
            f"LayerNormalization over {axes} of {len(call.x.shape)} axes",
            "use at most 4 axes in ascending order",
        )
    weights = {name: call.variable(name) for name in ("gamma", "beta")}
    return call.say("LayerNormalization", call.x, call.shape, weights, **options)


def group_normalization(call: Call) -> Tensor:
    """Normalize (places, groups, channels of a group) over the first and last, then scale each channel."""
    options = call.take("groups", "axis", "epsilon", "center", "scale")
    shape, channels = call.x.shape, call.x.shape[-1]
    if options["axis"] % len(shape) != len(shape) - 1 or None in shape[1:]:
        call.refuse("GroupNormalization over another axis than the last or of unknown sizes", "put channels last")
    groups = channels if options["groups"] == -1 else options["groups"]
    x = say.reshape(call, call.x, (None, int(np.prod(shape[1:-1])), groups, channels // groups))
    x = call.say("LayerNormalization", x, axis=[1, 3], epsilon=options["epsilon"], center=False, scale=False)
    x = say.reshape(call, x, shape)
    gamma, beta = call.variable("gamma"), call.variable("beta")
    if gamma is None and beta is None:
        return x
    return say.affine(
        call,
        x,
        scale=1.0 if gamma is None else np.asarray(gamma),
        offset=0.0 if beta is None else np.asarray(beta),
    )
