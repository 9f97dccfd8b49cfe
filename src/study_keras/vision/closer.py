"""Where digits are small in their picture, so that it is read once more in double size. Needs only NumPy.

``page/vision/closer.js`` is the twin in JavaScript.
"""

from collections.abc import Sequence

import numpy as np

from study_keras.vision.detection import Candidate
from study_keras.vision.levels import MAX_SIDE, SMALL, Grey, doubled
from study_keras.vision.lines import Box

SMALL_DIGITS = 22  # pixels of the longer side, as the middle one of the digits has; the detector finds them from 20 on
AROUND = 6  # of their longer sides around them that are read, too: digits that were missed


def small_part(shape: tuple[int, ...], found: Sequence[Box]) -> tuple[int, int, int, int] | None:
    """Return the part of a picture that has its small digits; None if they are not small, or the part is too large.

    Args:
        shape: the picture's height and width.
        found: the boxes of what may be digits.

    Returns:
        Left, top, right, bottom in pixels, the last two exclusive.
    """
    boxes = np.array(found)
    if not len(boxes) or max(shape) <= SMALL:
        return None
    size = float(np.median(np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])))
    if size >= SMALL_DIGITS * -(-max(shape) // MAX_SIDE):
        return None
    left, top = (max(int(side - AROUND * size), 0) for side in boxes[:, :2].min(axis=0))
    right, bottom = (
        min(int(side + AROUND * size), length)
        for side, length in zip(boxes[:, 2:].max(axis=0), shape[::-1], strict=True)
    )
    return (left, top, right, bottom) if 2 * max(right - left, bottom - top) <= MAX_SIDE else None


def enlarged(grey: Grey, part: tuple[int, int, int, int]) -> Grey:
    """Return a part of a picture in double size."""
    left, top, right, bottom = part
    return doubled(grey[top:bottom, left:right].astype(np.float64))


def in_place(found: Sequence[Candidate], part: tuple[int, int, int, int]) -> list[Candidate]:
    """Return what was found in an enlarged part as it is in the picture."""
    x, y = part[:2]
    boxes = ([side / 2 for side in one.box] for one in found)
    return [
        one._replace(box=(left + x, top + y, right + x, bottom + y))
        for one, (left, top, right, bottom) in zip(found, boxes, strict=True)
    ]
