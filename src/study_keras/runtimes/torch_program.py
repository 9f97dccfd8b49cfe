"""PyTorch, on the processor, for programs that were written from models: ``NAME_torch.py`` with its weights."""

from importlib.util import find_spec
from pathlib import Path

from study_keras import limits
from study_keras.runtimes.program import open_program
from study_keras.runtimes.runner import Runner


def open(path: str | Path, text: str | None = None) -> Runner:  # noqa: A001
    """Return the program ready to run in a process of its own.

    Args:
        path: the program; ``NAME_torch.safetensors`` lies beside it.
        text: the only program that may run; see ``program``.

    Raises:
        ValueError: a file is missing, or the program may not run.
        FileNotFoundError: PyTorch or the package ``safetensors`` is not installed.
    """
    for package, name in (("torch", "PyTorch"), ("safetensors", "the package safetensors")):
        if find_spec(package) is None:
            raise FileNotFoundError(f"{name} is not installed; run: pip install 'hello-mnist[torch]'")
    return open_program(path, text, "PyTorch", "torch", _weights)


def _weights(path: Path) -> tuple[str, bytes]:
    """Return the weights as they are: their package checks them before it reads an array."""
    return ".safetensors", limits.read_bytes(path.with_suffix(".safetensors"))
