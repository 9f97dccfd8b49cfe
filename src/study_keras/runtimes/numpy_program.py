"""NumPy, and JAX, for programs that were written from models: ``NAME_numpy.py`` with ``NAME_numpy.npz``."""

import io
from pathlib import Path

import numpy as np

from study_keras.data.readers import npy
from study_keras.runtimes.program import open_program
from study_keras.runtimes.runner import Runner


def open(path: str | Path, text: str | None = None, framework: str = "numpy") -> Runner:  # noqa: A001
    """Return the program ready to run in a process of its own.

    Args:
        path: the program; its weights lie beside it.
        text: the only program that may run; see ``program``.
        framework: ``numpy`` or ``jax``.

    Raises:
        ValueError: a file is missing or broken, or the program may not run.
    """
    return open_program(path, text, {"numpy": "NumPy", "jax": "JAX"}[framework], framework, _weights)


def _weights(path: Path) -> tuple[str, bytes]:
    """Return the weights as an archive of our own, after each array of the file was checked."""
    file = path.with_suffix(".npz")
    try:
        arrays = npy.load_zip(file)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    return ".npz", content.getvalue()
