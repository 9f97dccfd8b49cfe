"""Test inputs for a model: digits for a network that takes digits, other examples, or none."""

from pathlib import Path
from typing import Any

from study_keras.data.dataset import Labels, load_data
from study_keras.data.readers import npz
from study_keras.data.readers.idx import prefix_of
from study_keras.formats.proof.examples import load_examples
from study_keras.report import evaluation
from study_keras.runtimes.runner import Arrays


def load_test_examples(model: Any, path: Path | None) -> tuple[Arrays | None, Labels | None]:
    """Return the inputs for ``model``, one array per input, and their labels, from ``path``.

    Args:
        model: a Keras model, or a SavedModel as a function.
        path: a dataset as ``load_data`` takes it, for a network that takes digits, or an ``.npy`` or ``.npz`` file as
            ``load_examples`` takes it. None for MNIST, or for no examples if the model does not take digits.

    Raises:
        ValueError: the file has no inputs for this model.
    """
    if path is None and not evaluation.takes_digits(model):
        return None, None
    return _load(model, path, part=1)


def load_calibration_inputs(model: Any, path: Path | None, count: int) -> Arrays:
    """Return at most ``count`` typical inputs for ``model``, one array per input, which int8 is calibrated on.

    Args:
        path: as for ``load_test_examples``; of a dataset the training part.

    Raises:
        ValueError: the file has no inputs for this model, or there is none and the model does not take digits.
    """
    if path is None and not evaluation.takes_digits(model):
        shape = getattr(model, "input_shape", None)
        raise ValueError(f"the model takes {shape}, no digits; give typical inputs with --data, an .npy or .npz file")
    return [array[:count] for array in _load(model, path, part=0, count=count)[0]]


def _load(model: Any, path: Path | None, part: int, count: int | None = None) -> tuple[Arrays, Labels | None]:
    """Return the inputs and the labels of the training part (0) or the test part (1)."""
    digits = evaluation.takes_digits(model)
    if path is None or path.is_dir() or prefix_of(path) is not None or (digits and npz.has_keys(path)):
        images, labels = load_data(path)[part]
        return [evaluation.to_model_inputs(model, images[:count])], labels

    def prepare(array: Any) -> Any:
        return evaluation.to_model_inputs(model, array) if digits and array.dtype == "uint8" else array

    return load_examples(path, model, prepare)
