"""The targets of the matrix: how a model is written for each, and what its real runtime answers."""

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from matrix_model import Arrays

from study_keras import formats, runtimes
from study_keras.formats import inference
from study_keras.formats.tfjs import export_tfjs
from study_keras.runtimes import program_worker
from study_keras.runtimes.program import allow_code
from study_keras.startup import silence_output

EXPORTS: dict[str, tuple[str, Callable[..., Any]]] = {
    "tfjs": (".tfjs", export_tfjs),
    "litert": (".tflite", formats.export_litert),
    "onnx": (".onnx", formats.export_onnx),
    "onnx_web": (".onnx", formats.export_onnx),
    "openvino": (".xml", formats.export_openvino),
    "numpy": ("_numpy.py", formats.export_numpy),
    "torch": ("_torch.py", formats.export_torch),
    "c": (".c", formats.export_c),
}


def export(model: keras.Model, target: str, path: Path, *, prove: bool) -> None:
    """Write the model; on other backends than TensorFlow only as TF.js' layers."""
    function = EXPORTS[target][1]
    options = {"prove": prove}
    if keras.backend.backend() != "tensorflow":
        options["kind"] = "layers"
    known = inspect.signature(function).parameters
    function(model, path, **{name: value for name, value in options.items() if name in known})


def run_litert(model: keras.Model, path: Path, batches: Sequence[Arrays]) -> list[Arrays]:
    """What LiteRT answers; a file for one example at a time is run so."""
    from ai_edge_litert.interpreter import Interpreter

    with silence_output(2):
        interpreter = Interpreter(model_content=path.read_bytes())
        key, signature = next(iter(interpreter.get_signature_list().items()))
        runner = interpreter.get_signature_runner(key)
        names = in_order(inference.input_names, model, signature["inputs"])
        outputs = in_order(inference.output_names, model, signature["outputs"])
        shapes = [runner.get_input_details()[name]["shape_signature"] for name in names]
        one = any(len(shape) and shape[0] == 1 for shape in shapes)

        def run(arrays: Arrays) -> Arrays:
            found = runner(**dict(zip(names, arrays, strict=True)))
            return [found[name].copy() for name in outputs]

        def one_by_one(arrays: Arrays) -> Arrays:
            rows = [run([array[row : row + 1] for array in arrays]) for row in range(len(arrays[0]))]
            return [np.concatenate(parts) for parts in zip(*rows, strict=True)]

        return [(one_by_one if one and len(arrays[0]) > 1 else run)(arrays) for arrays in batches]


def run_onnx(model: keras.Model, path: Path, batches: Sequence[Arrays]) -> list[Arrays]:
    """What onnxruntime answers."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 4, 1
    session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    names = in_order(inference.input_names, model, [item.name for item in session.get_inputs()])
    return [session.run(None, dict(zip(names, arrays, strict=True))) for arrays in batches]


def run_opened(runtime: str) -> Callable[[keras.Model, Path, Sequence[Arrays]], list[Arrays]]:
    """Return a function to what a runtime answers that the project opens as users do."""

    def run(model: keras.Model, path: Path, batches: Sequence[Arrays]) -> list[Arrays]:
        with allow_code():
            runner = runtimes.open(path, runtime)
        if getattr(model, "inputs", None):
            runner = runner.reorder(inference.input_names(model), inference.output_names(model))
        return [runner.run(arrays).outputs for arrays in batches]

    return run


def run_program(framework: str) -> Callable[[keras.Model, Path, Sequence[Arrays]], list[Arrays]]:
    """Return a function to what a Python program answers, in this process: to start another takes seconds."""

    def run(_: keras.Model, path: Path, batches: Sequence[Arrays]) -> list[Arrays]:
        call = program_worker.CALLS[framework](program_worker._import(path))
        return [call(arrays) for arrays in batches]

    return run


def in_order(names_of: Callable[[keras.Model], list[str]], model: keras.Model, found: list[str]) -> list[str]:
    """The names that a file has, in the model's order where they are the model's."""
    try:
        names = names_of(model)
    except Exception:  # of models that have no list of inputs
        return list(found)
    return names if sorted(names) == sorted(found) else list(found)


RUN = {
    "litert": run_litert,
    "onnx": run_onnx,
    "onnx_web": run_opened("onnx_web"),
    "openvino": run_opened("openvino"),
    "numpy": run_program("numpy"),
    "torch": run_program("torch"),
    "c": run_opened("c_code"),
}
