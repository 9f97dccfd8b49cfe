"""ONNX: one ``.onnx`` file for onnxruntime and every other program that reads ONNX."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import keras

from study_keras import limits
from study_keras.formats import inference
from study_keras.formats.export import tensorflow_process
from study_keras.formats.proof.prove import Proof
from study_keras.runtimes.runner import first_words

OPSETS = range(13, 19)  # of tf2onnx 1.17; those before 13 lack much of what Keras models need
DEFAULT_OPSET = 15


def export_onnx(
    model: keras.Model,
    path: str | Path,
    *,
    opset: int = DEFAULT_OPSET,
    prove: bool | Callable[[Proof], None] = True,
) -> Path:
    """Write ``model`` for inference as ONNX, with a dynamic batch size.

    Only TensorFlow can trace it: on another backend of Keras the export runs in a subprocess, which takes about 10
    seconds. Inputs and outputs have the names that ``keras.Input`` and the layers have.

    Args:
        path: ends in ``.onnx``.
        opset: the version of the ONNX operations, 13 to 18. A newer one needs a newer runtime.
        prove: whether the file is compared with Keras before it gets its name; a function is called with the
            ``Proof``.

    Returns:
        The path.

    Raises:
        ValueError: the model was never built, ONNX cannot express it, ``opset`` is not 13 to 18, the path does not end
            in ``.onnx``, or the file's outputs differ from Keras'.
        OSError: the file cannot be written. A file that was there is unchanged.
    """
    if opset not in OPSETS:
        raise ValueError(f"opset={opset}; expected {OPSETS.start} to {OPSETS.stop - 1}")
    inference.check_model(model, Path(path), ".onnx")

    def content() -> bytes:
        from study_keras.formats.export.onnx_converter import to_onnx  # loads TensorFlow

        return to_onnx(model, opset)

    return tensorflow_process.export_file(model, partial(export_onnx, path=path, opset=opset, prove=prove), content)


@limits.reader
def list_onnx(path: str | Path) -> list[tuple[str, tuple[int, ...]]]:
    """Return name and shape of the weights in an ONNX file.

    Raises:
        ValueError: the file is missing or broken.
    """
    import onnx

    try:
        limits.take(limits.check_file(path), str(path))
        model = onnx.load(path, load_external_data=False)
    except Exception as error:  # onnx raises protobuf's errors
        raise ValueError(f"{path}: cannot be read as ONNX: {first_words(error)}") from error
    if not model.HasField("graph"):
        raise ValueError(f"{path}: cannot be read as ONNX: there is no graph in it")
    return [(item.name, tuple(item.dims)) for item in model.graph.initializer]
