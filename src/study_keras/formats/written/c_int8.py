"""The calls of C functions in int8 that each operation of a ``.tflite`` file becomes."""

import math
from typing import Any

from study_keras.formats.written.c_layers import Calls
from study_keras.formats.written.c_text import number, struct
from study_keras.formats.written.steps import Step


def add_int8_step(calls: Calls, step: Step) -> None:
    """Add the call for one step of ``program_of_litert``."""
    calls.dtypes[step.name] = "float32" if step.kind == "DEQUANTIZE" else "int8"
    if step.kind == "Reshape":
        return
    options, given, out = step.options, calls.places[step.inputs[0]], calls.places[step.name]
    size, last = math.prod(step.shape), (step.shape or (1,))[-1]
    limits = struct("range", {name: options[name] for name in ("zero", "out_zero", "least", "most")})
    if step.kind == "QUANTIZE":
        calls.call("quantize", size, number(options["out_scale"]), options["out_zero"], given, out)
    elif step.kind == "DEQUANTIZE":
        calls.call("dequantize", size, number(options["scale"]), options["zero"], given, out)
    elif step.kind == "SOFTMAX":
        scales = number(options["scale"]), number(options["out_scale"])
        calls.call("softmax", size // last, last, *scales, options["out_zero"], given, out)
    elif step.kind == "FULLY_CONNECTED":
        units, inputs = step.weights["kernel"].shape
        calls.call("dense", size // units, inputs, units, limits, given, *_arrays(calls, step), out)
    elif step.kind == "MAX_POOL_2D":
        calls.call("max_pool", _window(options), limits, given, out)
    else:
        function = "conv2d" if step.kind == "CONV_2D" else "depthwise_conv2d"
        calls.call(function, _window(options), limits, given, *_arrays(calls, step), out)


def _window(options: dict[str, Any]) -> str:
    return struct("window", options["window"])


def _arrays(calls: Calls, step: Step) -> list[str]:
    return [calls.array(step, name, step.weights[name]) for name in ("kernel", "bias", "scale")]
