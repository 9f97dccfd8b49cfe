"""What to try a model on: digits for a network that takes digits, other real examples, or none."""

import zipfile
from pathlib import Path
from typing import Any

from study_keras.data.dataset import KEYS, Labels, load_data
from study_keras.data.readers.idx import prefix_of
from study_keras.formats.proof.examples import load_examples
from study_keras.report import evaluation
from study_keras.runtimes.runner import Arrays


def load_test_examples(model: Any, path: Path | None) -> tuple[Arrays | None, Labels | None]:
    """Return the inputs for ``model``, one array an input, and their labels, from ``path``.

    Args:
        model: a Keras model, or a SavedModel as a function.
        path: of any data set that ``load_data`` takes, for a network that takes digits, or of an ``.npy`` or ``.npz``
            as ``load_examples`` has it. None for MNIST; then both are None for a model that takes no digits.

    Raises:
        ValueError: there are no examples for this model.
    """
    digits = evaluation.takes_digits(model)
    if path is None and not digits:
        return None, None
    if path is None or path.is_dir() or prefix_of(path) is not None or (digits and _is_data_set(path)):
        images, labels = load_data(path)[1]
        return [evaluation.inputs(model, images)], labels

    def prepare(array: Any) -> Any:
        return evaluation.inputs(model, array) if digits and array.dtype == "uint8" else array

    return load_examples(path, model, prepare)


def _is_data_set(path: Path) -> bool:
    """Tell whether ``path`` is an ``.npz`` with the four arrays of a data set."""
    try:
        with zipfile.ZipFile(path) as file:
            return {f"{key}.npy" for key in KEYS} <= set(file.namelist())
    except (OSError, zipfile.BadZipFile):
        return False  # whoever reads it says what is wrong
