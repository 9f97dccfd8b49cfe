"""What TF.js has no word for, said exactly with the layers that it has."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from study_keras.formats.tfjs_graph import Call, Shape, Tensor

# Keras' name -> the name that TF.js reads, for the functions that are the same on both sides.
ACTIVATIONS = {
    **{
        name: name
        for name in [
            "elu",
            "gelu",
            "linear",
            "mish",
            "relu",
            "relu6",
            "selu",
            "sigmoid",
            "softmax",
            "softplus",
            "softsign",
            "tanh",
        ]
    },
    "log_softmax": "log_softmax",
    "silu": "swish",
    "swish": "swish",
    "celu": "elu",  # at its default alpha of 1
}


def permute(call: Call, x: Tensor, order: Sequence[int]) -> Tensor:
    """Move axis ``order[i]`` to axis ``i``; ``order`` counts the batch, which stays first."""
    if list(order) == list(range(len(x.shape))):
        return x
    return call.say("Permute", x, [x.shape[axis] for axis in order], dims=list(order[1:]))


def reshape(call: Call, x: Tensor, shape: Sequence[Any]) -> Tensor:
    """Give ``x`` the shape ``shape``, batch included, in which one further size may be unknown."""
    shape = tuple(shape)
    if shape == x.shape and None not in shape[1:]:
        return x
    if shape.count(None) > 2:
        call.refuse(f"Reshape to {shape} with several unknown sizes", "fix the sizes of the input")
    return call.say("Reshape", x, shape, target_shape=[-1 if size is None else size for size in shape[1:]])


def scaled(call: Call, x: Tensor, scale: float, offset: float = 0.0) -> Tensor:
    """``x * scale + offset``, of floats also where ``x`` holds integers."""
    return call.say("Rescaling", x, scale=float(scale), offset=float(offset))._replace(integer=False)


def affine(
    call: Call,
    x: Tensor,
    *,
    mean: np.ndarray | float = 0.0,
    scale: np.ndarray | float = 1.0,
    offset: np.ndarray | float = 0.0,
) -> Tensor:
    """``(x - mean) * scale + offset`` with constants that broadcast against ``x`` without the batch."""
    if call.graph.training:  # a BatchNormalization in training would take the statistics of the batch
        call.refuse("constants for each channel that training leaves alone", "export without training=True")
    x = scaled(call, x, 1.0) if x.integer else x
    parts = [np.asarray(part, "float32") for part in (mean, scale, offset)]
    shape = x.shape
    if any(part.ndim > 1 and max(part.shape[:-1]) > 1 for part in parts):  # not one number a channel
        if None in shape[1:]:
            call.refuse("constants over axes of unknown size", "fix the sizes of the input")
        parts = [np.broadcast_to(part, shape[1:]) for part in parts]
        x = reshape(call, x, (None, int(np.prod(shape[1:]))))
    mean, scale, offset = (np.broadcast_to(part.ravel(), x.shape[-1:]).copy() for part in parts)
    weights = {"gamma": scale, "beta": offset, "moving_mean": mean, "moving_variance": np.ones_like(mean)}
    return batch_norm(call, x, weights, shape, epsilon=0.0)


def batch_norm(call: Call, x: Tensor, weights: dict[str, Any], shape: Shape, **config: Any) -> Tensor:
    """A BatchNormalization over the last axis; TF.js has it for two to four axes only."""
    if len(x.shape) > 4:
        places = None if None in x.shape[1:-1] else int(np.prod(x.shape[1:-1]))
        x = reshape(call, x, (None, places, x.shape[-1]))
    return reshape(call, call.say("BatchNormalization", x, weights=weights, axis=-1, **config), shape)


def along_axis(call: Call, x: Tensor, axis: int, matrix: np.ndarray) -> Tensor:
    """Multiply one axis of ``x`` by ``matrix`` (size before, size after): any linear map is a Dense layer."""
    if x.shape[axis] is None:
        call.refuse(f"such map of axis {axis}, whose size is unknown", "fix the sizes of the input")
    order = [a for a in range(len(x.shape)) if a != axis] + [axis]
    x = permute(call, scaled(call, x, 1.0) if x.integer else x, order)
    weights = {"kernel": np.asarray(matrix, "float32")}
    x = call.say("Dense", x, (*x.shape[:-1], matrix.shape[1]), weights, units=matrix.shape[1], use_bias=False)
    return permute(call, x, np.argsort(order).tolist())


def negative(call: Call, x: Tensor) -> Tensor:
    return scaled(call, x, -1.0)


def relu(call: Call, x: Tensor, max_value: float | None = None) -> Tensor:
    return call.say("ReLU", x, max_value=max_value)


def merged(call: Call, class_name: str, *inputs: Tensor) -> Tensor:
    """Add, Multiply, Maximum or Minimum of tensors of one rank, which broadcast as in NumPy."""
    if len({len(x.shape) for x in inputs}) > 1:
        call.refuse(f"{class_name} of different ranks {[x.shape for x in inputs]}", "reshape the smaller one")
    sizes = [[size for size in axis if size != 1] or [1] for axis in zip(*(x.shape for x in inputs), strict=True)]
    return call.say(class_name, inputs, [None if None in axis else axis[0] for axis in sizes])


def activation(call: Call, x: Tensor, name: str) -> Tensor:
    """The activation of that Keras name, whatever TF.js calls it."""
    if name == "linear":
        return x
    if name in ACTIVATIONS:
        return call.say("Activation", x, activation=ACTIVATIONS[name])
    if name not in COMPOSED:
        call.refuse(f"activation {name!r}", f"use one of {', '.join(sorted([*ACTIVATIONS, *COMPOSED]))}")
    return COMPOSED[name](call, x)


def leaky_relu(call: Call, x: Tensor, slope: float) -> Tensor:
    return call.say("LeakyReLU", x, alpha=slope)


def elu(call: Call, x: Tensor, alpha: float) -> Tensor:
    """alpha * elu(x) + (1 - alpha) * relu(x), since TF.js has alpha 1 alone."""
    one = call.say("Activation", x, activation="elu")
    if alpha == 1:
        return one
    return merged(call, "Add", scaled(call, one, alpha), scaled(call, relu(call, x), 1 - alpha))


def gelu_tanh(call: Call, x: Tensor) -> Tensor:
    """The approximate gelu: 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))."""
    cube = merged(call, "Multiply", x, x, x)
    inner = merged(call, "Add", x, scaled(call, cube, 0.044715))
    tanh = activation(call, scaled(call, inner, float(np.sqrt(2 / np.pi))), "tanh")
    return merged(call, "Multiply", x, scaled(call, tanh, 0.5, 0.5))


def clipped(call: Call, x: Tensor, low: float, high: float) -> Tensor:
    return scaled(call, relu(call, scaled(call, x, 1.0, -low), high - low), 1.0, low)


def hard_sigmoid(call: Call, x: Tensor) -> Tensor:
    """clip(x / 6 + 0.5, 0, 1); TF.js' own hard_sigmoid has the slope 0.2 of Keras 2."""
    return relu(call, scaled(call, x, 1 / 6, 0.5), 1.0)


