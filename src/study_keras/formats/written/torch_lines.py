"""Each kind of step as PyTorch: its module, if it has weights, and its expression.

PyTorch's convolutions, pooling and batch normalization have the channels after the batch, Keras' have them last. Each
value is kept as it was made, and permuted where a step takes the other order.
"""

from collections.abc import Callable, Sequence
from typing import Any

from study_keras.formats.written.steps import Step
from study_keras.formats.written.text import call, literal

# Kinds that have the channels first in PyTorch, where there is more than the channels.
FIRST = {
    *("Conv1D", "Conv2D", "DepthwiseConv2D", "MaxPooling2D", "AveragePooling2D", "ZeroPadding2D", "UpSampling2D"),
    *("BatchNormalization", "GlobalMaxPooling1D", "GlobalMaxPooling2D"),
    *("GlobalAveragePooling1D", "GlobalAveragePooling2D"),
}
# Kinds that take their values in any order, if all have the same one.
EITHER = {"Activation", "Cast", "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"}
MODULES = {"Dense", "Conv1D", "Conv2D", "DepthwiseConv2D", "BatchNormalization", "LayerNormalization", "Embedding"}
F = "torch.nn.functional"
# A step's function -> its expression; {x} is what it takes, other names are its numbers.
ACTIVATIONS = {
    "elu": f"{F}.elu({{x}}, {{alpha}})",
    "exponential": "torch.exp({x})",
    "gelu": f"{F}.gelu({{x}}{{approximate}})",
    "hard_sigmoid": f"{F}.hardsigmoid({{x}})",
    "hard_silu": f"{F}.hardswish({{x}})",
    "leaky_relu": f"{F}.leaky_relu({{x}}, {{negative_slope}})",
    "mish": f"{F}.mish({{x}})",
    "selu": f"{F}.selu({{x}})",
    "sigmoid": "torch.sigmoid({x})",
    "silu": f"{F}.silu({{x}})",
    "softmax": "torch.softmax({x}, dim=-1)",
    "softplus": f"{F}.softplus({{x}})",
    "softsign": f"{F}.softsign({{x}})",
    "tanh": "torch.tanh({x})",
}


def channels_first(step: Step, inputs_first: Sequence[bool]) -> bool:
    """Return whether a step takes and makes values with the channels first, where its inputs are as they are."""
    if step.kind in FIRST:
        return len(step.input_shapes[0]) > 1
    softmax = step.options.get("function") == "softmax"
    return step.kind in EITHER and any(inputs_first) and not softmax


def module(step: Step, padding: tuple[tuple[int, int], ...]) -> str:
    """Return the module that has a step's weights.

    Args:
        padding: what the module adds to each side by itself.
    """
    bias = {} if "bias" in step.weights else {"bias": False}
    if step.kind == "Dense":
        return call("torch.nn.Linear", *map(str, step.weights["kernel"].shape), **bias)
    if step.kind == "Embedding":
        return call("torch.nn.Embedding", *map(str, step.weights["embeddings"].shape))
    if step.kind == "LayerNormalization":
        return call("torch.nn.LayerNorm", str(step.shape[-1]), eps=step.options["epsilon"])
    if step.kind == "BatchNormalization":
        rank = max(1, len(step.shape) - 1)
        return call(f"torch.nn.BatchNorm{rank}d", str(step.shape[-1]), eps=step.options["epsilon"])
    return _convolution(step, padding, bias)


def _convolution(step: Step, padding: tuple[tuple[int, int], ...], bias: dict[str, Any]) -> str:
    *size, _, filters = step.weights["kernel"].shape
    given = step.input_shapes[0][-1]
    groups = given if step.kind == "DepthwiseConv2D" else step.options["groups"]
    filters = filters * given if step.kind == "DepthwiseConv2D" else filters
    options = {"stride": step.options["strides"], "padding": tuple(before for before, _ in padding)}
    options |= {"dilation": step.options["dilation"], "groups": groups}
    usual = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}
    needed = {key: value for key, value in options.items() if set(_items(value)) != {usual[key]}}
    return call(f"torch.nn.Conv{len(size)}d", str(given), str(filters), literal(tuple(size)), **needed, **bias)


