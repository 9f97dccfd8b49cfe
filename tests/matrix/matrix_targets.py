"""The targets of the matrix: how a model is written for each, and what its real runtime answers."""

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from matrix_model import Arrays

from study_keras import formats
from study_keras.formats import inference
from study_keras.formats.tfjs import export_tfjs
from study_keras.startup import silence_output

EXPORTS: dict[str, tuple[str, Callable[..., Any]]] = {
    "tfjs": (".tfjs", export_tfjs),
    "litert": (".tflite", formats.export_litert),
    "onnx": (".onnx", formats.export_onnx),
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


def in_order(names_of: Callable[[keras.Model], list[str]], model: keras.Model, found: list[str]) -> list[str]:
    """The names that a file has, in the model's order where they are the model's."""
    try:
        names = names_of(model)
    except Exception:  # of models that have no list of inputs
        return list(found)
    return names if sorted(names) == sorted(found) else list(found)


RUN = {"litert": run_litert, "onnx": run_onnx}