def shrink(call: Call, x: Tensor, part: Callable[[Tensor], Tensor]) -> Tensor:
    """part(x) - part(-x)."""
    return merged(call, "Add", part(x), negative(call, part(negative(call, x))))


COMPOSED: dict[str, Callable[[Call, Tensor], Tensor]] = {
    "leaky_relu": lambda call, x: leaky_relu(call, x, 0.2),
    "hard_sigmoid": hard_sigmoid,
    "hard_silu": lambda call, x: merged(call, "Multiply", x, hard_sigmoid(call, x)),
    "hard_swish": lambda call, x: merged(call, "Multiply", x, hard_sigmoid(call, x)),
    "hard_tanh": lambda call, x: clipped(call, x, -1.0, 1.0),
    "log_sigmoid": lambda call, x: negative(call, activation(call, negative(call, x), "softplus")),
    "tanh_shrink": lambda call, x: merged(call, "Add", x, negative(call, activation(call, x, "tanh"))),
    "soft_shrink": lambda call, x: shrink(call, x, lambda y: relu(call, scaled(call, y, 1.0, -0.5))),
    "hard_shrink": lambda call, x: shrink(call, x, lambda y: call.say("ThresholdedReLU", y, theta=0.5)),
    "sparse_sigmoid": lambda call, x: relu(call, scaled(call, x, 0.5, 0.5), 1.0),
}


def with_activation(  # noqa: PLR0917
    call: Call, class_name: str, inputs: Any, shape: Any, weights: dict[str, Any], options: dict[str, Any]
) -> Tensor:
    """A TF.js layer with an activation, which comes apart where TF.js lacks it."""
    name = options.get("activation", "linear")
    if not isinstance(name, str):
        call.refuse(f"activation {name!r}", "use a Keras activation by its name")
    known = name in ACTIVATIONS
    if "activation" in options:
        options = {**options, "activation": ACTIVATIONS[name] if known else "linear"}
    x = call.say(class_name, inputs, shape, weights, **options)
    return x if known else activation(call, x, name)


def pad_or_crop_1d(call: Call, x: Tensor, class_name: str, option: str, ends: tuple[int, int]) -> Tensor:
    """(n, time, channels) as an image of width 1, whose time may be of unknown size."""
    length = None if x.shape[1] is None else x.shape[1] + (sum(ends) if option == "padding" else -sum(ends))
    image = reshape(call, x, (None, x.shape[1], 1, x.shape[2]))
    image = call.say(class_name, image, (None, length, 1, x.shape[2]), None, **{option: [list(ends), [0, 0]]})
    return reshape(call, image, (None, length, x.shape[2]))
