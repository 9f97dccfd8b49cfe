"""ONNX: one ``.onnx`` file for onnxruntime and all that reads ONNX."""

import warnings
from collections.abc import Callable
from pathlib import Path

import keras

from study_keras import files
from study_keras.formats import inference, tensorflow_process
from study_keras.formats.proof import Proof, prove_export
from study_keras.formats.quiet import quiet
from study_keras.startup import silent


def export_onnx(model: keras.Model, path: str | Path, prove: bool | Callable[[Proof], None] = True) -> Path:
    """Write ``model`` for inference as ONNX, for any number of images at once.

    Keras does it best on TensorFlow: on another backend of Keras the model travels to a process of its own for that,
    which takes some 10 seconds.

    Args:
        path: ends in ``.onnx``.
        prove: whether the file must answer as Keras does before it gets its name; a function is told the ``Proof``.

    Returns:
        The path.

    Raises:
        ValueError: the model is subclassed or never built, ONNX cannot express it, the file answers otherwise, or the
            path is no ``.onnx``.
        OSError: the file cannot be written. What stood there is untouched.
    """
    path = Path(path)
    inference.check_model(model, path, ".onnx")
    if keras.backend.backend() == "tensorflow":
        _write(model, path, prove)
    else:
        tensorflow_process.export_many(model, [{"path": path, "prove": prove}])
    return path


def list_onnx(path: str | Path) -> list[tuple[str, tuple[int, ...]]]:
    """Return name and shape of the weights in an ONNX file.

    Raises:
        ValueError: the file is missing or broken.
    """
    import onnx

    try:
        graph = onnx.load(path).graph
    except Exception as error:  # onnx raises protobuf's errors
        raise ValueError(f"{path}: cannot be read as ONNX: {str(error).splitlines()[0]}") from error
    return [(item.name, tuple(item.dims)) for item in graph.initializer]


def _write(model: keras.Model, path: Path, prove: bool | Callable[[Proof], None]) -> None:
    names = inference.input_names(model)
    pairs = zip(names, model.inputs, strict=True)
    specs = [keras.InputSpec(shape=item.shape, dtype=item.dtype, name=name) for name, item in pairs]
    listed = keras.Model(model.inputs, model.outputs)  # the same layers, its inputs in a list
    with files.atomic_write(path) as temporary, warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # Keras looks for np.object, to mend tf2onnx
        try:
            with quiet(), silent(2):
                listed.export(temporary, format="onnx", verbose=False, input_signature=[specs])
        except OSError:
            raise
        except Exception as error:  # tf2onnx raises what it likes
            reason = (str(error) or type(error).__name__).splitlines()[0][:300]
            raise ValueError(f"{path}: ONNX cannot express this model: {reason}") from error
        if not temporary.is_file():
            raise ValueError(f"{path}: ONNX cannot express this model: tf2onnx wrote nothing")
        prove_export(prove, model, temporary)