def _items(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def padded(x: str, padding: tuple[tuple[int, int], ...], fill: str = "") -> str:
    """Return ``x``, channels first, with more rows and columns; PyTorch counts from the last axis."""
    if not any(map(any, padding)):
        return x
    numbers = tuple(number for pair in reversed(padding) for number in pair)
    return f"{F}.pad({x}, {literal(numbers)}{fill})"


def expression(step: Step, inputs: Sequence[str], first: bool) -> str:
    """Return the expression of a step without a module.

    Args:
        inputs: expressions of what it takes.
        first: whether these have the channels first.
    """
    if step.kind == "Activation":
        return _activation(step, inputs[0])
    if step.kind == "Concatenate":
        axis, last = step.options["axis"], len(step.shape)
        axis = axis if not first else 1 if axis == last else axis + 1
        return f"torch.cat([{', '.join(inputs)}], dim={axis})"
    return EXPRESSIONS[step.kind](step, *inputs)


def _activation(step: Step, x: str) -> str:
    options = dict(step.options)
    name = options.pop("function")
    if name == "relu":
        return _relu(x, **options)
    numbers = {key: literal(value) for key, value in options.items()}
    if name == "gelu":
        numbers["approximate"] = ', approximate="tanh"' if options["approximate"] else ""
    return ACTIVATIONS[name].format(x=x, **numbers)


def _relu(x: str, max_value: float | None, negative_slope: float, threshold: float) -> str:
    above = f"{F}.threshold({x}, {literal(threshold)}, 0.0)" if threshold else f"{F}.relu({x})"
    most = above if max_value is None else f"{above}.clamp(0.0, {literal(max_value)})"
    if not negative_slope:
        return most
    return f"{most} - {literal(negative_slope)} * {F}.relu({literal(threshold)} - {x})"


def _max_pool(step: Step, x: str) -> str:
    inner = padded(x, step.options["padding"], ', value=float("-inf")')
    return f"{F}.max_pool2d({inner}, {literal(step.options['pool_size'])}, {literal(step.options['strides'])})"


def _average_pool(step: Step, x: str) -> str:
    def pooled(inner: str) -> str:
        size, strides = literal(step.options["pool_size"]), literal(step.options["strides"])
        return f"{F}.avg_pool2d({padded(inner, step.options['padding'])}, {size}, {strides})"

    if not any(map(any, step.options["padding"])):
        return pooled(x)
    return f"{pooled(x)} / {pooled(f'torch.ones_like({x}[:1, :1])')}"  # the padding does not count


def _global_pool(step: Step, x: str) -> str:
    axes = tuple(range(2, len(step.input_shapes[0]) + 1))
    keep = ", keepdim=True" if step.options["keepdims"] else ""
    return f"{x}.{'amax' if 'Max' in step.kind else 'mean'}(dim={literal(axes)}{keep})"


def _rescaling(step: Step, x: str) -> str:
    def number(value: Any) -> str:
        return f"torch.tensor({literal(value)}, device={x}.device)" if isinstance(value, tuple) else literal(value)

    return f"{x}.float() * {number(step.options['scale'])} + {number(step.options['offset'])}"


def _reshape(step: Step, x: str) -> str:
    return f"{x}.reshape({', '.join(map(str, (-1, *step.shape)))})"


def _nested(function: str) -> Callable[..., str]:
    def text(_: Step, first: str, *others: str) -> str:
        for other in others:
            first = f"torch.{function}({first}, {other})"
        return first

    return text


EXPRESSIONS: dict[str, Callable[..., str]] = {
    "MaxPooling2D": _max_pool,
    "AveragePooling2D": _average_pool,
    **{f"Global{name}Pooling{rank}D": _global_pool for name in ("Max", "Average") for rank in (1, 2)},
    "ZeroPadding2D": lambda step, x: padded(x, step.options["padding"]),
    "UpSampling2D": lambda step, x: "".join(
        [x, *(f".repeat_interleave({size}, dim={axis})" for axis, size in enumerate(step.options["size"], 2))]
    ),
    "Flatten": _reshape,
    "Reshape": _reshape,
    "Permute": lambda step, x: f"{x}.permute({', '.join(map(str, step.options['axes']))})",
    "Add": lambda _, *inputs: " + ".join(inputs),
    "Subtract": lambda _, *inputs: " - ".join(inputs),
    "Multiply": lambda _, *inputs: " * ".join(inputs),
    "Average": lambda _, *inputs: f"({' + '.join(inputs)}) / {len(inputs)}",
    "Maximum": _nested("maximum"),
    "Minimum": _nested("minimum"),
    "LayerNormalization": lambda step, x: (  # one without scale and shift
        f"{F}.layer_norm({x}, ({step.shape[-1]},), eps={literal(step.options['epsilon'])})"
    ),
    "Rescaling": _rescaling,
    "Cast": lambda _, x: f"{x}.float()",
}
