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
    digits = evaluation.takes_digits(model)
    if path is None and not digits:
        return None, None
    if path is None or path.is_dir() or prefix_of(path) is not None or (digits and npz.has_keys(path)):
        images, labels = load_data(path)[1]
        return [evaluation.to_model_inputs(model, images)], labels

    def prepare(array: Any) -> Any:
        return evaluation.to_model_inputs(model, array) if digits and array.dtype == "uint8" else array

    return load_examples(path, model, prepare)
