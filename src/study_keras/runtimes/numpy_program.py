"""NumPy, for programs that were written from models: ``NAME_numpy.py`` with ``NAME_numpy.npz``."""

import io
from pathlib import Path

import numpy as np

from study_keras.data.readers import npy
from study_keras.runtimes.program import open_program
from study_keras.runtimes.runner import Runner


def open(path: str | Path, text: str | None = None) -> Runner:  # noqa: A001
    """Return the program ready to run in a process of its own.

    Args:
        path: the program; its weights lie beside it.
        text: the only program that may run; see ``program``.

    Raises:
        ValueError: a file is missing or broken, or the program may not run.
    """
    return open_program(path, text, "NumPy", "numpy", read_weights)


def read_weights(path: Path) -> tuple[str, bytes]:
    """Return suffix and content of an archive of our own with the weights, after each array of the file was checked.

    Raises:
        ValueError: the file is broken.
        OSError: it cannot be read.
    """
    file = path.with_suffix(".npz")
    try:
        arrays = npy.load_zip(file)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    return ".npz", content.getvalue()
