"""Run a model file in its own runtime: LiteRT, ONNX Runtime, TensorFlow.js in Node, TensorFlow, NumPy, JAX, PyTorch.

Imports no Keras.
"""

from importlib import import_module
from pathlib import Path
from typing import Any

from study_keras.runtimes.runner import Runner

__all__ = ["Runner", "open"]


def open(path: str | Path, runtime: str, *options: Any) -> Runner:  # noqa: A001
    """Load a model file ready to run. The runtime is imported here.

    Args:
        path: the file or folder.
        runtime: ``litert``, ``onnx``, ``tfjs``, ``saved_model``, ``tflite_micro``, ``c_code``, ``numpy_program``,
            ``jax_program``, ``torch_program`` or ``torch_export``: a module of this package.
        options: further arguments of the module's ``open``, such as the only program that may run.

    Raises:
        ValueError: the file is missing or broken.
        FileNotFoundError: Node or its packages, for TF.js, or PyTorch are not installed.
    """
    return import_module(f"{__name__}.{runtime}").open(path, *options)
