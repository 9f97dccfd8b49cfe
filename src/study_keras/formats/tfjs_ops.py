"""How an operation between layers, such as ``a + b`` or ``keras.ops.mean(x, axis=1)``, is said in TF.js."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from study_keras.formats import tfjs_phrases as say
from study_keras.formats.tfjs_graph import Call, Tensor


def constant(call: Call, value: Any) -> np.ndarray:
    """Return a constant operand; refuse one with a batch of its own."""
    array = np.asarray(value, "float32")
    if array.ndim >= len(call.x.shape) and array.shape[0] != 1:
        call.refuse(f"constant with a batch, of shape {array.shape},", "use one without")
    array = array[0] if array.ndim >= len(call.x.shape) else array
    if np.broadcast_shapes(array.shape, tuple(size or 1 for size in call.x.shape[1:])) != tuple(
        size or 1 for size in call.x.shape[1:]
    ):
        call.refuse(f"constant of shape {array.shape} that widens the tensor", "repeat the tensor first")
    return array


def linear(call: Call, x: Tensor, scale: np.ndarray, offset: np.ndarray) -> Tensor:
    if scale.size == offset.size == 1:
        return say.scaled(call, x, scale.item(), offset.item())
    return say.affine(call, x, scale=scale, offset=offset)


def operands(call: Call) -> tuple[Tensor | np.ndarray, Tensor | np.ndarray]:
    left, right = (arg if isinstance(arg, Tensor) else constant(call, arg) for arg in call.args)
    return left, right


def add(call: Call, sign: float = 1.0) -> Tensor:
    """a + b, or a - b with the sign -1."""
    left, right = operands(call)
    one = np.float32(1)
    if isinstance(left, Tensor) and isinstance(right, Tensor):
        return say.merged(call, "Add", left, right if sign == 1 else say.negative(call, right))
    if isinstance(left, Tensor):
        return linear(call, left, np.asarray(one), np.asarray(right) * sign)
    return linear(call, call.x, np.asarray(one * sign), np.asarray(left))


def multiply(call: Call) -> Tensor:
    left, right = operands(call)
    if isinstance(left, Tensor) and isinstance(right, Tensor):
        return say.merged(call, "Multiply", left, right)
    factor = right if isinstance(left, Tensor) else left
    return linear(call, call.x, np.asarray(factor), np.zeros((), "float32"))


def divide(call: Call) -> Tensor:
    left, right = operands(call)
    if not isinstance(left, Tensor) or isinstance(right, Tensor):
        call.refuse("division by a tensor", "multiply by the reciprocal of a constant")
    return linear(call, left, 1 / right.astype("float64"), np.zeros((), "float32"))


def power(call: Call) -> Tensor:
    exponent = 2 if call.kind == "Square" else call.args[1]
    if isinstance(exponent, Tensor) or np.asarray(exponent).size != 1 or exponent not in (1, 2, 3, 4):
        call.refuse(f"power {exponent!r}", "use 1, 2, 3 or 4")
    return call.x if exponent == 1 else say.merged(call, "Multiply", *[call.x] * int(exponent))


def extreme(call: Call) -> Tensor:
    """max(x, c) = relu(x - c) + c and min(x, c) = c - relu(c - x)."""
    left, right = operands(call)
    if isinstance(left, Tensor) and isinstance(right, Tensor):
        return say.merged(call, call.kind, left, right)
    number = np.asarray(right if isinstance(left, Tensor) else left)
    if number.size != 1:
        call.refuse(f"{call.kind} with a constant of shape {number.shape}", "use a single number")
    sign, limit = (1.0 if call.kind == "Maximum" else -1.0), number.item()
    x = say.relu(call, say.scaled(call, call.x, sign, -sign * limit))
    return say.scaled(call, x, sign, limit)


def clip(call: Call) -> Tensor:
    low, high = (call.take("x_min", "x_max")[name] for name in ("x_min", "x_max"))
    if np.asarray(low).size != 1 or np.asarray(high).size != 1 or low >= high:
        call.refuse(f"clip between {low!r} and {high!r}", "use two ascending numbers")
    return say.clipped(call, call.x, float(low), float(high))


def axes_of(call: Call, axis: Any) -> list[int]:
    rank = len(call.x.shape)
    axes = list(range(rank)) if axis is None else [axis] if isinstance(axis, int) else list(axis)
    axes = sorted(a % rank for a in axes)
    if 0 in axes:
        call.refuse(f"{call.kind} over the batch", "use another axis")
    return axes


def reduce(call: Call) -> Tensor:
    """Mean, sum and max over any axes, as a global pooling over one long axis."""
    options = call.take("axis", "keepdims")
    axes = axes_of(call, options["axis"])
    kept = [axis for axis in range(len(call.x.shape)) if axis not in axes]
    shape = call.x.shape
    if any(shape[axis] is None for axis in kept[1:]) or [shape[axis] for axis in axes].count(None) > 1:
        call.refuse(f"{call.kind} of unknown sizes", "fix the sizes of the input")
    long = None if None in [shape[axis] for axis in axes] else int(np.prod([shape[axis] for axis in axes]))
    if call.kind == "Sum" and long is None:
        call.refuse("sum over an axis of unknown size", "fix the sizes of the input")
    rest = int(np.prod([shape[axis] for axis in kept[1:]]))
    x = say.reshape(call, say.permute(call, call.x, [0, *axes, *kept[1:]]), (None, long, rest))
    pool = "GlobalMaxPooling1D" if call.kind == "Max" else "GlobalAveragePooling1D"
    x = call.say(pool, x, (None, rest))
    x = say.scaled(call, x, long or 0) if call.kind == "Sum" else x
    return say.reshape(call, x, call.shape)


def transpose(call: Call) -> Tensor:
    rank = len(call.x.shape)
    if call.kind == "Swapaxes":
        pair = [axis % rank for axis in call.take("axis1", "axis2").values()]
        order = list(range(rank))
        order[pair[0]], order[pair[1]] = pair[1], pair[0]
    else:
        order = [axis % rank for axis in call.take("axes")["axes"] or range(rank - 1, -1, -1)]
    if order[0] != 0:
        call.refuse("transpose of the batch", "keep axis 0 first")
    return say.permute(call, call.x, order)


def reshape(call: Call) -> Tensor:
    """Reshape, ExpandDims and Squeeze, as long as the batch stays what it is."""
    options = call.take("newshape", "axis", "order")
    if options.get("order", "C") != "C":
        call.refuse(f"reshape in the order {options['order']!r}", "use 'C'")
    sizes = options.get("newshape")
    if sizes is not None and sizes[0] not in (-1, None):
        call.refuse(f"reshape to {sizes}, which changes the batch", "use (-1, ...)")
    known = None not in call.x.shape[1:]
    if (known and None in call.shape[1:]) or (sizes is None and axes_of(call, options["axis"]) == [0]):
        call.refuse(f"reshape to {call.shape}, which changes the batch", "keep axis 0 first")
    if known and int(np.prod(call.shape[1:])) != int(np.prod(call.x.shape[1:])):
        call.refuse(f"reshape to {call.shape}, which changes the batch", "keep axis 0 first")
    return say.reshape(call, call.x, call.shape)


def concatenate(call: Call) -> Tensor:
    axis = call.take("axis")["axis"] % len(call.shape)
    if axis == 0:
        call.refuse("concatenation of batches", "use another axis")
    inputs = call.inputs
    if call.kind == "Stack":
        inputs = [say.reshape(call, x, (*x.shape[:axis], 1, *x.shape[axis:])) for x in inputs]
    return inputs[0] if len(inputs) == 1 else call.say("Concatenate", inputs, call.shape, axis=axis)


def get_item(call: Call) -> Tensor:
    """Slices and whole numbers, each of them a linear map of its axis."""
    keys = list(call.args[1]) if isinstance(call.args[1], (list, tuple)) else [call.args[1]]
    if Ellipsis in keys:
        at = keys.index(Ellipsis)
        keys[at : at + 1] = [slice(None)] * (len(call.x.shape) - len(keys) + 1)
    if keys[0] != slice(None) or not all(isinstance(key, (int, slice)) for key in keys):
        call.refuse(f"index {keys}", "use whole numbers and slices, and [:] for the batch")
    x = call.x
    for axis, key in enumerate(keys):
        if key != slice(None):
            if x.shape[axis] is None:
                call.refuse(f"index of axis {axis}, whose size is unknown", "fix the sizes of the input")
            columns = np.arange(x.shape[axis])[key if isinstance(key, slice) else [key]]
            x = say.along_axis(call, x, axis, np.eye(x.shape[axis])[:, columns])
    return say.reshape(call, x, call.shape)


def matmul(call: Call) -> Tensor:
    """A tensor times a constant matrix."""
    left, right = call.args
    matrix = None if isinstance(right, Tensor) else np.asarray(right, "float32")
    if not isinstance(left, Tensor) or matrix is None or matrix.ndim != 2:
        call.refuse("matmul of two tensors", "use keras.layers.Dot")
    return say.along_axis(call, left, len(left.shape) - 1, matrix)


def softmax(call: Call) -> Tensor:
    axis = call.take("axis")["axis"]
    if axis not in (-1, len(call.x.shape) - 1):
        call.refuse(f"{call.kind} over axis {axis}", "use the last axis or keras.layers.Softmax")
    return say.activation(call, call.x, "softmax" if call.kind == "Softmax" else "log_softmax")


def cast(call: Call) -> Tensor:
    if call.take("dtype")["dtype"] != "float32":
        call.refuse(f"cast to {call.config['dtype']}", "use float32")
    return say.scaled(call, call.x, 1.0)


def named(name: str) -> Callable[[Call], Tensor]:
    def translate(call: Call) -> Tensor:
        call.take()
        return say.activation(call, call.x, name)

    return translate


def gelu(call: Call) -> Tensor:
    exact = not call.take("approximate")["approximate"]
    return say.activation(call, call.x, "gelu") if exact else say.gelu_tanh(call, call.x)


OPS: Mapping[str, Callable[[Call], Tensor]] = {
    "Absolute": lambda call: say.merged(call, "Maximum", call.x, say.negative(call, call.x)),
    "Add": add,
    "Cast": cast,
    "Clip": clip,
    "Concatenate": concatenate,
    "Divide": divide,
    "Elu": lambda call: say.elu(call, call.x, float(call.take("alpha")["alpha"])),
    "ExpandDims": reshape,
    "Gelu": gelu,
    "GetItem": get_item,
    "HardSigmoid": named("hard_sigmoid"),
    "HardSilu": named("hard_silu"),
    "HardTanh": named("hard_tanh"),
    "LeakyRelu": lambda call: say.leaky_relu(call, call.x, call.take("negative_slope")["negative_slope"]),
    "LogSigmoid": named("log_sigmoid"),
    "LogSoftmax": softmax,
    "Matmul": matmul,
    "Max": reduce,
    "Maximum": extreme,
    "Mean": reduce,
    "Minimum": extreme,
    "Multiply": multiply,
    "Negative": lambda call: say.negative(call, call.x),
    "Power": power,
    "Relu": named("relu"),
    "Relu6": named("relu6"),
    "Reshape": reshape,
    "Selu": named("selu"),
    "Sigmoid": named("sigmoid"),
    "Silu": named("silu"),
    "Softmax": softmax,
    "Softplus": named("softplus"),
    "Softsign": named("softsign"),
    "Square": power,
    "Squeeze": reshape,
    "Stack": concatenate,
    "Subtract": lambda call: add(call, -1.0),
    "Sum": reduce,
    "Swapaxes": transpose,
    "Tanh": named("tanh"),
    "Transpose": transpose,
    "TrueDivide": divide,
}
