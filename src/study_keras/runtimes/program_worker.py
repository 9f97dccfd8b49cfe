"""The process in which a program written from a model runs; see ``program``. Imports only what the program needs."""

import importlib.util
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from study_keras.runtimes.runner import Arrays, in_batches


def main(folder: str, framework: str, batch_size: str) -> None:
    """Run ``program.py`` in ``folder`` on ``inputs.npz``, and write ``outputs.npz`` and ``result.json``."""
    place = Path(folder)
    program = place / "program.pt2" if framework == "torch_export" else _import(place / "program.py")
    call, arrays = CALLS[framework](program), _inputs(place)
    if framework == "jax":
        call([array[: int(batch_size)] for array in arrays])  # the first run compiles
    started = time.perf_counter()
    outputs = in_batches(call, arrays, int(batch_size))
    seconds = time.perf_counter() - started
    np.savez(place / "outputs.npz", allow_pickle=False, **{str(index): array for index, array in enumerate(outputs)})
    (place / "result.json").write_text(json.dumps({"seconds": seconds}))


def export(folder: str) -> None:
    """Write ``program.pt2`` of the PyTorch program in ``folder`` and its ``inputs.npz``; and ``result.json``."""
    import torch

    place = Path(folder)
    examples = tuple(map(torch.tensor, _inputs(place)))
    batch = torch.export.Dim("batch", min=1)
    module = _import(place / "program.py").load()
    exported = torch.export.export(module, examples, dynamic_shapes=tuple({0: batch} for _ in examples))
    for node in exported.graph.nodes:
        node.meta.pop("stack_trace", None)  # the place of program.py
    torch.export.save(exported, place / "program.pt2")
    (place / "result.json").write_text("{}")


def _inputs(place: Path) -> Arrays:
    with np.load(place / "inputs.npz") as file:
        return [file[str(index)] for index in range(len(file))]


def _import(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location("program", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _arrays(answer: Any) -> Arrays:
    return [np.asarray(item) for item in (answer if isinstance(answer, tuple) else (answer,))]


def _numpy(program: Any) -> Callable[[Arrays], Arrays]:
    weights = program.load_weights()
    return lambda arrays: _arrays(program.predict(weights, *arrays))


def _jax(program: Any) -> Callable[[Arrays], Arrays]:
    import jax

    weights = program.load_weights()
    compiled = jax.jit(lambda weights, arrays: program.predict(weights, *arrays, np=jax.numpy))
    return lambda arrays: _arrays(compiled(weights, arrays))


def _torch(program: Any) -> Callable[[Arrays], Arrays]:
    return _call_module(program.load())


def _torch_export(file: Path) -> Callable[[Arrays], Arrays]:
    import torch

    return _call_module(torch.export.load(file).module())


def _call_module(model: Any) -> Callable[[Arrays], Arrays]:
    import torch

    def call(arrays: Arrays) -> Arrays:
        with torch.inference_mode():
            answer = model(*map(torch.tensor, arrays))
            return [item.numpy() for item in (answer if isinstance(answer, tuple) else (answer,))]

    return call


CALLS: dict[str, Callable[[Any], Callable[[Arrays], Arrays]]] = {
    "numpy": _numpy,
    "jax": _jax,
    "torch": _torch,
    "torch_export": _torch_export,
}
