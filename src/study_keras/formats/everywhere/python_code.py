"""The first lines of Python for each format that Python runs: ``outputs`` is the answer to an example of zeros."""

from typing import Any

from study_keras.formats.everywhere.interface import Interface, Tensor
from study_keras.formats.keras_runner import pack


class _Code(str):
    """A piece of code, which has no quotes where a list or dict shows it."""

    __slots__ = ()
    __repr__ = str.__str__


def keras_lines(to: Interface) -> list[str]:
    load = [f'model = keras.saving.load_model("{to.name}.keras")']
    return _block(to, ["import keras", "import numpy as np"], load, f"model({_structure(to)})")


def parts_lines(to: Interface) -> list[str]:
    """A structure, and the weights from another file."""
    load = [
        f'model = keras.models.model_from_json(Path("{to.name}.model.json").read_text(encoding="utf-8"))',
        f'model.load_weights("{to.name}.weights.h5")',
    ]
    imports = ["from pathlib import Path", "", "import keras", "import numpy as np"]
    return _block(to, imports, load, f"model({_structure(to)})")


def saved_model_lines(to: Interface) -> list[str]:
    load = [f'model = tf.saved_model.load("{to.name}.savedmodel")']
    return _block(to, ["import numpy as np", "import tensorflow as tf"], load, f"model.serve({_structure(to)})")


def litert_lines(to: Interface) -> list[str]:
    imports = ["import numpy as np", "from ai_edge_litert.interpreter import Interpreter"]
    load = [
        f'interpreter = Interpreter("{to.name}.tflite")',
        'run = interpreter.get_signature_runner("serving_default")',
    ]
    return _block(to, imports, load, f"run({_keywords(to)})  # a dict by the names of the outputs")


def onnx_lines(to: Interface) -> list[str]:
    load = [f'session = onnxruntime.InferenceSession("{to.name}.onnx")']
    names = ", ".join(f'"{item.name}"' for item in to.outputs)
    return _block(to, ["import numpy as np", "import onnxruntime"], load, f"session.run([{names}], {_named(to)})")


def openvino_lines(to: Interface) -> list[str]:
    load = [
        'hints = {"INFERENCE_PRECISION_HINT": "f32"}  # some processors would compute in bfloat16',
        f'model = openvino.compile_model("{to.name}.xml", "CPU", hints)',
    ]
    call = f"model({_named(to)})  # a dict by the names of the outputs"
    return _block(to, ["import numpy as np", "import openvino"], load, call)


def numpy_lines(to: Interface) -> list[str]:
    imports = ["import numpy as np", "", f"from {to.name}_numpy import load_weights, predict"]
    return _block(to, imports, ["weights = load_weights()"], f"predict(weights, {_variables(to)})")


def torch_lines(to: Interface) -> list[str]:
    imports = ["import numpy as np", "import torch", "", f"from {to.name}_torch import load"]
    return _torch_block(to, imports, "model = load()")


def pt2_lines(to: Interface) -> list[str]:
    load = f'model = torch.export.load("{to.name}.pt2").module()'
    return _torch_block(to, ["import numpy as np", "import torch"], load)


def _torch_block(to: Interface, imports: list[str], load: str) -> list[str]:
    given = ", ".join(f"torch.from_numpy({item.variable})" for item in to.inputs)
    lines = _block(to, imports, [load], f"model({given})")
    call = next(index for index, line in enumerate(lines) if line.startswith("outputs"))
    return [*lines[:call], "with torch.inference_mode():", f"    {lines[call]}", *lines[call + 1 :]]


def _block(to: Interface, imports: list[str], load: list[str], call: str) -> list[str]:
    inputs = [f"{item.variable} = {_zeros(item)}" for item in to.inputs]
    return [*imports, "", *load, *inputs, f"outputs = {call}", *(f"# {item.described}" for item in to.outputs)]


def _zeros(item: Tensor) -> str:
    if item.dtype == "string":
        return f'np.full({item.shape}, "", dtype=object)'
    return f'np.zeros({item.shape}, dtype="{item.dtype}")'


def _structure(to: Interface) -> str:
    """Return the inputs as the model takes them: one, a list, a dict, nested ones."""
    variables: Any = [_Code(item.variable) for item in to.inputs]
    return repr(pack(to.model, variables))


def _variables(to: Interface) -> str:
    return ", ".join(item.variable for item in to.inputs)


def _named(to: Interface) -> str:
    return "{" + ", ".join(f'"{item.name}": {item.variable}' for item in to.inputs) + "}"


def _keywords(to: Interface) -> str:
    if all(item.name.isidentifier() for item in to.inputs):
        return ", ".join(f"{item.name}={item.variable}" for item in to.inputs)
    return f"**{_named(to)}"
