"""The difference between outputs and those of Keras, in one unit, and the thresholds."""

import numpy as np

from study_keras.runtimes.runner import Arrays

# By how an artifact stores its numbers: the fraction of examples that must have Keras' class, and the largest
# difference, in the unit of `differences`.
ROUNDING = 1e-5  # passes for every file, however it stores its numbers: all compute in float32
THRESHOLDS: dict[str, tuple[float, float | None]] = {
    "float32": (1.0, ROUNDING),
    "float16": (0.9998, 2e-3),
    "uint16": (0.9999, None),
    "uint8": (0.9970, None),
    "dynamic": (0.9970, None),
    "int8": (0.9970, None),
}
TIE = 1e-5  # classes within this of Keras' best, in the same unit, count as equal: rounding decides between them
SMALLEST = 1e-3  # outputs of smaller numbers are measured relative to this


def sizes(wanted: np.ndarray, count: int) -> np.ndarray:
    """Return for each of ``count`` examples the largest number in its output, by which a difference is divided."""
    if wanted.dtype.kind == "O":
        return np.ones(count)
    rows = np.abs(_rows(wanted, count).astype("float64"))
    return np.max(np.where(np.isfinite(rows), rows, 0), axis=1, initial=SMALLEST)


def gaps(wanted: np.ndarray, found: np.ndarray, count: int) -> np.ndarray:
    """Return the absolute differences between two outputs, ``(count, numbers)`` float64.

    NaN or infinity in both at the same place is no difference; in only one of them it is an infinite difference.
    """
    wanted, found = _rows(wanted, count), _rows(found, count)
    if "O" in wanted.dtype.kind + found.dtype.kind:  # strings
        return (wanted != found).astype("float64")
    wanted, found = wanted.astype("float64"), found.astype("float64")
    same = (wanted == found) | (np.isnan(wanted) & np.isnan(found))
    with np.errstate(invalid="ignore"):  # infinity less infinity, which `same` decides
        apart = np.where(same, 0.0, np.abs(wanted - found))
    return np.nan_to_num(apart, nan=np.inf, posinf=np.inf)


def differences(wanted: np.ndarray, found: np.ndarray, count: int) -> np.ndarray:
    """Return for each of ``count`` examples the largest difference in an output, relative to ``sizes``; ``(count,)``.

    Integers, booleans and strings are compared absolutely.
    """
    largest = np.max(gaps(wanted, found, count), axis=1, initial=0)
    return largest if wanted.dtype.kind in "biuO" else largest / sizes(wanted, count)


def mean_difference(wanted: Arrays, found: Arrays, count: int) -> float:
    """Return the mean difference of all numbers in all outputs, relative to the ``sizes`` of their examples."""
    parts = [gaps(*pair, count) / sizes(pair[0], count)[:, None] for pair in zip(wanted, found, strict=True)]
    return float(np.concatenate([part.ravel() for part in parts]).mean())


def _rows(array: np.ndarray, count: int) -> np.ndarray:
    """Return an output as ``(count, numbers)``; one without an example axis, such as a sum, is repeated."""
    if array.ndim and len(array) == count:
        return array.reshape(count, -1)
    return np.broadcast_to(array.reshape(1, -1), (count, array.size))
