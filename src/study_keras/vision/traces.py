"""Traces of ink that look a little like digits: wiped off, shining through paper, stray strokes. Needs only NumPy.

``page/vision/traces.js`` is the twin in JavaScript.
"""

from collections.abc import Sequence

import numpy as np

from study_keras.vision.levels import Level
from study_keras.vision.marks import Mark
from study_keras.vision.views import VIEW, view

CLEAR = 0.6  # a mark that is as likely a digit is none
FAINT = 1 / 3  # of the strength of the page's clear marks; a fainter one that is less likely is a trace
SHORT = 0.6  # of their longer side; as is a shorter one
FAINTEST = 0.2  # of the strength of the strongest clear mark; a fainter one is a trace, however likely


def without_traces(marks: Sequence[Mark], levels: Sequence[Level]) -> list[Mark]:
    """Return the marks of a picture without those that are doubtful, and much fainter or shorter than its clear ones.

    A mark that hardly shows beside the strongest clear one is left out, too, even if it is no doubt a digit.

    Args:
        marks: as ``marks.find_marks`` returns them.
        levels: of the picture.
    """
    clear = [at for at, mark in enumerate(marks) if mark.likelihood >= CLEAR]
    if not clear:
        return list(marks)
    strengths = [_strength(mark, levels) for mark in marks]
    faint = FAINT * float(np.median([strengths[at] for at in clear]))
    faintest = FAINTEST * max(strengths[at] for at in clear)
    short = SHORT * float(np.median([_length(marks[at]) for at in clear]))
    return [
        mark
        for mark, strength in zip(marks, strengths, strict=True)
        if strength >= faintest and (mark.likelihood >= CLEAR or (strength >= faint and _length(mark) >= short))
    ]


def _length(mark: Mark) -> float:
    left, top, right, bottom = mark.box
    return max(right - left, bottom - top)


def _strength(mark: Mark, levels: Sequence[Level]) -> float:
    """Return by how much the light of a mark's ink differs from that of the paper around it."""
    level = levels[mark.level]
    left, top, side = (part / level.scale for part in mark.square)
    columns, rows = (
        (middles >= 0) & (middles < length)
        for middles, length in zip(
            np.add.outer((left, top), (np.arange(VIEW) + 0.5) * side / VIEW), level.light.shape[::-1], strict=True
        )
    )
    light, ink = view(level.light, left, top, side), mark.ink
    inside = np.outer(rows, columns)  # of the picture; outside of it the light is 0
    own, paper = ink * inside, (1 - ink) * inside
    return abs(float((own * light).sum() / own.sum() - (paper * light).sum() / paper.sum()))
