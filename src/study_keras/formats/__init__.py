"""Keras models to and from files of any format, and the proof that they answer the same. Knows nothing of MNIST.

No file that is read here runs code. Modules, Keras and TensorFlow are imported by the function that needs them.
"""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from study_keras import limits, runtimes
from study_keras.formats.detection import detect, detect_target
from study_keras.formats.table import FORMATS, Format
from study_keras.startup import import_keras

if TYPE_CHECKING:
    import keras

    from study_keras.runtimes.runner import Runner

# The functions of the table, which this module has by their own names: formats.export_tfjs, formats.load_keras ...
_MODULES = {
    place.partition(":")[2]: place.partition(":")[0]
    for item in FORMATS
    for place in (item.save, item.load, item.load_weights, item.list_weights)
    if place
} | {"litert_batch": "formats.export.litert_file", "run_tfjs": "runtimes.tfjs"}
__all__ = ["FORMATS", "Format", "detect", "detect_target", "load", "load_weights", "open", "save"]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return getattr(import_module(f"study_keras.{_MODULES[name]}"), name)


def save(model: "keras.Model", path: str | Path, **options: Any) -> Path:
    """Write ``model`` to ``path`` in the format that its suffix names, completely or not at all.

    Args:
        model: a Sequential or functional model.
        path: ``.keras``, ``.h5``, ``.weights.h5``, ``.json``, ``.yaml``, ``.weights`` or ``.ckpt`` (a TensorFlow
            checkpoint), ``.savedmodel`` or no suffix (a SavedModel folder), ``.tfjs`` (a folder for TensorFlow.js),
            ``.tflite``, ``.onnx``, or ``.xml`` (OpenVINO, with a ``.bin`` file beside it); ``.safetensors`` (weights);
            ``NAME_numpy.py`` or ``NAME_torch.py`` (a program and its weights); ``.c`` (a program and its header),
            ``.micro.c`` (a C array for microcontrollers) or ``.pt2`` (of ``torch.export``).
        options: further arguments of the format's own function, such as ``quantize``.

    Returns:
        The path.

    Raises:
        ValueError: no format has this suffix.
        OSError: nothing can be written there. What stood there is untouched.
    """
    return detect_target(path).function("save")(model, Path(path), **options)


@limits.reader
def load(path: str | Path, custom_objects: dict[str, Any] | None = None) -> Any:
    """Return the model at ``path``; with fresh weights from a structure.

    A SavedModel without a structure of Keras 2 becomes a function from arrays to arrays, a ``SavedFunction``.

    Args:
        path: any file or folder that ``save`` or Keras 2 writes, except weights, ``.tflite``, ``.onnx`` and ``.xml``.
        custom_objects: classes and functions from outside Keras that the file may name.

    Raises:
        ValueError: nothing is there, it is broken, contains only weights or only inference, or names what is neither
            part of Keras nor in ``custom_objects``.
    """
    found = detect(path)
    if found.load:
        takes_objects = found.name not in ("saved_model", "tfjs")
        return found.function("load")(path, custom_objects) if takes_objects else found.function("load")(path)
    if found.keeps == ("inference",):
        raise ValueError(f"{path}: contains a model for inference only, which Keras cannot load")
    raise ValueError(f"{path}: contains only weights; load them into a model with load_weights(model, path)")


@limits.reader
def load_weights(model: "keras.Model", path: str | Path) -> None:
    """Put the weights at ``path`` into ``model``; change nothing if they do not fit.

    Raises:
        ValueError: no weights there, broken, or of another model; the message says which layer, which shape
            was expected and which was found.
    """
    found = detect(path)
    if not found.load_weights:
        raise ValueError(f"{path}: {found.name} has no weights that can be put into a model")
    found.function("load_weights")(model, path)


def try_file(path: str | Path, found: Format) -> None:
    """Refuse a file of the format ``found`` on which its runtime crashes: some do not check all that they read.

    Raises:
        ValueError: it crashes.
    """
    if found.runtime in ("litert", "openvino", "tflite_micro"):
        from study_keras.runtimes import trial

        trial.check(path, found.runtime)


@limits.reader
def open(path: str | Path) -> "Runner":  # noqa: A001
    """Load a model ready to run, in the lightest runtime that runs its format: what ``verify`` runs and users run.

    Args:
        path: ``.tflite`` (LiteRT), ``.onnx`` (onnxruntime), ``.xml`` (OpenVINO), a TF.js folder or an archive of it
            (Node), a SavedModel (TensorFlow), or a whole Keras model, for which Keras is imported.

    Raises:
        ValueError: it is missing or broken, or contains only a part of a model.
        FileNotFoundError: the runtime, Node or its packages, is not installed.
    """
    found = detect(path)
    if found.runtime:
        try_file(path, found)
        return runtimes.open(path, found.runtime)
    if not {"structure", "weights"} <= set(found.keeps):
        raise ValueError(
            f"{path}: contains only {' and '.join(found.keeps)}; expected a whole model, such as .keras or .tflite"
        )
    import_keras()
    from study_keras.formats.keras_runner import keras_runner

    return keras_runner(load(path), path)
