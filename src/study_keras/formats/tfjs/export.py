"""TensorFlow.js layers models: a folder with ``model.json`` and the weights in ``group1-shardNofM.bin``."""

import json
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras

from study_keras import files
from study_keras.formats.proof import Proof, prove_export
from study_keras.formats.tfjs.read import model_from_topology
from study_keras.formats.tfjs.training import training_config
from study_keras.formats.tfjs.weights import QUANTIZE, read_weights, write_weights
from study_keras.formats.tfjs_config import translate_model


def export_tfjs(
    model: keras.Model,
    path: str | Path,
    quantize: str | None = None,
    training: bool = False,
    prove: bool | Callable[[Proof], None] = True,
) -> Path:
    """Write a Keras 3 model as a folder that ``tf.loadLayersModel`` of TF.js 4.22 reads.

    What TF.js lacks is said exactly with what it has (see ``tfjs_layers``), otherwise the model is refused
    before anything is written. Nested models come out flat; the answers are those of Keras.

    Args:
        model: a built Sequential or functional model, with nested and shared layers as you like.
        path: the folder to write, by custom ``NAME.tfjs``. An earlier export there is replaced.
        quantize: None, or "float16", "uint16" or "uint8": how each weight is stored.
        training: also write optimizer, loss and metrics of a compiled model, so that TF.js can train on.
        prove: whether TF.js must answer as Keras does before the folder gets its name, where Node is there; a
            function is told the ``Proof``.

    Returns:
        The path.

    Raises:
        ValueError: TF.js cannot give this model's answers, or ``path`` is something else than an export.
        OSError: the folder cannot be written.
    """
    path = Path(path)
    if quantize is not None and quantize not in QUANTIZE:
        raise ValueError(f"quantize={quantize!r}; expected None or one of {', '.join(QUANTIZE)}")
    files.recover(path)
    _check_free(path)
    config = training_config(model) if training else None
    topology, weights = translate_model(model, training)
    with files.atomic_folder(path) as folder:
        folder.mkdir()
        manifest = write_weights(folder, weights, quantize)
        content: dict[str, Any] = {
            "format": "layers-model",
            "generatedBy": f"keras v{keras.__version__}",
            "convertedBy": f"hello-mnist v{version('hello-mnist')}",
            "modelTopology": {
                "keras_version": keras.__version__,
                "backend": keras.backend.backend(),
                "model_config": topology,
            },
            "weightsManifest": manifest,
        }
        if config:
            content["trainingConfig"] = config
        (folder / "model.json").write_text(json.dumps(content, allow_nan=False), encoding="utf-8")
        prove_export(prove, model, folder, quantize or "float32")
    return path


def load_tfjs(path: str | Path) -> keras.Model:
    """Read a TF.js layers model back into Keras 3.

    It may come from ``export_tfjs``, from TF.js' own ``model.save`` or from the converter of Keras 2.

    Args:
        path: the folder, or its ``model.json``.

    Raises:
        ValueError: the files are missing or broken, or hold a layer that Keras 3 lacks.
    """
    path = Path(path)
    folder = path.parent if path.name == "model.json" else path
    content = _read_json(folder)
    try:
        weights = read_weights(folder, content["weightsManifest"])
        model = model_from_topology(content["modelTopology"], weights)
    except ValueError as error:
        raise ValueError(f"{folder}: cannot be read as a TF.js model: {error}") from error
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        raise ValueError(f"{folder}/model.json is broken: {type(error).__name__}: {error}") from error
    return model


def _read_json(folder: Path) -> dict[str, Any]:
    try:
        content = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{folder}: expected a folder with model.json: {error.strerror}") from error
    except ValueError as error:  # JSON and UTF-8
        raise ValueError(f"{folder}/model.json is broken: {error}") from error
    if not isinstance(content, dict) or not {"modelTopology", "weightsManifest"} <= content.keys():
        raise ValueError(f"{folder}/model.json is not a TF.js layers model: it lacks modelTopology or weightsManifest")
    return content


def _check_free(path: Path) -> None:
    """Refuse to replace what is not an earlier export."""
    if not path.exists() and not path.is_symlink():
        return
    ours = path.is_dir() and all(
        file.name == "model.json" or (file.name.startswith("group") and file.suffix == ".bin")
        for file in path.iterdir()
    )
    if not ours:
        raise ValueError(f"{path} is in use: expected a new name or the folder of an earlier TF.js export")
