"""Programs written from models, run in a process of their own.

A program is code. It runs if it is, byte for byte, what this version writes for the model that it is compared with:
then it is this package's code, whoever sent the file. Anything else runs only within ``allow_code``.
"""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import numpy as np

from study_keras import limits, processes
from study_keras.files import temporary_folder
from study_keras.runtimes.runner import Answer, Arrays, Runner

_CODE = """
end_with_parent()
import sys
from study_keras.runtimes import program_worker
getattr(program_worker, sys.argv[1])(*sys.argv[2:])
"""
_allowed = ContextVar("allowed", default=False)


@contextmanager
def allow_code() -> Iterator[None]:
    """Run any program within the block, with all that its author wrote and this user may do."""
    token = _allowed.set(True)
    try:
        yield
    finally:
        _allowed.reset(token)


def code_is_allowed() -> bool:
    """Return whether any program may run here: within ``allow_code``."""
    return _allowed.get()


def check_code(path: Path, *, known: bool) -> None:
    """Refuse to run a program that is not, or may not be, this version's own, outside of ``allow_code``.

    Args:
        path: of the program.
        known: whether the model is known, and with it the only program that runs unasked.

    Raises:
        ValueError: names the option that allows it.
    """
    if not code_is_allowed():
        what = "is not the program that this version writes for this model" if known else "is a program"
        raise ValueError(
            f"{path}: {what}, and a program can do anything; read it, then run it with: hello-mnist verify --run-code"
        )


def open_program(
    path: str | Path, text: str | None, name: str, framework: str, weights: Callable[[Path], tuple[str, bytes]]
) -> Runner:
    """Return a program ready to run.

    Args:
        path: ``NAME.py``.
        text: what this package writes for the model; None where no model is known.
        name: of the runtime, for messages.
        framework: a key of ``program_worker.CALLS``.
        weights: returns suffix and checked content of the file beside the program.

    Raises:
        ValueError: a file is missing or broken, or the program is another one than ``text``.
    """
    path = Path(path)
    try:
        source = limits.read_bytes(path, limits.MAX_JSON_BYTES)
        suffix, stored = weights(path)
    except OSError as error:
        raise ValueError(f"{error.filename or path}: cannot be read: {error.strerror}") from error
    if text is None or source != text.encode():
        check_code(path, known=text is not None)
    return run_files(name, path, framework, {"program.py": source, f"program{suffix}": stored})


def run_files(name: str, path: Path, framework: str, contents: dict[str, bytes]) -> Runner:
    """Return a runner of a program that may run.

    Args:
        name: of the runtime, for messages.
        path: likewise.
        framework: a key of ``program_worker.CALLS``.
        contents: of its files, by the names that ``program_worker`` expects.
    """

    def call_timed(arrays: Arrays, batch_size: int) -> Answer:
        with temporary_folder() as folder:
            _write(folder, contents, arrays)
            result = _run(folder, "main", str(folder), framework, str(batch_size))
            with np.load(folder / "outputs.npz") as file:
                return Answer([file[str(index)] for index in range(len(file))], result["seconds"])

    return Runner(name, path, lambda arrays: call_timed(arrays, 1000).outputs, call_timed=call_timed)


def export_program(text: str, weights: bytes, arrays: Arrays) -> bytes:
    """Return the ``.pt2`` file of a PyTorch program, the same for the same arguments.

    Args:
        text: of the program, which runs: this package must have written it.
        weights: the content of its ``.safetensors`` file.
        arrays: examples of its inputs, at least two, since a size of 1 is taken for a constant.

    Raises:
        ValueError: PyTorch cannot export it.
    """
    with temporary_folder() as folder:
        _write(folder, {"program.py": text.encode(), "program.safetensors": weights}, arrays)
        _run(folder, "export", str(folder))
        return (folder / "program.pt2").read_bytes()


def _write(folder: Path, contents: dict[str, bytes], arrays: Arrays) -> None:
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    floats = [array.astype("float32") if array.dtype.kind in "fV" else array for array in arrays]
    np.savez(folder / "inputs.npz", allow_pickle=False, **{str(index): array for index, array in enumerate(floats)})


def _run(folder: Path, function: str, *arguments: str) -> dict[str, Any]:
    """Run a function of ``program_worker`` on the files in ``folder``, and return what its process wrote.

    Raises:
        ValueError: it failed; the message names its exception.
    """
    command = processes.python(_CODE, function, *arguments)
    environment = processes.environment(JAX_PLATFORMS="cpu", JAX_TRACEBACK_FILTERING="off", CUDA_VISIBLE_DEVICES="")
    options: dict[str, Any] = {"env": environment, "cwd": folder, "stdout": subprocess.PIPE}
    with processes.child(command, encoding="utf-8", errors="replace", stderr=subprocess.STDOUT, **options) as process:
        said = process.stdout.read() if process.stdout else ""
        code = process.wait()
    if code or not (folder / "result.json").is_file():
        raise ValueError(f"its process ended with code {code}: {_reason(said)}")
    return dict(json.loads((folder / "result.json").read_text()))


def _reason(said: str) -> str:
    """Return the first line of the exception that ends what a process said; without one, the last line."""
    _, traceback, end = said.rpartition("Traceback (most recent call last):\n")
    lines = [line for line in end.splitlines() if line.strip() and not line.startswith(" ")]
    return "no message" if not lines else lines[0] if traceback else lines[-1]
