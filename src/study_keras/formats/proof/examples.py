"""Real examples for any model, from an ``.npy`` or ``.npz`` file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from study_keras import limits
from study_keras.data.readers import npy
from study_keras.formats.proof.artifact import input_names
from study_keras.runtimes.runner import Arrays

ONLY = ("x_test", "x", "inputs", "input", "images", "x_train")  # what the array of a model with one input may be called
LABELS = ("y_test", "y", "labels", "label", "targets", "y_train")


def load_examples(
    path: str | Path, model: Any, prepare: Callable[[np.ndarray], np.ndarray] = lambda array: array
) -> tuple[Arrays, np.ndarray | None]:
    """Return the inputs for ``model`` in a file, one array an input, and the labels, None where there are none.

    Args:
        path: an ``.npy`` with the only input, or an ``.npz``: an array for each input, named as in the model, or one of
            ``ONLY`` for a model with one; perhaps labels, named as in ``LABELS``, whole numbers, one an example.
        model: a Keras model, or a SavedModel as a function.
        prepare: is given each array of inputs, and returns it as the model takes it.

    Raises:
        ValueError: the file is missing or broken, or its arrays are not the model's inputs.
    """
    path = Path(path)
    found = _read(path)
    names = _names(model)
    arrays = [_choose(path, found, options, single=len(names) == 1) for options in names]
    labels = next((found[name] for name in _labels_beside(arrays, found) if name in found), None)
    inputs = getattr(model, "inputs", None) or [None]
    checked = [_checked(path, prepare(array), item) for array, item in zip(arrays, inputs, strict=True)]
    if len({len(array) for array in checked}) > 1 or not len(checked[0]):
        shapes = [array.shape for array in checked]
        raise ValueError(f"{path}: arrays of {shapes}; expected the same number of examples in each, at least one")
    return checked, _as_classes(path, labels, len(checked[0]))


@limits.reader
def _read(path: Path) -> dict[str, np.ndarray]:
    try:
        return npy.load_zip(path) if npy.is_zip(path) else {ONLY[0]: npy.load(path)}
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise ValueError(f"{path}: cannot be read as .npy or .npz: {error}") from error


def _names(model: Any) -> list[tuple[str, ...]]:
    """Return what the array of each input may be called."""
    inputs = getattr(model, "inputs", None)
    if not inputs:
        return [()]
    given = [item.name for item in inputs]
    keys = given
    if isinstance(model, keras.Model) and not isinstance(model, keras.Sequential) and isinstance(model.input, dict):
        keys = [str(path[-1]) for path, _ in keras.tree.flatten_with_path(model.input)]
    return list(zip(keys, given, input_names(model), strict=True))


def _choose(path: Path, found: dict[str, np.ndarray], names: tuple[str, ...], *, single: bool) -> np.ndarray:
    options = (*names, *(ONLY if single else ()))
    name = next((option for option in options if option in found), None)
    if name is None:
        expected = " or ".join(dict.fromkeys(options))
        raise ValueError(f"{path}: found {', '.join(found) or 'nothing'}; expected an array named {expected}")
    return found[name]


def _labels_beside(arrays: Arrays, found: dict[str, np.ndarray]) -> tuple[str, ...]:
    """Return the names that labels may have; those of the training part where that part is all there is."""
    training = any(array is found.get("x_train") for array in arrays)
    return LABELS[-1:] + LABELS[:-1] if training else LABELS[:-1]


def _checked(path: Path, array: np.ndarray, item: Any) -> np.ndarray:
    """Return an array in the dtype of the input that it is for."""
    if item is None or item.shape is None:
        return array
    shape = tuple(item.shape)
    fits = array.ndim == len(shape) and all(b in (None, a) for a, b in zip(array.shape[1:], shape[1:], strict=True))
    if not fits:
        raise ValueError(f"{path}: an array of {array.shape}; expected {shape} for the input {item.name}")
    if array.dtype.kind not in "biuf":
        return array
    return array.astype(item.dtype)


def _as_classes(path: Path, labels: np.ndarray | None, count: int) -> np.ndarray | None:
    if labels is None or labels.dtype.kind not in "biu":
        return None
    if labels.size != count:
        raise ValueError(f"{path}: {count} examples, but labels of {labels.shape}; expected one whole number for each")
    return labels.reshape(count)
