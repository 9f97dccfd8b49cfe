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
    """Run several exports in one subprocess with TensorFlow; see ``export_each``.

    Raises:
        ValueError, FileNotFoundError: the first that a job raised; the other jobs are done.
        OSError: as ``export_each``.
    """
    for error in filter(None, export_each(model, jobs)):
        raise error


def export_each(model: keras.Model, jobs: Sequence[partial[Any]]) -> list[Exception | None]:
    """Run several exports in one subprocess with TensorFlow, whose start takes most of the time.

    If Keras runs on TensorFlow already, they run in this process.

    Args:
        model: on any backend; the subprocess gets it as a ``.keras`` file, so its layers must be Keras' own.
        jobs: an exporter each, such as ``partial(export_onnx, path=..., prove=False)``, with all arguments but the
            model. ``images`` is a list of arrays.

    Returns:
        For each job None, or why it wrote nothing, as ``refusal`` returns it.

    Raises:
        OSError: as the exporter; the jobs before it are done.
    """
    if keras.backend.backend() == "tensorflow":
        return [refusal(partial(job, model)) for job in jobs]
    if not jobs:
        return []
    with files.temporary_folder() as folder:
        if error := refusal(partial(_check_layers, model)):
            return [error] * len(jobs)
        save_keras(model, folder / "model.keras")
        described = [_described(folder, index, job) for index, job in enumerate(jobs)]
        (folder / "jobs.json").write_text(json.dumps(described))
        results = _run(folder, len(jobs))
    for job, result in zip(jobs, results, strict=True):
        if callable(job.keywords.get("prove")) and result.get("proof"):
            job.keywords["prove"](Proof(**result["proof"]))
    return [_error(result) for result in results]


def refusal(export: Callable[[], Any]) -> Exception | None:
    """Run an export; return why the model cannot be written, or which package is missing; None if it is written.

    Raises:
        OSError: the disk is full or the like.
    """
    try:
        export()
    except ValueError as error:
        return error
    except FileNotFoundError as error:
        if error.errno is not None:  # a package that is missing has none
            raise
        return error
    return None


def _error(result: dict[str, Any]) -> Exception | None:
    if "error" not in result:
        return None
    return FileNotFoundError(result["error"]) if result["missing"] else ValueError(result["error"])


def _run(folder: Path, count: int) -> list[dict[str, Any]]:
    """Run ``main`` in a subprocess, and return what it wrote of each job; of a crash also for those after it."""
    environment = processes.environment(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3")
    command = processes.python(_CODE, str(folder))
    with processes.child(command, env=environment, stdout=PIPE, stderr=STDOUT, encoding="utf-8") as process:
        said = cast(IO[str], process.stdout).read()
        code = process.wait()
    written = folder / "results.jsonl"
    lines = written.read_text().splitlines() if written.is_file() else []
    results = [json.loads(line) for line in lines]
    if results and "errno" in results[-1]:
        raise write_error(results[-1]["errno"], results[-1]["error"], results[-1]["filename"])
    last = (said.strip().splitlines() or ["no message"])[-1]
    crash = {"error": f"the subprocess with TensorFlow exited with code {code}: {last}", "missing": False}
    return [*results, *[crash] * (count - len(results))]


def main(folder: str) -> None:
    """Run the jobs in ``folder``, in the subprocess with TensorFlow, and write a line of each to ``results.jsonl``."""
    model = load_keras(Path(folder, "model.keras"))
    with Path(folder, "results.jsonl").open("w") as results:
        for function, options in json.loads(Path(folder, "jobs.json").read_text()):
            result = _result(model, function, options)
            results.write(json.dumps(result) + "\n")
            results.flush()
            if "errno" in result:
                return


def _result(model: keras.Model, function: str, options: dict[str, Any]) -> dict[str, Any]:
    """Run one job, and return what became of it."""
    proofs: list[Proof] = []
    if options.get("images"):
        options["images"] = [np.load(file) for file in options["images"]]
    job = partial(resolve_name(function), model, **{**options, "prove": proofs.append if options["prove"] else False})
    try:
        if error := refusal(job):
            return {"error": str(error), "missing": isinstance(error, FileNotFoundError)}
    except OSError as error:
        return {"error": error.strerror or str(error), "errno": error.errno or 0, "filename": error.filename}
    return {"proof": asdict(proofs[0]) if proofs else None}


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
