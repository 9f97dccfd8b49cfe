"""ONNX Runtime, on the CPU."""

from pathlib import Path
from typing import Any

import numpy as np

from study_keras import limits
from study_keras.runtimes.runner import Arrays, Runner, TensorSpec, first_words
from study_keras.startup import silence_output

DTYPES = {"float": "float32", "double": "float64"}  # where ONNX' name differs from NumPy's


def open(path: str | Path) -> Runner:  # noqa: A001
    """Load an ``.onnx`` file, and the files of weights in its folder that it names.

    Raises:
        ValueError: the file is missing or broken, or has operations that onnxruntime lacks.
    """
    import onnxruntime

    path = Path(path)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        limits.take(limits.check_file(path), str(path))
        with silence_output(2):  # it writes its errors there, too
            # From bytes, it would look for files of weights in the current folder.
            session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from error
    except Exception as error:  # onnxruntime's own classes
        raise ValueError(f"{path}: onnxruntime cannot run it: {first_words(error)}") from error
    inputs = [_spec(item) for item in session.get_inputs()]

    def call(arrays: Arrays) -> Arrays:
        feed = {spec.name: array for spec, array in zip(inputs, arrays, strict=True)}
        return [np.asarray(output) for output in session.run(None, feed)]

    fixed = next((spec.shape[0] for spec in inputs if spec.shape), None)
    outputs = [_spec(item) for item in session.get_outputs()]
    return Runner("onnxruntime", path, call, inputs, outputs, batch_size=fixed)


def _spec(item: Any) -> TensorSpec:
    dtype = item.type.removeprefix("tensor(").removesuffix(")")
    shape = tuple(size if isinstance(size, int) else None for size in item.shape or ())
    return TensorSpec(item.name, shape, DTYPES.get(dtype, dtype))
