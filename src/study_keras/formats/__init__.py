"""Any Keras model to and from any format, one file a format. This room knows nothing of MNIST.

No file that is read here runs code. TensorFlow is imported only by the formats that are its own.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from study_keras.formats.export.litert_file import export_litert, litert_batch
from study_keras.formats.export.onnx_file import export_onnx
from study_keras.formats.export.saved_model import load_saved_model, save_saved_model
from study_keras.formats.keras2 import metadata as keras2_metadata
from study_keras.formats.keras2.saved_model import load_keras2_saved_model, load_weights_keras2_saved_model
from study_keras.formats.saving.h5_file import load_h5, save_h5
from study_keras.formats.saving.json_file import is_tfjs, load_json, save_json
from study_keras.formats.saving.keras_file import load_keras, load_weights_keras, save_keras
from study_keras.formats.saving.tf_checkpoint import list_tf_checkpoint, load_tf_checkpoint, save_tf_checkpoint
from study_keras.formats.saving.weights_h5 import load_weights_h5, save_weights_h5
from study_keras.formats.saving.yaml_file import load_yaml, save_yaml
from study_keras.formats.tfjs import export_tfjs, is_graph, load_tfjs
from study_keras.formats.tfjs.node import run_tfjs

__all__ = [
    "KEEPS",
    "export_litert",
    "export_onnx",
    "export_tfjs",
    "kind",
    "kind_to_write",
    "list_tf_checkpoint",
    "litert_batch",
    "load",
    "load_h5",
    "load_json",
    "load_keras",
    "load_keras2_saved_model",
    "load_saved_model",
    "load_tf_checkpoint",
    "load_tfjs",
    "load_weights",
    "load_weights_h5",
    "load_weights_keras",
    "load_yaml",
    "run_tfjs",
    "save",
    "save_h5",
    "save_json",
    "save_keras",
    "save_saved_model",
    "save_tf_checkpoint",
    "save_weights_h5",
    "save_yaml",
]

# What each kind of file keeps of a model. What is for inference keeps the weights inside what it computes.
KEEPS = {
    "keras": ("structure", "weights", "optimizer"),
    "h5": ("structure", "weights", "optimizer"),
    "json": ("structure",),
    "yaml": ("structure",),
    "weights_h5": ("weights", "optimizer"),
    "tf_checkpoint": ("weights", "optimizer"),
    "saved_model": ("inference",),
    "keras2_saved_model": ("structure", "weights", "optimizer"),
    "tfjs": ("structure", "weights"),
    "tfjs_graph": ("inference",),
    "litert": ("inference",),
    "onnx": ("inference",),
}
_SUFFIXES = {
    ".weights.h5": "weights_h5",
    ".keras": "keras",
    ".h5": "h5",
    ".hdf5": "h5",
    ".json": "json",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".index": "tf_checkpoint",
    ".data-00000-of-00001": "tf_checkpoint",
    ".weights": "tf_checkpoint",
    ".ckpt": "tf_checkpoint",
    ".savedmodel": "saved_model",
    ".tfjs": "tfjs",
    ".tflite": "litert",
    ".onnx": "onnx",
}


def kind(path: str | Path) -> str:
    """Return what is, or would be, at ``path``: a key of ``KEEPS``.

    What is there counts first: a folder is a SavedModel, one of Keras 2 with the structure in it, or a TF.js model;
    ``NAME`` is a checkpoint if there is a ``NAME.index``; an ``.h5`` without a structure holds weights, a ``.json``
    with a topology stands for the TF.js folder that it lies in. Then the suffix; a name without one is a SavedModel's.

    Raises:
        ValueError: nothing that this room knows.
    """
    path = Path(path)
    found = next((value for suffix, value in _SUFFIXES.items() if path.name.endswith(suffix)), None)
    if path.is_dir() and (path / "saved_model.pb").is_file():
        return "keras2_saved_model" if keras2_metadata.is_model(path) else "saved_model"
    if path.is_dir() and (path / "model.json").is_file():
        return "tfjs_graph" if is_graph(path) else "tfjs"
    if not path.exists() and Path(f"{path}.index").is_file():
        return "tf_checkpoint"
    if found == "h5" and path.is_file():
        return _kind_of_h5(path)
    if found == "json" and path.is_file() and is_tfjs(path):
        return "tfjs_graph" if is_graph(path.parent) else "tfjs"
    if found is None and path.suffix == "":
        return "saved_model"
    if found is None:
        raise ValueError(f"{path}: expected a name that ends in {', '.join(_SUFFIXES)}, or a SavedModel folder")
    return found


def save(model: keras.Model, path: str | Path, **options: Any) -> Path:
    """Write ``model`` to ``path`` in the format that its suffix names, whole or not at all.

    Args:
        model: a Sequential or functional model.
        path: ``.keras``, ``.h5``, ``.weights.h5``, ``.json``, ``.yaml``, ``.weights`` or ``.ckpt`` (a TensorFlow
            checkpoint), ``.savedmodel`` or no suffix (a SavedModel folder), ``.tfjs`` (a folder for TensorFlow.js),
            ``.tflite`` or ``.onnx``.
        options: what the format's own function takes besides, such as ``quantize``.

    Returns:
        The path.

    Raises:
        ValueError: no format has this suffix.
        OSError: nothing can be written there. What stood there is untouched.
    """
    writers: dict[str, Callable[..., Path]] = {
        "keras": save_keras,
        "h5": save_h5,
        "json": save_json,
        "yaml": save_yaml,
        "weights_h5": save_weights_h5,
        "tf_checkpoint": save_tf_checkpoint,
        "saved_model": save_saved_model,
        "tfjs": export_tfjs,
        "litert": export_litert,
        "onnx": export_onnx,
    }
    return writers[kind_to_write(path)](model, Path(path), **options)


def kind_to_write(path: str | Path) -> str:
    """Return what ``save`` writes at ``path``: a key of ``KEEPS``. What stands there, and is replaced, can be another.

    Raises:
        ValueError: nothing that this room knows.
    """
    if str(path).endswith((".h5", ".hdf5")) and not str(path).endswith(".weights.h5"):
        return "h5"
    found = "json" if str(path).endswith(".json") else kind(path)
    return {"keras2_saved_model": "saved_model", "tfjs_graph": "tfjs"}.get(found, found)


def load(path: str | Path, custom_objects: dict[str, Any] | None = None) -> Any:
    """Return the model at ``path``; with fresh weights from a structure.

    A SavedModel without a structure of Keras 2 becomes a function from arrays to arrays, a ``SavedFunction``.

    Args:
        path: any file or folder that ``save`` or Keras 2 writes, except weights alone, ``.tflite`` and ``.onnx``.
        custom_objects: classes and functions from outside Keras that the file may name.

    Raises:
        ValueError: nothing there, broken, weights alone, or naming what is not of Keras nor in
            ``custom_objects``.
    """
    readers: dict[str, Callable[..., Any]] = {
        "keras": load_keras,
        "h5": load_h5,
        "json": load_json,
        "yaml": load_yaml,
        "keras2_saved_model": load_keras2_saved_model,
    }
    found = kind(path)
    if found == "saved_model":
        return load_saved_model(path)
    if found == "tfjs":
        return load_tfjs(path)
    if found in ("litert", "onnx", "tfjs_graph"):
        raise ValueError(f"{path}: holds a model for inference alone, of which Keras can make none again")
    if found not in readers:
        raise ValueError(f"{path}: weights alone make no model; load them into one with load_weights(model, path)")
    return readers[found](path, custom_objects)


def load_weights(model: keras.Model, path: str | Path) -> None:
    """Put the weights at ``path`` into ``model``; change nothing if they do not fit.

    Raises:
        ValueError: no weights there, broken, or of another model; the message says which layer, which shape
            was expected and which was found.
    """
    readers: dict[str, Callable[[keras.Model, str | Path], None]] = {
        "keras": load_weights_keras,
        "h5": load_weights_h5,
        "weights_h5": load_weights_h5,
        "tf_checkpoint": load_tf_checkpoint,
        "keras2_saved_model": load_weights_keras2_saved_model,
    }
    found = kind(path)
    if found not in readers:
        raise ValueError(f"{path}: {found} has no weights that can be put into a model")
    readers[found](model, path)


def _kind_of_h5(path: Path) -> str:
    import h5py

    try:
        with h5py.File(path) as file:
            return "h5" if "model_config" in file.attrs or not len(file) else "weights_h5"
    except (OSError, RuntimeError):
        return "h5"  # whoever loads it says what is wrong
