"""Each kind of step as an expression of NumPy."""

from collections.abc import Callable
from typing import Any

from study_keras.formats.written.steps import Step
from study_keras.formats.written.text import call, literal

# A step's function -> its expression; {x} is what it takes, other names are its numbers.
ACTIVATIONS = {
    "elu": "elu_of({x}, {alpha}, np=np)",
    "exponential": "np.exp({x})",
    "gelu": "{x} * (1 + erf_of({x} / 2**0.5, np=np)) / 2",
    "hard_sigmoid": "np.clip({x} / 6 + 0.5, 0, 1)",
    "hard_silu": "{x} * np.clip({x} / 6 + 0.5, 0, 1)",
    "leaky_relu": "np.where({x} > 0, {x}, {negative_slope} * {x})",
    "mish": "{x} * np.tanh(np.logaddexp({x}, 0))",
    "relu": "relu_of({x}, {max_value}, {negative_slope}, {threshold}, np=np)",
    "selu": "1.0507009873554805 * elu_of({x}, 1.6732632423543772, np=np)",
    "sigmoid": "sigmoid_of({x}, np=np)",
    "silu": "{x} * sigmoid_of({x}, np=np)",
    "softmax": "softmax_of({x}, np=np)",
    "softplus": "np.logaddexp({x}, 0)",
    "softsign": "{x} / (1 + np.abs({x}))",
    "tanh": "np.tanh({x})",
}


def expression(step: Step) -> str:
    """Return the expression of a step."""
    return EXPRESSIONS[step.kind](step, *step.inputs)


def weight(step: Step, name: str) -> str:
    return f'weights["{step.owner}.{name}"]'


def _with_bias(step: Step, text: str) -> str:
    return f"{text} + {weight(step, 'bias')}" if "bias" in step.weights else text


def _convolution(step: Step, x: str) -> str:
    name = "convolve_depthwise" if step.kind == "DepthwiseConv2D" else "convolve"
    return _with_bias(step, call(name, x, weight(step, "kernel"), **_needed(step.options))[:-1] + ", np=np)")


def _needed(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options of a window without strides of 1, padding of 0 and the like."""

    def trivial(value: Any) -> bool:
        return value == 1 or all(item in (1, (0, 0)) for item in (value if isinstance(value, tuple) else (value,)))

    return {key: value for key, value in options.items() if key == "size" or not trivial(value)}


def _pool(step: Step, x: str) -> str:
    name = "max_pool" if step.kind == "MaxPooling2D" else "average_pool"
    options = {"size": step.options["pool_size"], "strides": step.options["strides"]}
    return call(name, x, **_needed(options | {"padding": step.options["padding"]}))[:-1] + ", np=np)"


def _global_pool(step: Step, x: str) -> str:
    options = {"axis": step.options["axes"]} | ({"keepdims": True} if step.options["keepdims"] else {})
    return call(f"{x}.{'max' if 'Max' in step.kind else 'mean'}", **options)


def _layer_normalization(step: Step, x: str) -> str:
    text = call("layer_normalize", x, literal(step.options["epsilon"]), "np=np")
    text += f" * {weight(step, 'gamma')}" if "gamma" in step.weights else ""
    return text + (f" + {weight(step, 'beta')}" if "beta" in step.weights else "")


def _activation(step: Step, x: str) -> str:
    options = dict(step.options)
    name = options.pop("function")
    if name == "relu" and not options["negative_slope"] and not options["threshold"]:
        most = options["max_value"]
        return f"np.maximum({x}, 0)" if most is None else f"np.clip({x}, 0, {literal(most)})"
    if name == "gelu" and options.pop("approximate"):
        return f"{x} * (1 + np.tanh((2 / np.pi) ** 0.5 * ({x} + 0.044715 * {x} * {x} * {x}))) / 2"
    return ACTIVATIONS[name].format(x=x, **{key: literal(value) for key, value in options.items()})


def _rescaling(step: Step, x: str) -> str:
    def number(value: Any) -> str:
        return f'np.asarray({literal(value)}, dtype="float32")' if isinstance(value, tuple) else literal(value)

    return f'{x}.astype("float32") * {number(step.options["scale"])} + {number(step.options["offset"])}'


def _reshape(step: Step, x: str) -> str:
    return f"{x}.reshape({', '.join(map(str, (-1, *step.shape)))})"


def _joined(sign: str) -> Callable[..., str]:
    return lambda step, *inputs: f" {sign} ".join(inputs)


def _nested(function: str) -> Callable[..., str]:
    def text(_: Step, first: str, *others: str) -> str:
        for other in others:
            first = f"np.{function}({first}, {other})"
        return first

    return text


EXPRESSIONS: dict[str, Callable[..., str]] = {
    "Dense": lambda step, x: _with_bias(step, f"{x} @ {weight(step, 'kernel')}"),
    **dict.fromkeys(("Conv1D", "Conv2D", "DepthwiseConv2D"), _convolution),
    **dict.fromkeys(("MaxPooling2D", "AveragePooling2D"), _pool),
    **{f"Global{name}Pooling{rank}D": _global_pool for name in ("Max", "Average") for rank in (1, 2)},
    "ZeroPadding2D": lambda step, x: f"np.pad({x}, {literal(((0, 0), *step.options['padding'], (0, 0)))})",
    "BatchNormalization": lambda step, x: (
        f'batch_normalize({x}, weights, "{step.owner}", {literal(step.options["epsilon"])}, np=np)'
    ),
    "LayerNormalization": _layer_normalization,
    "Embedding": lambda step, x: f'{weight(step, "embeddings")}[{x}.astype("int32")]',
    "Flatten": _reshape,
    "Reshape": _reshape,
    "Permute": lambda step, x: f"{x}.transpose({literal(step.options['axes'])})",
    "Activation": _activation,
    "Add": _joined("+"),
    "Subtract": _joined("-"),
    "Multiply": _joined("*"),
    "Average": lambda step, *inputs: f"({' + '.join(inputs)}) / {len(inputs)}",
    "Maximum": _nested("maximum"),
    "Minimum": _nested("minimum"),
    "Concatenate": lambda step, *inputs: f"np.concatenate([{', '.join(inputs)}], axis={step.options['axis']})",
    "UpSampling2D": lambda step, x: "".join(
        [x, *(f".repeat({size}, axis={axis})" for axis, size in enumerate(step.options["size"], 1))]
    ),
    "Rescaling": _rescaling,
    "Cast": lambda step, x: f'{x}.astype("float32")',
}
