"""Predicted classes, and for how many examples they agree with those of Keras."""

import numpy as np

from study_keras.formats.proof.differences import TIE, sizes
from study_keras.runtimes.runner import Arrays


def accuracy(answer: np.ndarray, labels: np.ndarray) -> float:
    return float((_classes(answer).reshape(labels.shape) == labels).mean())


def agreement(expected: Arrays, answers: Arrays, count: int, *, labelled: bool) -> int | None:
    """Return for how many examples all outputs have the same class; None where the outputs are not classes.

    They are classes if labels are given, or if each row of every output contains probabilities that sum to 1.
    """
    if not all(output.ndim and len(output) == count and output.dtype.kind == "f" for output in expected):
        return None
    if not labelled and not all(_probabilities(output) for output in expected):
        return None
    same = np.ones(count, bool)
    for wanted, found in zip(expected, answers, strict=True):
        tie = TIE * sizes(wanted, count)
        same &= _agree(wanted, found, tie.reshape(-1, *[1] * (wanted.ndim - 1))).reshape(count, -1).all(axis=1)
        same &= (np.isfinite(found) | ~np.isfinite(wanted)).reshape(count, -1).all(axis=1)
    return int(same.sum())


def _probabilities(output: np.ndarray) -> bool:
    several = output.ndim > 1 and output.shape[-1] > 1
    return several and bool((output >= 0).all() and (np.abs(output.sum(axis=-1, dtype="float64") - 1) < 1e-3).all())


def _agree(wanted: np.ndarray, found: np.ndarray, tie: np.ndarray) -> np.ndarray:
    """Tell for each prediction whether its class is the expected one, or within ``tie`` of it."""
    same: np.ndarray = _classes(wanted) == _classes(found)
    if wanted.ndim < 2 or wanted.shape[-1] == 1:
        return same | (np.abs(wanted.reshape(same.shape) - 0.5) <= tie.reshape(-1, 1))
    chosen = np.take_along_axis(wanted, found.argmax(axis=-1)[..., None], axis=-1)[..., 0]
    return same | (chosen >= wanted.max(axis=-1) - tie[..., 0])


def _classes(answer: np.ndarray) -> np.ndarray:
    """Return the predicted classes; for a single number, whether it is above 0.5."""
    if answer.ndim < 2 or answer.shape[-1] == 1:
        return answer.reshape(len(answer), -1) > 0.5
    return answer.argmax(axis=-1)
