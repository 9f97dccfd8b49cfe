"""Each kind of step as an expression of NumPy, and the functions that these call, of which a program gets its own."""

import re
from collections.abc import Callable
from typing import Any

from study_keras.formats.written.steps import Step
from study_keras.formats.written.text import call, literal

FUNCTIONS = {
    "windows": '''
def windows(x, size, strides, padding, dilation, fill, np):
    """Yield each place in a window of this size, and what ``x`` (batch, ..., channels) has there in all windows."""
    strides, dilation = strides or (1,) * len(size), dilation or (1,) * len(size)
    if padding:
        x = np.pad(x, ((0, 0), *padding, (0, 0)), constant_values=fill)
    for place in itertools.product(*map(range, size)):
        cuts = [slice(None)]
        for length, across, stride, apart, at in zip(x.shape[1:-1], size, strides, dilation, place):
            count = (length - (across - 1) * apart - 1) // stride + 1
            cuts.append(slice(at * apart, at * apart + (count - 1) * stride + 1, stride))
        yield place, x[tuple(cuts)]
''',
    "convolve": '''
def convolve(x, kernel, strides=None, padding=None, dilation=None, groups=1, *, np):
    """Return a convolution: ``x`` (batch, ..., in), ``kernel`` (..., in / groups, out) -> (batch, ..., out)."""
    total = 0.0
    for place, part in windows(x, kernel.shape[:-2], strides, padding, dilation, 0.0, np):
        if groups == 1:
            total = total + part.reshape(-1, part.shape[-1]) @ kernel[place]
        else:
            channels = part.reshape(-1, groups, kernel.shape[-2])
            total = total + np.einsum("ngi,igo->ngo", channels, kernel[place].reshape(kernel.shape[-2], groups, -1))
    return total.reshape(*part.shape[:-1], -1)
''',
    "convolve_depthwise": '''
def convolve_depthwise(x, kernel, strides=None, padding=None, dilation=None, *, np):
    """Return a convolution of each channel by itself: ``kernel`` (rows, columns, in, multiplier)."""
    total = 0.0
    for place, part in windows(x, kernel.shape[:-2], strides, padding, dilation, 0.0, np):
        total = total + part[..., None] * kernel[place]
    return total.reshape(*part.shape[:-1], -1)
''',
    "max_pool": '''
def max_pool(x, size, strides=None, padding=None, *, np):
    """Return the largest number of each window; the padding never is."""
    largest = -np.inf
    for _, part in windows(x, size, strides, padding, None, -np.inf, np):
        largest = np.maximum(largest, part)
    return largest
''',
    "average_pool": '''
def average_pool(x, size, strides=None, padding=None, *, np):
    """Return the mean of each window, in which the padding does not count."""
    total = count = 0.0
    for _, part in windows(x, size, strides, padding, None, 0.0, np):
        total = total + part
    for _, part in windows(np.ones_like(x[:1, ..., :1]), size, strides, padding, None, 0.0, np):
        count = count + part
    return total / count
''',
    "batch_normalize": '''
def batch_normalize(x, weights, name, epsilon, *, np):
    """Return ``x`` scaled and shifted by the statistics of the training, channel by channel."""
    scale = weights[f"{name}.gamma"] / np.sqrt(weights[f"{name}.moving_variance"] + epsilon)
    return (x - weights[f"{name}.moving_mean"]) * scale + weights[f"{name}.beta"]
''',
    "layer_normalize": '''
def layer_normalize(x, epsilon, *, np):
    """Return ``x`` with mean 0 and variance 1 along the last axis."""
    centered = x - x.mean(axis=-1, keepdims=True)
    return centered / np.sqrt((centered * centered).mean(axis=-1, keepdims=True) + epsilon)
''',
    "relu_of": '''
def relu_of(x, max_value, negative_slope, threshold, *, np):
    """Return a relu: ``x`` above the threshold, at most ``max_value``; below it, a slope."""
    y = np.where(x > threshold, x, 0)
    y = y if max_value is None else np.clip(y, 0, max_value)
    return y - negative_slope * np.maximum(threshold - x, 0)
''',
    "elu_of": '''
def elu_of(x, alpha, *, np):
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))
''',
    "sigmoid_of": '''
def sigmoid_of(x, *, np):
    """Return 1 / (1 + exp(-x)), which never overflows."""
    return np.exp(-np.logaddexp(0, -x))
''',
    "softmax_of": '''
def softmax_of(x, *, np):
    """Return probabilities along the last axis."""
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)
''',
    "erf_of": '''
def erf_of(x, *, np):
    """Return the error function, which NumPy lacks: a quotient of polynomials, exact to the last digits of float32."""
    x = np.clip(x, -4, 4)
    above, below = 0.0, 0.0
    for factor in (-2.72614225801306e-10, 2.77068142495902e-08, -2.10102402082508e-06, -5.69250639462346e-05,
                   -7.34990630326855e-04, -2.95459980854025e-03, -1.60960333262415e-02):
        above = above * x * x + factor
    for factor in (-1.45660718464996e-05, -2.13374055278905e-04, -1.68282697438203e-03, -7.37332916720468e-03,
                   -1.42647390514189e-02):
        below = below * x * x + factor
    return x * above / below
''',
}  # fmt: skip
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


def functions_of(text: str) -> list[str]:
    """Return the source of all functions that ``text`` calls, and of those that these call."""
    used = {name for name in FUNCTIONS if re.search(rf"\b{name}\(", text)}
    called = {other for name in used for other in FUNCTIONS if re.search(rf"\b{other}\(", FUNCTIONS[name])}
    return [FUNCTIONS[name].strip("\n") for name in FUNCTIONS if name in used | called]


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
