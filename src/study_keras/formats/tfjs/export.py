"""The folder that TensorFlow.js loads: written from a Keras model, as layers or as a graph, and read back."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras

from study_keras import files
from study_keras.formats import inference
from study_keras.formats.export import tensorflow_process
from study_keras.formats.export.graph.freeze import freeze
from study_keras.formats.proof.prove import Proof, prove_export
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
    prove: bool | Callable[[Proof], None] = True,
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
        prove: whether TF.js must answer as Keras does before the folder gets its name, where Node is there; a
            function is told the ``Proof``.

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
    layers = _layers_content(model, kind, training)
    with files.atomic_folder(path) as folder:
        if layers is None and keras.backend.backend() != "tensorflow":
            job = partial(export_tfjs, path=folder, quantize=quantize, kind="graph", prove=False)
            tensorflow_process.export_many(model, [job])
        else:
            folder.mkdir()
            content, weights = layers or _graph_content(model)
            content["weightsManifest"] = write_weights(folder, weights, quantize)
            (folder / "model.json").write_text(json.dumps(content, allow_nan=False), encoding="utf-8")
        prove_export(prove, model, folder, quantize or "float32")
    return path


def why_graph(model: keras.Model) -> str | None:
    """Return why ``model`` becomes a graph in TF.js, None where it stays layers."""
    try:
        layers_topology(model)
    except ValueError as error:
        return str(error)
    return None


def _layers_content(model: keras.Model, kind: str, training: bool) -> tuple[dict[str, Any], Mapping[str, Any]] | None:
    """Return ``model.json`` without its manifest, and the weights; None where the model shall be a graph."""
    if kind == "graph":
        if training:
            raise ValueError("training=True needs layers: TF.js cannot train a graph")
        return None
    try:
        topology, weights = layers_topology(model, training)
    except ValueError:
        if kind == "layers" or training:
            raise
        return None
    check_finite(model)
    made = {"keras_version": keras.__version__, "backend": keras.backend.backend()}
    content = {"format": "layers-model", **_made_by(), "modelTopology": {**made, "model_config": topology}}
    return content | ({"trainingConfig": training_config(model)} if training else {}), weights


def _graph_content(model: keras.Model) -> tuple[dict[str, Any], Mapping[str, Any]]:
    check_finite(model)
    graph, signature, weights = graph_topology(in_tfjs_operations(freeze(model, lower=True), model))
    content = {"format": "graph-model", **_made_by(), "modelTopology": graph, "signature": signature}
    return content | {"userDefinedMetadata": {"signature": signature}}, weights


def _made_by() -> dict[str, str]:
    return {"generatedBy": f"keras v{keras.__version__}", "convertedBy": f"hello-mnist v{version('hello-mnist')}"}


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


def is_graph(folder: Path) -> bool:
    """Say whether a TF.js folder holds a graph model."""
    try:
        content = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False  # whoever loads it says what is wrong
    return isinstance(content, dict) and content.get("format") == "graph-model"


def list_tfjs(path: str | Path) -> list[tuple[str, tuple[int, ...]]]:
    """Return name and shape of all arrays in a TF.js folder.

    Raises:
        ValueError: the files are missing or broken.
    """
    folder = Path(path).parent if Path(path).name == "model.json" else Path(path)
    weights = read_weights(folder, _read_json(folder)["weightsManifest"])
    return [(name, array.shape) for name, array in weights.items()]


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
