"""A ``.tflite`` file in int8 as steps, with the scales and zero points that LiteRT computes with."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from study_keras.formats.written.layer_options import same_padding
from study_keras.formats.written.steps import Program, Step, Value
from study_keras.runtimes import litert

WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
KINDS = (*WEIGHTED, "MAX_POOL_2D", "RESHAPE", "SOFTMAX", "QUANTIZE", "DEQUANTIZE")
LIMITS = {"NONE": (None, None), "RELU": (0, None), "RELU6": (0, 6)}  # in real numbers


def program_of_litert(path: Path, name: str, inputs: Sequence[str], outputs: Sequence[str]) -> Program:
    """Return the steps of a ``.tflite`` file of batch size 1 that ``export_litert`` wrote in int8.

    Args:
        path: of the file.
        name: of the model.
        inputs, outputs: the names in its signature, in the model's order.

    Raises:
        ValueError: names the operation that has no step.
    """
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(path.read_bytes(), 0))
    graph = model.subgraphs[0]
    names = {value: key for key, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
    functions = {value: key for key, value in vars(schema.ActivationFunctionType).items() if isinstance(value, int)}
    (named_inputs, given), (named_outputs, made) = litert.tensors(litert.interpreter_of(path))
    order = [given[named_inputs.index(item)] for item in inputs]
    taken = tuple(
        Value(f"t{item['index']}", key, _shape(item), "float32") for key, item in zip(inputs, order, strict=True)
    )
    steps = [_step(model, graph, operator, names, functions) for operator in graph.operators]
    ends = tuple(f"t{made[named_outputs.index(item)]['index']}" for item in outputs)
    return Program(name, taken, tuple(steps), ends, tuple(outputs))


def _shape(item: Any) -> tuple[int, ...]:
    return tuple(map(int, item["shape"][1:]))


def _step(model: Any, graph: Any, operator: Any, names: dict[int, str], functions: dict[int, str]) -> Step:
    code = model.operatorCodes[operator.opcodeIndex]
    kind = names[max(code.builtinCode, code.deprecatedBuiltinCode)]
    target = graph.tensors[operator.outputs[0]]
    label = target.name.decode("utf-8", "replace").partition(";")[0]
    if kind not in KINDS:
        raise ValueError(f"{kind} of {label!r}: written C in int8 has only {', '.join(KINDS)}; leave out --quantize")
    first = graph.tensors[operator.inputs[0]]
    types = {tensor.type for tensor in ((target,) if kind == "QUANTIZE" else (first,))}
    if types != {9} or (kind == "QUANTIZE" and first.type != 0):  # INT8, FLOAT32
        raise ValueError(f"{kind} of {label!r}: written C in int8 has it only for int8; leave out --quantize")
    options, weights = _options(kind, operator.builtinOptions, first, target, functions), dict[str, np.ndarray]()
    if kind in WEIGHTED:
        weights = _weights(model, graph, operator, kind, options)
    shape = tuple(map(int, target.shape[1:]))
    given = tuple(map(int, first.shape[1:]))
    if "window" in options:
        options |= _window(kind, operator.builtinOptions, given, shape, weights)
    number = operator.outputs[0]
    owner = f"{kind.lower()}_{number}"
    step_kind = "Reshape" if kind == "RESHAPE" else kind
    return Step(f"t{number}", step_kind, (f"t{operator.inputs[0]}",), (given,), shape, options, weights, owner, label)


def _data(model: Any, graph: Any, index: int) -> bytes | None:
    data = model.buffers[graph.tensors[index].buffer].data
    return None if data is None or not len(data) else bytes(data)


def _scale(tensor: Any) -> tuple[float, int]:
    """Return the scale, a float32, and the zero point of a tensor of numbers."""
    if tensor.type != 9 or len(tensor.quantization.scale) != 1:
        return 0.0, 0
    return float(np.float32(tensor.quantization.scale[0])), int(tensor.quantization.zeroPoint[0])


def _options(kind: str, builtin: Any, first: Any, target: Any, functions: dict[int, str]) -> dict[str, Any]:
    (scale, zero), (out_scale, out_zero) = _scale(first), _scale(target)
    options = {"scale": scale, "zero": zero, "out_scale": out_scale, "out_zero": out_zero}
    function = functions[getattr(builtin, "fusedActivationFunction", 0)]
    if function not in LIMITS:
        raise ValueError(f"{kind}: written C in int8 has no {function}; leave out --quantize")
    bounds = [-128, 127]
    for place, limit in enumerate(LIMITS[function]):
        if limit is not None:
            found = out_zero + math.floor(float(np.float32(limit) / np.float32(out_scale)) + 0.5)
            bounds[place] = max(found, -128) if place == 0 else min(found, 127)
    options |= {"least": bounds[0], "most": bounds[1]}
    if kind in ("CONV_2D", "DEPTHWISE_CONV_2D", "MAX_POOL_2D"):
        options["window"] = True
    if kind == "SOFTMAX" and builtin.beta != 1:
        raise ValueError("SOFTMAX: written C in int8 has only beta=1; leave out --quantize")
    return options


def _weights(model: Any, graph: Any, operator: Any, kind: str, options: dict[str, Any]) -> dict[str, np.ndarray]:
    """Return the kernel, the bias, and the scale of each channel's sum relative to the output's."""
    kernel = graph.tensors[operator.inputs[1]]
    content = _data(model, graph, operator.inputs[1])
    if content is None or kernel.type != 9 or np.any(kernel.quantization.zeroPoint):
        raise ValueError(f"{kind}: written C in int8 needs constant int8 weights; leave out --quantize")
    array = np.frombuffer(content, np.int8).reshape(kernel.shape)
    channels = array.shape[-1] if kind == "DEPTHWISE_CONV_2D" else array.shape[0]
    bias = np.zeros(channels, np.int32)
    if len(operator.inputs) > 2 and operator.inputs[2] >= 0:
        bias = np.frombuffer(_data(model, graph, operator.inputs[2]) or b"", np.int32)
    single = np.broadcast_to(np.asarray(kernel.quantization.scale, np.float32), (channels,))
    scale = np.float32(options["scale"]) * single / np.float32(options["out_scale"])
    return {"kernel": array, "bias": bias, "scale": scale.astype(np.float32)}


def _window(
    kind: str, builtin: Any, given: Sequence[int], shape: Sequence[int], weights: dict[str, np.ndarray]
) -> dict[str, Any]:
    pooled = kind == "MAX_POOL_2D"
    size = (builtin.filterHeight, builtin.filterWidth) if pooled else weights["kernel"].shape[1:3]
    strides = (builtin.strideH, builtin.strideW)
    dilation = (1, 1) if pooled else (builtin.dilationHFactor, builtin.dilationWFactor)
    if not pooled and kind == "CONV_2D" and weights["kernel"].shape[3] != given[2]:
        raise ValueError("CONV_2D in groups: written C in int8 has none; leave out --quantize")
    same = builtin.padding == 0
    padding = [
        same_padding(*numbers) if same else (0, 0) for numbers in zip(given[:2], size, strides, dilation, strict=True)
    ]
    return {
        "window": {
            **dict(zip(("rows", "columns", "channels"), given, strict=True)),
            **dict(zip(("out_rows", "out_columns", "filters"), shape, strict=True)),
            **dict(zip(("kernel_rows", "kernel_columns"), map(int, size), strict=True)),
            **dict(zip(("row_stride", "column_stride"), strides, strict=True)),
            **dict(zip(("row_dilation", "column_dilation"), dilation, strict=True)),
            **{"top": padding[0][0], "left": padding[1][0]},
        }
    }
