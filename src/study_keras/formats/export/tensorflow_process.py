"""Exports that only TensorFlow can write, in a process of its own, for models on another backend of Keras."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import keras
import numpy as np

from study_keras.formats.export.graph.freeze import all_layers
from study_keras.formats.proof.prove import Proof
from study_keras.formats.saving.keras_file import load_keras, save_keras

_CODE = """
import sys
from study_keras.startup import import_keras
import_keras()
from study_keras.formats.export.tensorflow_process import main
main(sys.argv[1])
"""


def export_many(model: keras.Model, jobs: Sequence[partial[Any]]) -> None:
    """Write several files for inference in one process with TensorFlow: starting it takes most of the time.

    Where Keras runs on TensorFlow already, that is this process.

    Args:
        model: on any backend; it travels as a ``.keras`` file, and so must be made of Keras' own layers.
        jobs: an exporter each, such as ``partial(export_onnx, path=..., prove=False)``, with all but the model.
            ``images`` is a list of arrays.

    Raises:
        ValueError, OSError: as the format's own function; the jobs before it are done.
    """
    if keras.backend.backend() == "tensorflow":
        for job in jobs:
            job(model)
        return
    _check_travels(model)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_keras(model, folder / "model.keras")
        described = [_described(folder, index, job) for index, job in enumerate(jobs)]
        (folder / "jobs.json").write_text(json.dumps(described))
        here = str(Path(__file__).resolve().parents[3])
        environment = {
            **os.environ,
            "KERAS_BACKEND": "tensorflow",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "PYTHONPATH": os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")])),
        }
        command = [sys.executable, "-c", _CODE, str(folder)]
        done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", check=False)
        if not (folder / "result.json").is_file():
            last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise ValueError(f"the process with TensorFlow ended with code {done.returncode}: {last}")
        result = json.loads((folder / "result.json").read_text())
        if "errno" in result:
            raise OSError(result["errno"], result["error"], result["filename"])
        if "error" in result:
            raise ValueError(result["error"])
        for job, proof in zip(jobs, result["proofs"], strict=True):
            if callable(job.keywords.get("prove")) and proof:
                job.keywords["prove"](Proof(**proof))


def main(folder: str) -> None:
    """Do the jobs in ``folder``, in the process with TensorFlow, and leave ``result.json`` there."""
    result: dict[str, Any] = {"proofs": []}
    try:
        model = load_keras(Path(folder, "model.keras"))
        for function, options in json.loads(Path(folder, "jobs.json").read_text()):
            if options.get("images"):
                options["images"] = [np.load(file) for file in options["images"]]
            told: list[Proof] = []
            resolve_name(function)(model, **{**options, "prove": told.append if options["prove"] else False})
            result["proofs"].append(asdict(told[0]) if told else None)
    except ValueError as error:
        result = {"error": str(error)}
    except OSError as error:
        result = {"error": error.strerror or str(error), "errno": error.errno or 0, "filename": error.filename}
    Path(folder, "result.json").write_text(json.dumps(result))


def _check_travels(model: keras.Model) -> None:
    """Refuse what a ``.keras`` file cannot hold without running code when it is read."""
    for layer in all_layers(model):
        if isinstance(layer, keras.layers.Lambda) or not type(layer).__module__.startswith("keras."):
            raise ValueError(
                f"{type(layer).__name__} {layer.name!r} is code of your own, which only TensorFlow can trace in the "
                "same process; set KERAS_BACKEND=tensorflow before you import Keras, and export there"
            )


def _described(folder: Path, index: int, job: partial[Any]) -> tuple[str, dict[str, Any]]:
    """Return the name of the job's function and its options, ready for JSON; arrays go into files."""
    options = dict(job.keywords)
    described = {**options, "path": str(options["path"]), "prove": bool(options.get("prove", True))}
    if options.get("images") is not None:
        described["images"] = []
        for number, array in enumerate(options["images"]):
            file = folder / f"{index}_{number}.npy"
            np.save(file, array)
            described["images"].append(str(file))
    return f"{job.func.__module__}:{job.func.__name__}", described
