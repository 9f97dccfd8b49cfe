"""onnxruntime-web, in Node: what a browser runs of an ``.onnx`` file, on one thread of wasm."""

from pathlib import Path

import numpy as np

from study_keras import limits
from study_keras.files import temporary_folder
from study_keras.page import FOLDER
from study_keras.runtimes import tfjs
from study_keras.runtimes.node_process import NodeProcess
from study_keras.runtimes.runner import Arrays, Runner, TensorSpec


def open(path: str | Path) -> Runner:  # noqa: A001
    """Load an ``.onnx`` file in a Node process, which ends with the runner.

    Raises:
        FileNotFoundError: Node or onnxruntime-web is not installed.
        ValueError: the file is missing or broken, has its weights in another file, or has operations that
            onnxruntime-web lacks.
    """
    path = Path(path)
    try:
        limits.take(limits.check_file(path), str(path))
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from error
    command = [tfjs.find_runtime("onnxruntime-web"), str(FOLDER / "runtimes" / "run_onnx.mjs")]
    node, file = NodeProcess(command), str(path.resolve())
    specs = node.ask_again({"open": file})
    if "error" in specs:
        raise ValueError(f"{path}: onnxruntime-web cannot run it: {' '.join(specs['error'].split())[:300]}")

    def call(arrays: Arrays) -> Arrays:
        with temporary_folder() as folder:
            inputs = [_write(folder / f"input{index}.bin", array) for index, array in enumerate(arrays)]
            reply = node.ask_again({"run": file, "inputs": inputs, "folder": str(folder)})
            if "error" in reply:
                raise ValueError(reply["error"])
            found = enumerate(reply["outputs"])
            return [np.fromfile(folder / f"{index}.bin", each["dtype"]).reshape(each["shape"]) for index, each in found]

    inputs, outputs = (
        [
            TensorSpec(spec["name"], None if spec["shape"] is None else tuple(spec["shape"]), spec["dtype"])
            for spec in some
        ]
        for some in (specs["inputs"], specs["outputs"])
    )
    fixed = next((spec.shape[0] for spec in inputs if spec.shape), None)
    return Runner("onnxruntime-web", path, call, inputs, outputs, batch_size=fixed)


def _write(file: Path, array: np.ndarray) -> dict[str, object]:
    np.ascontiguousarray(array).tofile(file)
    return {"file": str(file), "shape": list(array.shape), "dtype": array.dtype.name}
