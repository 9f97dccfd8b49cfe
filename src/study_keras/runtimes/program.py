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
from study_keras.runtimes.program_worker import main
main(*sys.argv[1:])
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


def check_code(path: Path, *, known: bool) -> None:
    """Refuse to run a program that is not, or may not be, this version's own, outside of ``allow_code``.

    Args:
        path: of the program.
        known: whether the model is known, and with it the only program that runs unasked.

    Raises:
        ValueError: names the option that allows it.
    """
    if not _allowed.get():
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

    def call_timed(arrays: Arrays, batch_size: int) -> Answer:
        with temporary_folder() as folder:
            (folder / "program.py").write_bytes(source)
            (folder / f"program{suffix}").write_bytes(stored)
            floats = [array.astype("float32") if array.dtype.kind in "fV" else array for array in arrays]
            np.savez(
                folder / "inputs.npz", allow_pickle=False, **{str(index): array for index, array in enumerate(floats)}
            )
            result = _run(folder, framework, batch_size)
            with np.load(folder / "outputs.npz") as file:
                return Answer([file[str(index)] for index in range(len(file))], result["seconds"])

    return Runner(name, path, lambda arrays: call_timed(arrays, 1000).outputs, call_timed=call_timed)


def _run(folder: Path, framework: str, batch_size: int) -> dict[str, Any]:
    """Run the program in ``folder``, and return what its process wrote.

    Raises:
        ValueError: it failed; the message names its exception.
    """
    command = processes.python(_CODE, str(folder), framework, str(batch_size))
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
