"""JAX, on the processor, for the programs that NumPy runs: ``NAME_numpy.py``, compiled by ``jax.jit``."""

from pathlib import Path

from study_keras.runtimes import installed
from study_keras.runtimes.numpy_program import read_weights
from study_keras.runtimes.program import open_program
from study_keras.runtimes.runner import Runner


def open(path: str | Path, text: str | None = None) -> Runner:  # noqa: A001
    """Return the program ready to run in a process of its own, which compiles it before the time is measured.

    Args:
        path: the program; its weights lie beside it.
        text: the only program that may run; see ``program``.

    Raises:
        ValueError: a file is missing or broken, or the program may not run.
        FileNotFoundError: JAX is not installed.
    """
    installed.check("jax_program")
    return open_program(path, text, "JAX", "jax", read_weights)
