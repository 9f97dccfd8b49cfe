"""One ``.npz`` file with the keys that Keras uses. Uses only NumPy."""

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from study_keras.data.readers import npy

KEYS = ("x_train", "y_train", "x_test", "y_test")


def read(path: Path) -> list[NDArray[Any]]:
    """Return the arrays of ``KEYS``, in this order.

    Raises:
        ValueError: the file is broken, lacks a key, or contains pickled objects; the message names the file.
    """
    try:
        if path.suffix == ".npy" or not npy.is_zip(path):
            raise ValueError("it contains a single array, or none; expected an .npz with " + ", ".join(KEYS))
        found = npy.load_zip(path, KEYS)
        if missing := [key for key in KEYS if key not in found]:
            names = ", ".join(npy.entry_names(path)) or "nothing"
            raise ValueError(f"no {', '.join(missing)}; found {names}, expected {', '.join(KEYS)}")
    except (ValueError, OSError) as error:
        raise ValueError(f"{path}: not a dataset: {error}") from error
    return [found[key] for key in KEYS]


def has_keys(path: Path) -> bool:
    """Return whether ``path`` is an ``.npz`` with all of ``KEYS``."""
    try:
        return set(KEYS) <= npy.entry_names(path).keys()
    except (OSError, ValueError):
        return False  # the reader reports what is wrong
