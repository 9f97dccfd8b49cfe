"""Traces of ink that look a little like digits: wiped off, shining through paper, stray strokes. Needs only NumPy.

``page/vision/traces.js`` is the twin in JavaScript.
"""

from collections.abc import Sequence

import numpy as np

from study_keras.vision.levels import Level
from study_keras.vision.marks import VIEW, Mark, view

CLEAR = 0.6  # a mark that is as likely a digit is none
FAINT = 1 / 3  # of the strength of the page's clear marks; a fainter one that is less likely is a trace
SHORT = 0.6  # of their longer side; as is a shorter one


def without_traces(marks: Sequence[Mark], levels: Sequence[Level]) -> list[Mark]:
    """Return the marks of a picture without those that are doubtful, and much fainter or shorter than its clear ones.

    Args:
        marks: as ``marks.find_marks`` returns them.
        levels: of the picture.
    """
    clear = [mark for mark in marks if mark.likelihood >= CLEAR]
    if not clear or len(clear) == len(marks):
        return list(marks)
    least = FAINT * float(np.median([_strength(mark, levels) for mark in clear]))
    shortest = SHORT * float(np.median([_length(mark) for mark in clear]))
    return [
        mark
        for mark in marks
        if mark.likelihood >= CLEAR or (_length(mark) >= shortest and _strength(mark, levels) >= least)
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
