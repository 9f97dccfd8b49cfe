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
    call = CALLS[framework](_import(place / "program.py"))
    with np.load(place / "inputs.npz") as file:
        arrays = [file[str(index)] for index in range(len(file))]
    if framework == "jax":
        call([array[: int(batch_size)] for array in arrays])  # the first run compiles
    started = time.perf_counter()
    outputs = in_batches(call, arrays, int(batch_size))
    seconds = time.perf_counter() - started
    np.savez(place / "outputs.npz", allow_pickle=False, **{str(index): array for index, array in enumerate(outputs)})
    (place / "result.json").write_text(json.dumps({"seconds": seconds}))


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
    import torch

    model = program.load()

    def call(arrays: Arrays) -> Arrays:
        with torch.inference_mode():
            answer = model(*map(torch.tensor, arrays))
            return [item.numpy() for item in (answer if isinstance(answer, tuple) else (answer,))]

    return call


CALLS: dict[str, Callable[[Any], Callable[[Arrays], Arrays]]] = {"numpy": _numpy, "jax": _jax, "torch": _torch}
