"""The folder that TensorFlow.js loads: written from a Keras model, as layers or as a graph, and read back."""

import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras

from study_keras import files
from study_keras.formats import inference
from study_keras.formats.freeze import freeze
from study_keras.formats.tfjs.graph import graph_topology
from study_keras.formats.tfjs.layers import layers_topology
from study_keras.formats.tfjs.operations import in_tfjs_operations
from study_keras.formats.tfjs.read import model_from_topology
from study_keras.formats.tfjs.training import training_config
from study_keras.formats.tfjs.weights import QUANTIZE, check_finite, read_weights, write_weights

KINDS = ("auto", "layers", "graph")


def export_tfjs(
    model: keras.Model,
    path: str | Path,
    quantize: str | None = None,
    training: bool = False,
    *,
    kind: str = "auto",
    prove: bool = True,
) -> Path:
    """Write a Keras 3 model as a folder for TF.js 4.22.

    Where every layer is also one of TF.js, with the same options, the folder holds a layers model
    (``tf.loadLayersModel``), which can be inspected and trained on. Any other model is traced: the folder then holds
    a graph model (``tf.loadGraphModel``). Nested models come out flat. The answers are those of Keras.

    Args:
        model: a built model. As a graph also a subclassed one, and one with layers of your own or Lambda.
        path: the folder to write, by custom ``NAME.tfjs``. An earlier export there is replaced.
        quantize: None, or "float16", "uint16" or "uint8": how each weight is stored.
        training: also write optimizer, loss and metrics of a compiled model, so that TF.js can train on.
        kind: "layers", "graph", or "auto": layers where that is possible.
        prove: run the folder in TF.js, where Node is there, and compare with Keras before it gets its name.

    Returns:
        The path.

    Raises:
        ValueError: TF.js cannot give this model's answers, or ``path`` is something else than an export.
        OSError: the folder cannot be written.
    """
    path = Path(path)
    _check_options(quantize, kind)
    files.recover(path)
    _check_free(path)
    inference.check_built(model)
    content, weights = _content(model, kind, training)
    with files.atomic_folder(path) as folder:
        folder.mkdir()
        content["weightsManifest"] = write_weights(folder, weights, quantize)
        (folder / "model.json").write_text(json.dumps(content, allow_nan=False), encoding="utf-8")
    return path


def kind_of(model: keras.Model, training: bool = False) -> tuple[str, str]:
    """Return which kind of TF.js model ``model`` becomes, "layers" or "graph", and for a graph the reason."""
    try:
        layers_topology(model, training)
    except ValueError as error:
        return "graph", str(error)
    return "layers", ""


def _content(model: keras.Model, kind: str, training: bool) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """Return what ``model.json`` holds beside the manifest, and the weights."""
    made = {
        "generatedBy": f"keras v{keras.__version__}",
        "convertedBy": f"hello-mnist v{version('hello-mnist')}",
    }
    if kind != "graph":
        try:
            topology, weights = layers_topology(model, training)
        except ValueError:
            if kind == "layers" or training:
                raise
        else:
            described = {
                "keras_version": keras.__version__,
                "backend": keras.backend.backend(),
                "model_config": topology,
            }
            content = {"format": "layers-model", **made, "modelTopology": described}
            return content | ({"trainingConfig": training_config(model)} if training else {}), weights
    if training:
        raise ValueError("training=True needs kind='layers': TF.js cannot train a graph")
    check_finite(model)
    graph, signature, weights = graph_topology(in_tfjs_operations(freeze(model, lower=True), model))
    content = {"format": "graph-model", **made, "modelTopology": graph, "signature": signature}
    return content | {"userDefinedMetadata": {"signature": signature}}, weights


def _check_options(quantize: str | None, kind: str) -> None:
    if quantize is not None and quantize not in QUANTIZE:
        raise ValueError(f"quantize={quantize!r}; expected None or one of {', '.join(QUANTIZE)}")
    if kind not in KINDS:
        raise ValueError(f"kind={kind!r}; expected one of {', '.join(KINDS)}")


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
