"""``NAME.pt2``: what ``torch.export`` makes of the PyTorch program of a model, a graph with its weights."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from study_keras import files
from study_keras.formats import inference
from study_keras.formats.proof.prove import Proof, report_proof
from study_keras.formats.proof.prove import prove as prove_file
from study_keras.formats.saving.safetensors_file import to_safetensors
from study_keras.formats.written.model_steps import program_of
from study_keras.formats.written.torch_program import torch_text
from study_keras.runtimes import installed, program, torch_export

EXAMPLES = 2  # ``torch.export`` takes a size of 1 for a constant


def export_pt2(model: keras.Model, path: str | Path, *, prove: bool | Callable[[Proof], None] = True) -> Path:
    """Write ``model`` as a file of ``torch.export``, which PyTorch loads without the code of the model.

    ``torch.export.load("NAME.pt2").module()`` returns the module. It takes and returns what the Keras model does, of
    any batch size, channels last. The same model and version of PyTorch give the same file, byte for byte. Models in
    half precision are written as float32.

    Args:
        path: ends in ``.pt2``.
        prove: whether the file is loaded and run in PyTorch, on the processor, and compared with Keras before it gets
            its name; a function is called with the ``Proof``.

    Returns:
        The path.

    Raises:
        ValueError: the model was never built, has a layer or option that ``export_torch`` does not write (the message
            names it) or an open size; the path does not end in ``.pt2``; or the file's outputs differ from Keras'.
        FileNotFoundError: PyTorch or the package ``safetensors`` is not installed.
        OSError: the file cannot be written. What was there is unchanged.
    """
    inference.check_model(model, Path(path), ".pt2")
    content = _content(model)
    with files.atomic_write(path) as file:
        file.write_bytes(content)
        if prove is not False:
            report_proof(prove, prove_file(model, file, opened=torch_export.open(file, lambda _: content)))
    return Path(path)


def pt2_content(model: keras.Model) -> Callable[[Path], bytes]:
    """Return a function of a path to the content that ``export_pt2`` writes, which needs some seconds of PyTorch.

    Raises:
        ValueError: as ``export_pt2``.
        FileNotFoundError: likewise.
    """
    return lambda _: _content(model)


def _content(model: keras.Model) -> bytes:
    installed.check("torch_export")
    inputs = [np.zeros((EXAMPLES, *item.shape), _dtype(item.dtype)) for item in program_of(model).inputs]
    weights = to_safetensors(model, as_float32=True)
    return program.export_program(torch_text(model), weights, inputs)


def _dtype(dtype: str) -> str:
    return "float32" if "float" in dtype else dtype
