"""Writes a Keras model as the folder that TensorFlow.js loads, as layers or as a graph, and reads it."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras

from study_keras import files, limits
from study_keras.formats import inference
from study_keras.formats.export import tensorflow_process
from study_keras.formats.proof.prove import Proof, prove_export
from study_keras.formats.tfjs.layers import layers_topology
from study_keras.formats.tfjs.read import model_from_topology
from study_keras.formats.tfjs.training import training_config
from study_keras.formats.tfjs.weights import QUANTIZE, check_finite, read_weights, write_weights
from study_keras.runtimes import tfjs_folder

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

    If TF.js has every layer with the same options, the folder contains a layers model (``tf.loadLayersModel``), which
    can be inspected and trained further. Any other model is traced to a graph model (``tf.loadGraphModel``).

    Args:
        model: a built model. A subclassed model, a custom layer and a Lambda layer become a graph.
        path: the folder to write, usually ``NAME.tfjs``. An earlier export there is replaced.
        quantize: None, "float16", "uint16" or "uint8": the dtype in which weights are stored.
        training: also write optimizer, loss and metrics of a compiled model, so that TF.js can continue the training.
        kind: "layers", "graph", or "auto": layers if possible.
        prove: whether the folder is compared with Keras in Node, if Node is installed, before it gets its name; a
            function is called with the ``Proof``.

    Returns:
        The path.

    Raises:
        ValueError: TF.js cannot compute the model's outputs, or ``path`` exists and is not an export.
        OSError: the folder cannot be written.
    """
    path = Path(path)
    _check_options(quantize, kind)
    files.recover(path)
    _check_free(path)
    inference.check_built(model)
    layers = _layers_content(model, kind, training)
    with files.atomic_folder(path) as folder:
        _write(model, folder, layers, quantize)
        prove_export(prove, model, folder, quantize or "float32")
    return path


def _write(model: keras.Model, folder: Path, layers: Any, quantize: str | None) -> None:
    """Write the folder: ``layers`` is what ``_layers_content`` returned."""
    if layers is None and keras.backend.backend() != "tensorflow":
        job = partial(export_tfjs, path=folder, quantize=quantize, kind="graph", prove=False)
        tensorflow_process.export_many(model, [job])
        return
    folder.mkdir()
    content, weights = layers or _graph_content(model)
    content["weightsManifest"] = write_weights(folder, weights, quantize)
    (folder / "model.json").write_text(json.dumps(content, allow_nan=False), encoding="utf-8")


def why_graph(model: keras.Model) -> str | None:
    """Return why ``model`` becomes a graph model in TF.js; None if it becomes a layers model."""
    try:
        layers_topology(model)
    except ValueError as error:
        return str(error)
    return None


def _layers_content(model: keras.Model, kind: str, training: bool) -> tuple[dict[str, Any], Mapping[str, Any]] | None:
    """Return ``model.json`` without its manifest, and the weights; None if the model is to become a graph."""
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
    from study_keras.formats.tfjs.graph import graph_topology  # loads TensorFlow

    graph, signature, weights = graph_topology(model)
    content = {"format": "graph-model", **_made_by(), "modelTopology": graph, "signature": signature}
    return content | {"userDefinedMetadata": {"signature": signature}}, weights


def _made_by() -> dict[str, str]:
    return {"generatedBy": f"keras v{keras.__version__}", "convertedBy": f"hello-mnist v{version('hello-mnist')}"}


def _check_options(quantize: str | None, kind: str) -> None:
    if quantize is not None and quantize not in QUANTIZE:
        raise ValueError(f"quantize={quantize!r}; expected None or one of {', '.join(QUANTIZE)}")
    if kind not in KINDS:
        raise ValueError(f"kind={kind!r}; expected one of {', '.join(KINDS)}")


@limits.reader
def load_tfjs(path: str | Path) -> keras.Model:
    """Load a TF.js layers model into Keras 3.

    ``export_tfjs``, TF.js' own ``model.save`` and its converter for Keras 2 write such models.

    Args:
        path: the folder, its ``model.json``, or an archive of it, as the page saves a network.

    Raises:
        ValueError: the files are missing or broken, or contain a layer that Keras 3 lacks.
    """
    with tfjs_folder.opened(path) as folder:
        content = tfjs_folder.read_model_json(folder)
        try:
            weights = read_weights(folder, content["weightsManifest"])
            return model_from_topology(content["modelTopology"], weights)
        except ValueError as error:
            reason = str(error).partition("; if you trust it")[0]
            raise ValueError(f"{folder}: cannot be read as a TF.js model: {reason}") from error
        except (AttributeError, IndexError, KeyError, TypeError) as error:
            raise ValueError(f"{folder}/model.json is broken: {type(error).__name__}: {error}") from error


@limits.reader
def list_tfjs(path: str | Path) -> list[tuple[str, tuple[int, ...]]]:
    """Return name and shape of all arrays in a TF.js folder or an archive of it.

    Raises:
        ValueError: the files are missing or broken.
    """
    with tfjs_folder.opened(path) as folder:
        weights = read_weights(folder, tfjs_folder.read_model_json(folder)["weightsManifest"])
    return [(name, array.shape) for name, array in weights.items()]


def _check_free(path: Path) -> None:
    """Refuse to replace anything but an earlier export."""
    if not path.exists() and not path.is_symlink():
        return
    ours = path.is_dir() and all(
        file.name == "model.json" or (file.name.startswith("group") and file.suffix == ".bin")
        for file in path.iterdir()
    )
    if not ours:
        raise ValueError(f"{path} is in use: expected a new name or the folder of an earlier TF.js export")
