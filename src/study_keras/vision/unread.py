"""Ink in a line that was not read, so that nothing is left out in silence. Needs only NumPy.

``page/vision/unread.js`` is the twin in JavaScript.
"""

from collections.abc import Sequence

import numpy as np

from study_keras.vision.components import Mask, connected_components
from study_keras.vision.levels import Level
from study_keras.vision.lines import IN_LINE, Box, common_height
from study_keras.vision.marks import Floats, Mark

DARK_ENOUGH = 0.5  # of the difference between the line's digits and its paper; fainter is not their ink
LOWEST, TALLEST = 0.5, 1.5  # of their height; lower are commas and dashes, taller are frames
BESIDE, ABOVE = 1.5, 0.4  # heights around the line in which ink belongs to it


def without_low(line: Sequence[int], marks: Sequence[Mark]) -> list[int]:
    """Return the numbers of a line's marks without those that are as low as its commas, whatever they look like."""
    heights = [marks[at].box[3] - marks[at].box[1] for at in line]
    least = LOWEST * float(np.median(heights))
    return [at for at, height in zip(line, heights, strict=True) if height >= least]


def unread_boxes(line: Sequence[Mark], others: Sequence[Mark], levels: Sequence[Level]) -> list[Box]:
    """Return the boxes of ink in a line of digits, as high as they are, that is neither theirs nor another mark's.

    Args:
        line: the digits' marks, from the left.
        others: the marks of the page's other lines.
        levels: of the picture.

    Returns:
        Boxes in pixels of the picture, from the left.
    """
    level = levels[int(np.median([mark.level for mark in line]))]
    boxes = np.array([mark.box for mark in line]) / level.scale
    height = float(np.median(boxes[:, 3] - boxes[:, 1]))
    area = np.array([*(boxes[:, :2].min(axis=0)), *(boxes[:, 2:].max(axis=0))])
    area += np.array([-BESIDE, -ABOVE, BESIDE, ABOVE]) * height
    left, top = (max(int(side), 0) for side in area[:2])
    right, bottom = (int(np.ceil(side)) for side in area[2:])
    strip = level.light[top:bottom, left:right]
    strip = -strip if sum(mark.dark for mark in line) * 2 > len(line) else strip
    away = [left, top, left, top]
    taken = np.array([mark.box for mark in others]).reshape(-1, 4) / level.scale - away
    found = _others(strip, boxes - away, taken, height)
    return [_moved(box, left, top, level.scale) for box in sorted(found)]


def _others(strip: Floats, boxes: Floats, taken: Floats, height: float) -> list[Box]:
    """Return the components of a strip that are as high as its digits in ``boxes``, but neither they nor ``taken``."""
    own = np.zeros(strip.shape, bool)
    strip = strip - float(np.median(strip))  # paper is most of it
    all_ = np.concatenate([boxes, taken])
    peaks = []
    for left, top, right, bottom in (
        np.stack([np.floor(all_[:, :2]), np.ceil(all_[:, 2:])], 1).reshape(-1, 4).astype(int)
    ):
        inside = np.s_[max(top - 1, 0) : max(bottom + 1, 0), max(left - 1, 0) : max(right + 1, 0)]
        own[inside] = True
        peaks.append(float(strip[inside].max(initial=0)))
    mask: Mask = (strip > DARK_ENOUGH * float(np.median(peaks[: len(boxes)]))) & ~own
    components = connected_components(mask)
    middles = (all_[:, :2] + all_[:, 2:]) / 2
    return [
        (left, top, right, bottom)
        for (left, top, right, bottom), area in zip(components.boxes.tolist(), components.areas, strict=True)
        if LOWEST * height <= bottom - top <= TALLEST * height
        and area >= 0.03 * height * height
        and top > 0 < left
        and right < strip.shape[1]
        and bottom < strip.shape[0]
        and not ((middles > (left, top)) & (middles < (right, bottom))).all(axis=1).any()
        and (right - left >= 0.3 * height or not own[top:bottom, max(left - 1, 0) : right + 1].any())
        and _is_beside(boxes, (left, top, right, bottom))
    ]


def _is_beside(boxes: Floats, other: Box) -> bool:
    """Whether a box is as high on the page as the nearest of a line: a line may rise or fall, and reach into others."""
    nearest = boxes[np.abs(boxes[:, 0] + boxes[:, 2] - other[0] - other[2]).argmin()]
    return common_height((nearest[0], nearest[1], nearest[2], nearest[3]), other) >= IN_LINE


def _moved(box: Box, left: int, top: int, scale: float) -> Box:
    return scale * (box[0] + left), scale * (box[1] + top), scale * (box[2] + left), scale * (box[3] + top)
