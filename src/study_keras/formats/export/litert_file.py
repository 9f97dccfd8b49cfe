"""LiteRT (TensorFlow Lite): one ``.tflite`` file for Android, iOS and the interpreter ``ai_edge_litert``."""

import re
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np

from study_keras import files
from study_keras.formats import inference
from study_keras.formats.export import tensorflow_process
from study_keras.formats.export.graph.freeze import Frozen, freeze, owner
from study_keras.formats.export.graph.weights import with_weights
from study_keras.formats.export.litert_operations import in_litert_operations, loops, saved_model
from study_keras.formats.proof.prove import Proof, prove_export
from study_keras.runtimes.litert import interpreter_of
from study_keras.startup import quiet, silent

QUANTIZE = ("float16", "dynamic", "int8")


def export_litert(
    model: keras.Model,
    path: str | Path,
    quantize: str | None = None,
    images: Any = None,
    batch: int | None = None,
    *,
    prove: bool | Callable[[Proof], None] = True,
) -> Path:
    """Write ``model`` as a LiteRT file of built-in operations alone, which every interpreter has.

    Where LiteRT has no loop for any number of inputs (LSTM, GRU and the like), the file is for one at a time;
    ``litert_batch`` tells. Its signature ``serving_default`` names the inputs as ``keras.Input`` did (``input`` where
    it did not) and the outputs as their layers. Only TensorFlow can write it: on another backend of Keras the model
    travels to a process of its own for that, which takes some 10 seconds.

    Args:
        path: ends in ``.tflite``.
        quantize: None; ``"float16"``: the weights in half the size; ``"dynamic"``: the weights in a quarter;
            ``"int8"``: the arithmetic in bytes too. Inputs and outputs are float32 always.
        images: for int8, some hundred typical inputs as the model takes them, ``(n, ...)`` float32; a list of arrays
            where it has several inputs.
        batch: how many images at once; None for as many as the app likes. LiteRT in a web page needs a number.
        prove: whether the file must answer as Keras does before it gets its name; a function is told the ``Proof``.

    Returns:
        The path.

    Raises:
        ValueError: the model was never built, the path is no ``.tflite``, ``quantize`` or ``images``
            is not as above, LiteRT's built-in operations lack one of the model's (the message names its layer), or the
            file answers otherwise.
        OSError: the file cannot be written. What stood there is untouched.
    """
    path = Path(path)
    inference.check_model(model, path, ".tflite")
    arrays = _checked_options(model, quantize, images, batch)
    if keras.backend.backend() == "tensorflow":
        content = _content(model, quantize, arrays, batch)
        with files.atomic_write(path) as temporary:
            temporary.write_bytes(content)
            prove_export(prove, model, temporary, quantize or "float32", arrays)
    else:
        job = partial(export_litert, path=path, quantize=quantize, images=arrays, batch=batch, prove=prove)
        tensorflow_process.export_many(model, [job])
    return path


def list_litert(path: str | Path) -> list[tuple[str, tuple[int, ...]]]:
    """Return name and shape of all tensors in a LiteRT file, -1 for the number of images."""
    details = interpreter_of(path).get_tensor_details()
    return [(item["name"], tuple(map(int, item["shape_signature"]))) for item in details if item["name"]]


def litert_batch(path: str | Path) -> int | None:
    """Return how many inputs at once a LiteRT file takes; None for as many as the app likes.

    ``export_litert`` writes 1 where LiteRT has no loop for any number: LSTM, GRU and the like.
    """
    ((_, shape), *_) = list_inputs(path)
    size = next(iter(shape), -1)
    return None if size < 0 else size


def list_inputs(path: str | Path) -> list[tuple[str, tuple[int, ...]]]:
    """Return name and shape of the inputs of a LiteRT file, -1 for a size that is open."""
    details = interpreter_of(path).get_input_details()
    return [(item["name"], tuple(map(int, item["shape_signature"]))) for item in details]


def _checked_options(model: keras.Model, quantize: str | None, images: Any, batch: int | None) -> list[Any] | None:
    """Return the images as a list of arrays, one for each input."""
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


def _content(model: keras.Model, quantize: str | None, images: list[Any] | None, batch: int | None) -> bytes:
    """Return what the file holds: for one input at a time where LiteRT cannot say it for any number."""
    frozen = in_litert_operations(freeze(model, batch=batch), model)
    open_batch = batch is None and all(port.shape[:1] == (None,) for port in frozen.inputs)
    if not (open_batch and loops(frozen)):
        try:
            return _convert(frozen, model, quantize, images, batch or 1)
        except ValueError:
            if not open_batch:
                raise
    return _convert(in_litert_operations(freeze(model, batch=1), model), model, quantize, images, 1)


def _convert(frozen: Frozen, model: keras.Model, quantize: str | None, images: list[Any] | None, batch: int) -> bytes:
    import tensorflow as tf
    from tensorflow.lite.python import lite

    names = [port.name for port in frozen.inputs]
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), quiet(), silent(2):
        warnings.simplefilter("ignore", UserWarning)  # TensorFlow deprecates the interpreter that it calibrates with
        Path(folder, "saved_model.pb").write_bytes(saved_model(with_weights(frozen)))
        try:
            # Not from_saved_model, which loads the graph once more, to keep variables alive that it does not have.
            converter = lite.TFLiteSavedModelConverterV2(folder, {"serve"}, ["serving_default"])
            operations = tf.lite.OpsSet.TFLITE_BUILTINS_INT8 if quantize == "int8" else tf.lite.OpsSet.TFLITE_BUILTINS
            converter.target_spec.supported_ops = [operations]
            if quantize:
                converter.optimizations = [tf.lite.Optimize.DEFAULT]
            if quantize == "float16":
                converter.target_spec.supported_types = [tf.float16]
            if images is not None:
                converter.representative_dataset = lambda: _one_by_one(names, images, batch)
            content: bytes = converter.convert()
        except Exception as error:  # TensorFlow raises what it likes
            raise ValueError(_reason(error, model)) from error
    return content


def _one_by_one(names: Sequence[str], images: list[Any], batch: int) -> Iterator[dict[str, Any]]:
    for start in range(len(images[0]) - batch + 1):
        yield {name: array[start : start + batch] for name, array in zip(names, images, strict=True)}


def _reason(error: Exception, model: keras.Model) -> str:
    """Return which operation of which layer LiteRT lacks, of what its converter says in its own language."""
    words = str(error)
    located = r'loc\(fused\["\w+:", "([^"]+)"\]\): \'tf\.(\w+)\' op'
    if found := re.findall(located + " is neither a custom op nor a flex op", words) or re.findall(located, words):
        name, operation = found[0]
        return (
            f"{owner(model, name)}: LiteRT has no operation {operation} of its own, nor can it be said with others as "
            "it is used here; use another layer, or leave this one out of the exported model"
        )
    plain = re.sub(r"<unknown>:0: |(error: )?loc\(.*?\)\)?: ", "", words or type(error).__name__).splitlines()[0]
    return f"LiteRT's converter cannot express the model {model.name!r}: {plain[:200]}"
