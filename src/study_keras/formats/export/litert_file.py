"""LiteRT (TensorFlow Lite): one ``.tflite`` file for Android, iOS and the interpreter ``ai_edge_litert``."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np

from study_keras import limits
from study_keras.formats import inference
from study_keras.formats.export import tensorflow_process
from study_keras.formats.proof.prove import Proof
from study_keras.runtimes.litert import interpreter_of

QUANTIZE = ("float16", "dynamic", "int8")


def export_litert(
    model: keras.Model,
    path: str | Path,
    quantize: str | None = None,
    images: Any = None,
    batch: int | None = None,
    *,
    names: bool = False,
    prove: bool | Callable[[Proof], None] = True,
) -> Path:
    """Write ``model`` as a LiteRT file that contains only built-in operations, which every interpreter has.

    Where LiteRT has no loop with a dynamic batch size (LSTM, GRU and similar), the file has batch size 1; see
    ``litert_batch``. Its signature ``serving_default`` names the inputs as ``keras.Input`` did (``input`` where it did
    not) and the outputs as their layers. Only TensorFlow can write it: on another backend of Keras the export runs in a
    subprocess, which takes about 10 seconds.

    Args:
        path: ends in ``.tflite``.
        quantize: None; ``"float16"``: weights in half the size; ``"dynamic"``: weights in a quarter of the size;
            ``"int8"``: also the arithmetic in bytes. Inputs and outputs are always float32.
        images: for int8, some hundred typical inputs as the model takes them, ``(n, ...)`` float32; a list of arrays
            for several inputs.
        batch: the batch size; None for a dynamic one. LiteRT in a web page needs a number.
        names: whether the tensors inside keep the names that TensorFlow gave them, for looking into the file, and
            everything else that no interpreter reads; see ``litert_slim``.
        prove: whether the file is compared with Keras before it gets its name; a function is called with the
            ``Proof``.

    Returns:
        The path.

    Raises:
        ValueError: the model was never built, the path does not end in ``.tflite``, ``quantize`` or ``images`` is not
            as above, LiteRT lacks an operation of the model (the message names its layer), or the file's outputs
            differ from Keras'.
        OSError: the file cannot be written. A file that was there is unchanged.
    """
    inference.check_model(model, Path(path), ".tflite")
    arrays = checked_options(model, quantize, images, batch)
    job = partial(export_litert, path=path, quantize=quantize, images=arrays, batch=batch, names=names, prove=prove)
    content = partial(_content, names, model, quantize, arrays, batch)
    return tensorflow_process.export_file(model, job, content, quantize or "float32", arrays)


def _content(names: bool, *arguments: Any) -> bytes:
    from study_keras.formats.export.litert_converter import to_litert  # loads TensorFlow
    from study_keras.formats.export.litert_slim import slim

    content = to_litert(*arguments)
    return content if names else slim(content)


@limits.reader
def list_litert(path: str | Path) -> list[tuple[str, tuple[int, ...]]]:
    """Return name and shape of all tensors in a LiteRT file, -1 for a dynamic batch size; without a name, a number."""
    described = _described(interpreter_of(path).get_tensor_details())
    return [(name or f"tensor {number}", shape) for number, (name, shape) in enumerate(described)]


def litert_batch(path: str | Path) -> int | None:
    """Return the batch size of a LiteRT file; None for a dynamic one.

    ``export_litert`` writes 1 where LiteRT has no loop with a dynamic batch size: LSTM, GRU and similar.
    """
    _, shape = _described(interpreter_of(path).get_input_details())[0]
    return shape[0] if shape and shape[0] >= 0 else None


def _described(details: list[dict[str, Any]]) -> list[tuple[str, tuple[int, ...]]]:
    return [(item["name"], tuple(map(int, item["shape_signature"]))) for item in details]


def checked_options(model: keras.Model, quantize: str | None, images: Any, batch: int | None) -> list[Any] | None:
    """Return the images as a list of arrays, one per input."""
    if quantize is not None and quantize not in QUANTIZE:
        raise ValueError(f"quantize={quantize!r}; expected None or one of {', '.join(QUANTIZE)}")
    if batch is not None and batch < 1:
        raise ValueError(f"batch={batch}; expected None or a whole number of at least 1")
    if quantize != "int8":
        return None
    if images is None:
        raise ValueError("quantize='int8' needs images=: some hundred typical inputs as the model takes them, float32")
    arrays = [np.asarray(array) for array in (images if isinstance(images, list | tuple) else [images])]
    found = [(array.shape[1:], array.dtype.name) for array in arrays]
    expected = [(tuple(item.shape[1:]), item.dtype) for item in model.inputs]
    fits = len(found) == len(expected) and all(
        dtype == wanted and len(shape) == len(form) and all(b in (None, a) for a, b in zip(shape, form, strict=True))
        for (shape, dtype), (form, wanted) in zip(found, expected, strict=True)
    )
    if not fits or not len(arrays[0]) or len({len(array) for array in arrays}) > 1:
        raise ValueError(f"images of {found}; expected at least one image of {expected}")
    return arrays
