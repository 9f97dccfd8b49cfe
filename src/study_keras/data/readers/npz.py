"""One ``.npz`` file with the keys that Keras uses. Uses only NumPy."""

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

KEYS = ("x_train", "y_train", "x_test", "y_test")


def read(path: Path) -> list[NDArray[Any]]:
    """Return the arrays of ``KEYS``, in this order.

    Raises:
        ValueError: the file is broken, lacks a key, or contains pickled objects; the message names the file.
    """
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            if missing := [key for key in KEYS if key not in file]:
                found = ", ".join(file) or "nothing"
                raise ValueError(f"no {', '.join(missing)}; found {found}, expected {', '.join(KEYS)}")
            return [file[key] for key in KEYS]
    except (ValueError, OSError, EOFError, AttributeError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        reason = str(error).splitlines()[0] if str(error) else "the file ends too early"
        if "allow_pickle" in str(error):
            reason = "it contains pickled objects, which could run code; expected plain arrays"
        elif isinstance(error, (AttributeError, TypeError)):
            reason = "it contains a single array; expected an .npz with " + ", ".join(KEYS)
        raise ValueError(f"{path}: not a dataset: {reason}") from error


def has_keys(path: Path) -> bool:
    """Return whether ``path`` is an ``.npz`` with all of ``KEYS``."""
    try:
        with zipfile.ZipFile(path) as file:
            return {f"{key}.npy" for key in KEYS} <= set(file.namelist())
    except (OSError, zipfile.BadZipFile):
        return False  # the reader reports what is wrong
