"""OpenVINO: an ``.xml`` file with the operations, and a ``.bin`` file beside it with the weights."""

import errno
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import keras

from study_keras import files, limits
from study_keras.formats import inference
from study_keras.formats.export import tensorflow_process
from study_keras.formats.proof.prove import Proof, prove_export
from study_keras.runtimes import installed, openvino, openvino_gate


def export_openvino(model: keras.Model, path: str | Path, *, prove: bool | Callable[[Proof], None] = True) -> Path:
    """Write ``model`` for inference as OpenVINO's two files, with a dynamic batch size and float32 weights.

    Only TensorFlow can trace it: on another backend of Keras the export runs in a subprocess, which takes about 10
    seconds. Inputs and outputs have the names that ``keras.Input`` and the layers have.

    Args:
        path: ``NAME.xml``; the weights become ``NAME.bin``.
        prove: whether the files are compared with Keras before they get their names; a function is called with the
            ``Proof``.

    Returns:
        The path.

    Raises:
        ValueError: the model was never built, ONNX or OpenVINO cannot express it, the path does not end in ``.xml``,
            there is a ``NAME.bin`` of something else, or the files' outputs differ from Keras'.
        FileNotFoundError: OpenVINO is not installed.
        OSError: the files cannot be written. Files that were there are unchanged.
    """
    path = Path(path)
    inference.check_model(model, path, ".xml")
    installed.check("openvino")
    _check_beside(path)
    if keras.backend.backend() != "tensorflow":
        tensorflow_process.export_many(model, [partial(export_openvino, path=path, prove=prove)])
        return path
    from study_keras.formats.export.openvino_converter import to_openvino  # loads TensorFlow

    converted = to_openvino(model)
    with files.atomic_files(path, path.with_suffix(".bin")) as (new, _):
        _write(converted, new)
        prove_export(prove, model, new)
    return path


def _write(converted: Any, path: Path) -> None:
    try:
        openvino.library().save_model(converted, path, compress_to_fp16=False)
    except RuntimeError as error:
        if "iostream" not in str(error):
            raise
        for file in (path.with_suffix(".bin"), path):  # OpenVINO does not say why, but the system does
            with file.open("ab") as more:
                more.write(bytes(2**20))
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(path)) from error


def _check_beside(path: Path) -> None:
    beside = path.with_suffix(".bin")
    if beside.is_dir() or (beside.exists() and not path.exists()):
        raise ValueError(f"{beside}: exists, and would be replaced by the weights of {path.name}; choose another name")


@limits.reader
def list_openvino(path: str | Path) -> list[tuple[str, tuple[int, ...]]]:
    """Return name and shape of the constants in an OpenVINO model; OpenVINO need not be installed.

    Raises:
        ValueError: a file is missing or broken.
    """
    try:
        return openvino_gate.constants(path)
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
