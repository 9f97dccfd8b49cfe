"""The calls of C functions that each step of a model becomes."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from study_keras.formats.written import c_text
from study_keras.formats.written.c_buffers import SAME_VALUE
from study_keras.formats.written.c_text import number
from study_keras.formats.written.fold import scale_and_shift
from study_keras.formats.written.steps import Shape, Step

MAX_RANK = 8  # of `gather`


@dataclass
class Calls:
    """The statements of the C function while they are made, and the arrays and functions that they need."""

    places: dict[str, str]
    dtypes: dict[str, str]
    lines: list[str] = field(default_factory=list)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    functions: set[str] = field(default_factory=set)

    def call(self, function: str, *arguments: Any) -> None:
        self.functions.add(function)
        self.lines += c_text.call(function, map(str, arguments))

    def array(self, step: Step, name: str, value: np.ndarray | None) -> str:
        """Return the C name of an array of weights, NULL for none."""
        if value is None:
            return "NULL"
        unique = f"{step.owner}_{name}"
        self.arrays[unique] = value if value.dtype.kind == "i" else value.astype("float32")
        return unique


def add_step(calls: Calls, step: Step) -> None:
    """Add the calls for one step.

    Raises:
        ValueError: names the layer that C is not written for.
    """
    for name in step.inputs:
        if calls.dtypes[name] != "float32" and step.kind not in (*SAME_VALUE, "Embedding", "Cast", "Rescaling"):
            _refuse(step, f"{step.kind} of {calls.dtypes[name]}; it moves only float32")
    if step.kind not in WRITERS and step.kind not in SAME_VALUE:
        _refuse(step, f"{step.kind}; it has {', '.join(sorted({*WRITERS, *SAME_VALUE}))}")
    calls.dtypes[step.name] = step.dtype
    if step.kind not in SAME_VALUE:
        given = [calls.places[name] for name in step.inputs]
        WRITERS[step.kind](calls, step, given, calls.places[step.name])


def _refuse(step: Step, what: str) -> None:
    raise ValueError(f"{step.kind} {step.layer!r}: written C has no {what}")


def _counted(step: Step) -> tuple[int, int]:
    """Return the number of vectors along the last axis, and their length."""
    size = step.shape[-1] if step.shape else 1
    return math.prod(step.shape) // max(1, size), size


def _window(step: Step, kernel: Sequence[int]) -> str:
    """Return the C literal of a window; one dimension is an image of one row."""
    given, made = ((1,) * (3 - len(shape)) + tuple(shape) for shape in (step.input_shapes[0], step.shape))
    options = step.options

    def two(name: str, default: int) -> tuple[int, int]:
        values = tuple(options.get(name, (default,) * len(kernel)))
        return (default,) * (2 - len(values)) + values

    size = (1,) * (2 - len(kernel)) + tuple(kernel)
    (row_stride, column_stride), (row_dilation, column_dilation) = two("strides", 1), two("dilation", 1)
    padding = ((0, 0),) * (2 - len(kernel)) + tuple(options["padding"])
    fields = {
        **dict(zip(("rows", "columns", "channels"), given, strict=True)),
        **dict(zip(("out_rows", "out_columns", "filters"), made, strict=True)),
        **dict(zip(("kernel_rows", "kernel_columns"), size, strict=True)),
        **{"row_stride": row_stride, "column_stride": column_stride},
        **{"row_dilation": row_dilation, "column_dilation": column_dilation, "groups": options.get("groups", 1)},
        **{"top": padding[0][0], "left": padding[1][0]},
    }
    return c_text.struct("window", fields)


def _dense(calls: Calls, step: Step, given: list[str], out: str) -> None:
    count, units = _counted(step)
    arrays = (calls.array(step, name, step.weights.get(name)) for name in ("kernel", "bias"))
    calls.call("dense", count, step.input_shapes[0][-1], units, given[0], *arrays, out)


def _convolution(calls: Calls, step: Step, given: list[str], out: str) -> None:
    depthwise = step.kind == "DepthwiseConv2D"
    kernel = step.weights["kernel"]
    arrays = (calls.array(step, name, step.weights.get(name)) for name in ("kernel", "bias"))
    window = _window(step, kernel.shape[:-2])
    calls.call("depthwise_conv2d" if depthwise else "conv2d", window, given[0], *arrays, out)


def _pool(calls: Calls, step: Step, given: list[str], out: str) -> None:
    function = "max_pool" if step.kind.startswith("Max") else "average_pool"
    calls.call(function, _window(step, step.options["pool_size"]), given[0], out)


def _global_pool(calls: Calls, step: Step, given: list[str], out: str) -> None:
    *sizes, channels = step.input_shapes[0]
    function = "global_max" if "Max" in step.kind else "global_average"
    calls.call(function, math.prod(sizes), channels, given[0], out)


def _zero_padding(calls: Calls, step: Step, given: list[str], out: str) -> None:
    calls.call("zero_pad", _window(step, (1, 1)), given[0], out)


def _batch_normalization(calls: Calls, step: Step, given: list[str], out: str) -> None:
    scale, shift = scale_and_shift(step)
    arrays = calls.array(step, "scale", scale), calls.array(step, "shift", shift)
    calls.call("scale_channels", *_counted(step), *arrays, given[0], out)


def _layer_normalization(calls: Calls, step: Step, given: list[str], out: str) -> None:
    arrays = (calls.array(step, name, step.weights.get(name)) for name in ("gamma", "beta"))
    calls.call("normalize_layer", *_counted(step), number(step.options["epsilon"]), *arrays, given[0], out)


def _embedding(calls: Calls, step: Step, given: list[str], out: str) -> None:
    table = step.weights["embeddings"]
    dtype = calls.dtypes[step.inputs[0]]
    if dtype == "float32":
        _refuse(step, "Embedding of float32; give keras.Input dtype='int32'")
    count = math.prod(step.input_shapes[0])
    calls.call(f"embed_{dtype}", count, *table.shape, calls.array(step, "embeddings", table), given[0], out)


def _cast(calls: Calls, step: Step, given: list[str], out: str) -> None:
    calls.call(f"cast_{calls.dtypes[step.inputs[0]]}", math.prod(step.shape), given[0], out)


def _rescaling(calls: Calls, step: Step, given: list[str], out: str) -> None:
    if calls.dtypes[step.inputs[0]] != "float32":
        _cast(calls, step, given, out)
        given = [out]
    scale, offset = step.options["scale"], step.options["offset"]
    if isinstance(scale, tuple) or isinstance(offset, tuple):
        count, channels = _counted(step)
        both = (np.broadcast_to(np.asarray(value), (channels,)) for value in (scale, offset))
        arrays = [calls.array(step, name, value) for name, value in zip(("scale", "shift"), both, strict=True)]
        calls.call("scale_channels", count, channels, *arrays, given[0], out)
    else:
        calls.call("rescale", math.prod(step.shape), number(scale), number(offset), given[0], out)


def _activation(calls: Calls, step: Step, given: list[str], out: str) -> None:
    options, size = dict(step.options), math.prod(step.shape)
    function = options.pop("function")
    if function == "softmax":
        return calls.call("apply_softmax", *_counted(step), given[0], out)
    numbers, limit = list[str](), options.get("max_value")
    if function == "relu" and any((options["negative_slope"], options["threshold"])):
        function = "limited_relu"
        numbers = ["-INFINITY", "INFINITY"] if limit is None else ["0.0f", number(limit)]
        numbers += [number(options["negative_slope"]), number(options["threshold"])]
    elif limit is not None:
        function, numbers = "clipped_relu", [number(limit)]
    elif function in ("elu", "leaky_relu"):
        numbers = [number(value) for value in options.values()]
    elif function == "gelu" and options["approximate"]:
        function = "gelu_tanh"
    return calls.call(f"apply_{function}", size, *numbers, given[0], out)


def _merge(calls: Calls, step: Step, given: list[str], out: str) -> None:
    size = math.prod(step.shape)
    small = [place for place, shape in enumerate(step.input_shapes) if shape != step.shape]
    operands = list(given)
    if len(small) > 1:
        _refuse(step, f"{step.kind} of several inputs that are each repeated")
    if small:  # repeated into the output first, where the function then reads it
        _gather(calls, step.shape, _steps(step.input_shapes[small[0]]), given[small[0]], out)
        operands[small[0]] = out
        if small[0] > 1:  # otherwise the sum of those before it would be written over it
            operands.insert(0, operands.pop(small[0]))
    function = {"Average": "add"}.get(step.kind, step.kind.lower())
    first, *others = operands
    for other in others:
        calls.call(function, size, first, other, out)
        first = out
    if not others and first != out:
        _gather(calls, step.shape, _steps(step.shape), first, out)
    if step.kind == "Average":
        calls.call("rescale", size, f"1.0f / {len(operands)}.0f", "0.0f", out, out)


def _concatenate(calls: Calls, step: Step, given: list[str], out: str) -> None:
    axis = step.options["axis"] - 1
    count, size = math.prod(step.shape[:axis]), math.prod(step.shape[axis:])
    start = 0
    for shape, place in zip(step.input_shapes, given, strict=True):
        length = math.prod(shape[axis:])
        calls.call("concatenate", count, length, size, place, f"{out} + {start}" if start else out)
        start += length


def _steps(shape: Shape) -> list[int]:
    """Return how far apart neighbours are in each dimension, 0 where there is only one."""
    return [math.prod(shape[place + 1 :]) if size > 1 else 0 for place, size in enumerate(shape)]


def _gather(calls: Calls, shape: Sequence[int], steps: Sequence[int], given: str, out: str) -> None:
    sizes, steps = list(shape) or [1], list(steps) or [0]
    literals = [f"(const int[]){{{', '.join(map(str, numbers))}}}" for numbers in (sizes, steps)]
    calls.call("gather", len(sizes), *literals, given, out)


def _permute(calls: Calls, step: Step, given: list[str], out: str) -> None:
    if len(step.shape) > MAX_RANK:
        _refuse(step, f"Permute of more than {MAX_RANK} dimensions")
    steps = _steps(step.input_shapes[0])
    _gather(calls, step.shape, [steps[axis - 1] for axis in step.options["axes"][1:]], given[0], out)


def _upsampling(calls: Calls, step: Step, given: list[str], out: str) -> None:
    rows, columns, channels = step.input_shapes[0]
    sizes = rows, step.options["size"][0], columns, step.options["size"][1], channels
    _gather(calls, sizes, (columns * channels, 0, channels, 0, 1), given[0], out)


WRITERS: dict[str, Callable[[Calls, Step, list[str], str], None]] = {
    "Dense": _dense,
    **dict.fromkeys(("Conv1D", "Conv2D", "DepthwiseConv2D"), _convolution),
    **dict.fromkeys(("MaxPooling2D", "AveragePooling2D"), _pool),
    **{f"Global{name}Pooling{rank}D": _global_pool for name in ("Max", "Average") for rank in (1, 2)},
    "ZeroPadding2D": _zero_padding,
    "BatchNormalization": _batch_normalization,
    "LayerNormalization": _layer_normalization,
    "Embedding": _embedding,
    "Cast": _cast,
    "Rescaling": _rescaling,
    "Activation": _activation,
    **dict.fromkeys(("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"), _merge),
    "Concatenate": _concatenate,
    "Permute": _permute,
    "UpSampling2D": _upsampling,
}
