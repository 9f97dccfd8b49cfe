"""Whether a mark is a digit, and which: the votes of the reader and the network for one digit. Needs only NumPy.

``page/vision/votes.js`` is the twin in JavaScript.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from study_keras.vision.classifier import Network
from study_keras.vision.detection import CERTAIN
from study_keras.vision.levels import Level
from study_keras.vision.marks import IS_DIGIT, NONE, Finder, Mark, read_again
from study_keras.vision.prepare import normalized

# Chosen on pages of the 5,000 training images that no network saw.
CLOSER, WIDER = 0.85, 1.3  # of its box: the other views of an uncertain mark
SHARE = 0.25  # of the network for one digit in whether a mark is one; the rest is the reader's


def may_count(mark: Mark) -> bool:
    """Whether a mark counts as a digit, or would if the network for one digit were sure of one."""
    return mark.doubtful or mark.score * ((1 - SHARE) * mark.digit + SHARE) >= IS_DIGIT


def votes(
    marks: Sequence[Mark], levels: Sequence[Level], network: Network, finder: Finder
) -> tuple[NDArray[np.float32], NDArray[np.float32], list[float]]:
    """Return the marks' images ``(n, 28, 28)``, the probabilities of their classes, and how likely each is a digit.

    The shipped network and the reader vote together, and if that is uncertain, once more on a closer and on a wider
    view of the mark; a view counts by the reader's probability that it shows a digit. Of ink that is no digit the
    shipped network says about the same for all classes, so it has a share in that, too. Any other network is alone.
    """
    images = np.array([normalized(mark) for mark in marks])
    rows = network(images)
    if not network.shipped:
        return images, rows, [mark.likelihood for mark in marks]
    sureness = (rows.max(axis=1) - 0.1) / 0.9
    likely = [
        mark.score * ((1 - SHARE) * mark.digit + SHARE * float(sure))
        for mark, sure in zip(marks, sureness, strict=True)
    ]
    rows = np.array([_vote(mark, row) for mark, row in zip(marks, rows, strict=True)])
    for number in np.flatnonzero(rows.max(axis=1) < CERTAIN).tolist():
        mark = marks[number]
        views = [mark, *(read_again(mark, levels[mark.level], finder, scale) for scale in (CLOSER, WIDER))]
        others = network(np.array([normalized(view) for view in views[1:]]))
        said = [rows[number], *(_vote(view, row) for view, row in zip(views[1:], others, strict=True))]
        rows[number] = np.average(said, axis=0, weights=[_weight(view) for view in views])
    return images, rows, likely


def _vote(mark: Mark, row: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean of what the network and the reader say of a view."""
    return ((row + (mark.probabilities[:NONE] / _weight(mark)).astype(np.float32)) / 2).astype(np.float32)


def _weight(view: Mark) -> float:
    return max(view.digit, 1e-6)  # the reader may be sure that a view shows none
