"""Runs the exports that need TensorFlow in a subprocess, for models on another backend of Keras."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from pkgutil import resolve_name
from subprocess import PIPE, STDOUT
from typing import IO, Any, cast

import keras
import numpy as np

from study_keras import files, processes
from study_keras.formats.keras_internals import all_layers
from study_keras.formats.proof.prove import Proof, prove_export
from study_keras.formats.saving.keras_file import load_keras, save_keras
from study_keras.write_errors import write_error

_CODE = """
end_with_parent()
import sys
from study_keras.startup import import_keras
import_keras()
from study_keras.formats.export.tensorflow_process import main
main(sys.argv[1])
"""


def export_file(
    model: keras.Model, job: partial[Any], content: Callable[[], bytes], stored: str = "float32", inputs: Any = None
) -> Path:
    """Write a file on TensorFlow: here if Keras runs on it, otherwise by ``job`` in a subprocess.

    Args:
        model: on any backend.
        job: the exporter with all arguments but the model, ``path`` and ``prove`` among them.
        content: returns the content of the file, on TensorFlow.
        stored: a key of ``compare.THRESHOLDS``.
        inputs: as ``prove_export`` takes them.

    Returns:
        The path.
    """
    path = Path(job.keywords["path"])
    if keras.backend.backend() == "tensorflow":
        data = content()
        with files.atomic_write(path) as temporary:
            temporary.write_bytes(data)
            prove_export(job.keywords["prove"], model, temporary, stored, inputs)
    else:
        export_many(model, [job])
    return path


def export_many(model: keras.Model, jobs: Sequence[partial[Any]]) -> None:
    """Run several exports in one subprocess with TensorFlow, whose start takes most of the time.

    If Keras runs on TensorFlow already, they run in this process.

    Args:
        model: on any backend; the subprocess gets it as a ``.keras`` file, so its layers must be Keras' own.
        jobs: an exporter each, such as ``partial(export_onnx, path=..., prove=False)``, with all arguments but the
            model. ``images`` is a list of arrays.

    Raises:
        ValueError, OSError: as the exporter; the jobs before it are done.
    """
    if keras.backend.backend() == "tensorflow":
        for job in jobs:
            job(model)
        return
    _check_layers(model)
    with files.temporary_folder() as folder:
        save_keras(model, folder / "model.keras")
        described = [_described(folder, index, job) for index, job in enumerate(jobs)]
        (folder / "jobs.json").write_text(json.dumps(described))
        proofs = _run(folder)
        for job, proof in zip(jobs, proofs, strict=True):
            if callable(job.keywords.get("prove")) and proof:
                job.keywords["prove"](Proof(**proof))


def _run(folder: Path) -> list[dict[str, Any] | None]:
    """Run ``main`` in a subprocess, and return the fields of each job's ``Proof``."""
    environment = processes.environment(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3")
    command = processes.python(_CODE, str(folder))
    with processes.child(command, env=environment, stdout=PIPE, stderr=STDOUT, encoding="utf-8") as process:
        said = cast(IO[str], process.stdout).read()
        code = process.wait()
    if not (folder / "result.json").is_file():
        last = (said.strip().splitlines() or ["no message"])[-1]
        raise ValueError(f"the subprocess with TensorFlow exited with code {code}: {last}")
    result = json.loads((folder / "result.json").read_text())
    if "errno" in result:
        raise write_error(result["errno"], result["error"], result["filename"])
    if "error" in result:
        raise ValueError(result["error"])
    return list(result["proofs"])


def main(folder: str) -> None:
    """Run the jobs in ``folder``, in the subprocess with TensorFlow, and write ``result.json`` there."""
    result: dict[str, Any] = {"proofs": []}
    try:
        model = load_keras(Path(folder, "model.keras"))
        for function, options in json.loads(Path(folder, "jobs.json").read_text()):
            if options.get("images"):
                options["images"] = [np.load(file) for file in options["images"]]
            proofs: list[Proof] = []
            resolve_name(function)(model, **{**options, "prove": proofs.append if options["prove"] else False})
            result["proofs"].append(asdict(proofs[0]) if proofs else None)
    except ValueError as error:
        result = {"error": str(error)}
    except OSError as error:
        result = {"error": error.strerror or str(error), "errno": error.errno or 0, "filename": error.filename}
    Path(folder, "result.json").write_text(json.dumps(result))


def _check_layers(model: keras.Model) -> None:
    """Refuse layers that a ``.keras`` file cannot hold without running code when it is read."""
    for layer in all_layers(model):
        if isinstance(layer, keras.layers.Lambda) or not type(layer).__module__.startswith("keras."):
            raise ValueError(
                f"{type(layer).__name__} {layer.name!r} is code of your own, which only TensorFlow can trace in the "
                "same process; set KERAS_BACKEND=tensorflow before you import Keras, and export there"
            )


def _described(folder: Path, index: int, job: partial[Any]) -> tuple[str, dict[str, Any]]:
    """Return the name of the job's function and its options for JSON; arrays are written to files."""
    options = dict(job.keywords)
    described = {**options, "path": str(options["path"]), "prove": bool(options.get("prove", True))}
    if options.get("images") is not None:
        described["images"] = [str(folder / f"{index}_{number}.npy") for number in range(len(options["images"]))]
        for file, array in zip(described["images"], options["images"], strict=True):
            np.save(file, array)
    return f"{job.func.__module__}:{job.func.__name__}", described
