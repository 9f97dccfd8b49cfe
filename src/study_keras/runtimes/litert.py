"""LiteRT, the runtime of ``.tflite`` files."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from study_keras import limits
from study_keras.runtimes.runner import Arrays, Runner, TensorSpec, first_words
from study_keras.startup import silence_output


def open(path: str | Path) -> Runner:  # noqa: A001
    """Load a ``.tflite`` file. Float values for a quantized input are quantized, quantized outputs become float32.

    Raises:
        ValueError: the file is missing or broken.
    """
    path = Path(path)
    interpreter = interpreter_of(path)
    (input_names, inputs), (output_names, outputs) = tensors(interpreter)
    allocated: list[tuple[int, ...]] = []

    def call(arrays: Arrays) -> Arrays:
        nonlocal allocated
        shapes = [array.shape for array in arrays]
        if shapes != allocated:
            for tensor, shape in zip(inputs, shapes, strict=True):
                interpreter.resize_tensor_input(tensor["index"], shape)
            with nullcontext() if allocated else silence_output(2):  # the first time it reports its delegate there
                interpreter.allocate_tensors()
            allocated = shapes
        for tensor, array in zip(inputs, arrays, strict=True):
            interpreter.set_tensor(tensor["index"], quantize(array, tensor))
        interpreter.invoke()
        return [dequantize(interpreter.get_tensor(tensor["index"]), tensor) for tensor in outputs]

    sizes = [tensor["shape_signature"][0] for tensor in inputs if len(tensor["shape_signature"])]
    return Runner(
        "LiteRT",
        path,
        call,
        list(map(spec, input_names, inputs)),
        list(map(spec, output_names, outputs)),
        stored(interpreter),
        next((int(size) for size in sizes if size >= 0), None),
    )


def interpreter_of(path: str | Path, content: bytes | None = None) -> Any:
    """Return the interpreter of a ``.tflite`` file, with no memory allocated yet, since sizes may be open.

    Args:
        path: of the file.
        content: of the file, where it was read already.

    Raises:
        ValueError: the file is missing or broken.
    """
    from ai_edge_litert.interpreter import Interpreter

    try:
        with silence_output(2):  # it reports its delegate there
            interpreter = Interpreter(model_content=content or limits.read_bytes(path))
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RuntimeError, TypeError) as error:
        raise ValueError(f"{path}: LiteRT cannot run it: {first_words(error)}") from error
    for tensor in interpreter.get_tensor_details():
        size = limits.byte_count(tensor["shape"].tolist(), np.dtype(tensor["dtype"]).itemsize)
        limits.take(size, f"{path}: tensor {tensor['name']}")
    return interpreter


def stored(interpreter: Any) -> str:
    """Return how a file stores its numbers: "float32", "float16", "dynamic" or "int8"."""
    tensors = interpreter.get_tensor_details()
    small = [tensor for tensor in tensors if tensor["dtype"] in (np.int8, np.uint8, np.int16)]
    small = [tensor for tensor in small if len(tensor["quantization_parameters"]["scales"])]
    if small:  # weights are quantized symmetrically, activations are not
        symmetric = all((tensor["quantization_parameters"]["zero_points"] == 0).all() for tensor in small)
        return "dynamic" if symmetric else "int8"
    return "float16" if any(tensor["dtype"] == np.float16 for tensor in tensors) else "float32"


def tensors(interpreter: Any) -> list[tuple[list[str | None], list[dict[str, Any]]]]:
    """Return the names and the details of the inputs and of the outputs, by the file's signature if it has one."""
    for key, names in interpreter.get_signature_list().items():
        runner = interpreter.get_signature_runner(key)
        pairs = ((names["inputs"], runner.get_input_details()), (names["outputs"], runner.get_output_details()))
        return [(list(named), [details[name] for name in named]) for named, details in pairs]
    details = (interpreter.get_input_details(), interpreter.get_output_details())
    return [([None] * len(tensors), tensors) for tensors in details]


def spec(name: str | None, tensor: dict[str, Any]) -> TensorSpec:
    shape = tuple(int(size) if size >= 0 else None for size in tensor["shape_signature"])
    return TensorSpec(name, shape, np.dtype(tensor["dtype"]).name)


def quantize(array: np.ndarray, tensor: dict[str, Any]) -> np.ndarray:
    step, zero = tensor["quantization"]
    if not step or array.dtype.kind != "f":
        return array
    limits = np.iinfo(tensor["dtype"])
    return np.clip(np.round(array / step) + zero, limits.min, limits.max).astype(tensor["dtype"])


def dequantize(array: np.ndarray, tensor: dict[str, Any]) -> np.ndarray:
    step, zero = tensor["quantization"]
    return (array.astype(np.float32) - np.float32(zero)) * np.float32(step) if step else array
