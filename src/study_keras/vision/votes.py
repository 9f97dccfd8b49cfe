"""Which digit a mark is: the votes of the reader and of the network for one digit. Needs only NumPy.

``page/vision/votes.js`` is the twin in JavaScript.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from study_keras.vision.classifier import Network
from study_keras.vision.detection import CERTAIN
from study_keras.vision.levels import Level
from study_keras.vision.marks import NONE, Finder, Mark, read_again
from study_keras.vision.prepare import normalized

# Chosen on pages of the 5,000 training images that no network saw.
CLOSER, WIDER = 0.85, 1.3  # of its box: the other views of an uncertain mark


def votes(
    marks: Sequence[Mark], levels: Sequence[Level], network: Network, finder: Finder
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the marks' images ``(n, 28, 28)``, and the probabilities of their classes.

    The shipped network and the reader vote together, and if that is uncertain, once more on a closer and on a wider
    view of the mark; a view counts by the reader's probability that it shows a digit. Any other network is alone.
    """
    images = np.array([normalized(mark) for mark in marks])
    rows = network(images)
    if not network.shipped:
        return images, rows
    rows = np.array([_vote(mark, row) for mark, row in zip(marks, rows, strict=True)])
    for number in np.flatnonzero(rows.max(axis=1) < CERTAIN).tolist():
        mark = marks[number]
        views = [mark, *(read_again(mark, levels[mark.level], finder, scale) for scale in (CLOSER, WIDER))]
        others = network(np.array([normalized(view) for view in views[1:]]))
        said = [rows[number], *(_vote(view, row) for view, row in zip(views[1:], others, strict=True))]
        rows[number] = np.average(said, axis=0, weights=[view.digit for view in views])
    return images, rows


def _vote(mark: Mark, row: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean of what the network and the reader say of a view."""
    return ((row + (mark.probabilities[:NONE] / mark.digit).astype(np.float32)) / 2).astype(np.float32)
