"""OpenVINO, on the CPU, in float32."""

import sys
from pathlib import Path
from typing import Any

import numpy as np

from study_keras import limits
from study_keras.runtimes import installed, openvino_gate
from study_keras.runtimes.runner import Arrays, Runner, TensorSpec, first_words

# Some processors would compute in bfloat16 or float16 otherwise.
HINTS = {"INFERENCE_PRECISION_HINT": "f32", "EXECUTION_MODE_HINT": "ACCURACY"}


def library() -> Any:
    """Import OpenVINO without its telemetry, which tells its maker of each use.

    Raises:
        FileNotFoundError: it is not installed.
    """
    installed.check("openvino")
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # as if that package were missing
    import openvino

    return openvino


def open(path: str | Path) -> Runner:  # noqa: A001
    """Load an ``.xml`` file and the ``.bin`` file beside it, which has its constants.

    Raises:
        ValueError: a file is missing or broken, or has an operation that is not OpenVINO's own.
        FileNotFoundError: OpenVINO is not installed.
    """
    openvino = library()
    path = Path(path)
    try:
        text, constants = openvino_gate.read(path)
        weights = openvino.Tensor(np.frombuffer(constants or b"0", np.uint8))  # it takes no empty one
        core = openvino.Core()
        model = core.read_model(model=text, weights=weights)
        _check_sizes(model)
        compiled = core.compile_model(model, "CPU", HINTS)
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    except Exception as error:  # RuntimeError, and TypeError from its bindings
        raise ValueError(f"{path}: OpenVINO cannot run it: {first_words(error)}") from error
    request = compiled.create_infer_request()

    def call(arrays: Arrays) -> Arrays:
        request.infer(dict(enumerate(arrays)))
        return [np.array(request.get_output_tensor(place).data) for place in range(len(compiled.outputs))]

    inputs = [_spec(port, port.node) for port in compiled.inputs]
    fixed = next((spec.shape[0] for spec in inputs if spec.shape), None)
    return Runner(
        "OpenVINO", path, call, inputs, [_spec(port, port.node) for port in compiled.outputs], batch_size=fixed
    )


def _check_sizes(model: Any) -> None:
    """Refuse a tensor that is larger than a load may take, before OpenVINO folds constants to it."""
    for node in model.get_ops():
        for port in node.outputs() if node.get_type_name() != "Constant" else ():
            shape = port.get_partial_shape()
            if shape.is_static:
                size = limits.byte_count([int(dim.get_length()) for dim in shape], port.get_element_type().size)
                limits.take(size, f"tensor {node.get_friendly_name()}")


def _spec(port: Any, node: Any) -> TensorSpec:
    names = port.get_names()
    name = node.get_friendly_name()
    shape = port.get_partial_shape()
    sizes = None if shape.rank.is_dynamic else tuple(dim.get_length() if dim.is_static else None for dim in shape)
    kind = port.get_element_type()
    dtype = "str" if kind.get_type_name() == "string" else np.dtype(kind.to_dtype()).name
    return TensorSpec(name if name in names or not names else min(names), sizes, dtype)
