"""A picture -> the marks in it that may be digits: where each is, what it is, and which ink is its own.

Two small networks do this. The detector looks at each level of the picture, and says for each cell of 8 x 4 pixels
whether a digit has its middle there, how far its sides are away, and whether its ink is dark. The reader looks at one
mark at a time, in 32 x 32 pixels, and gives the probability of each digit and of none, and the mark's own ink without
its neighbours, lines and shadows. ``page/vision/marks.js`` is the twin in JavaScript.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from study_keras.runtimes import litert
from study_keras.runtimes.runner import Runner
from study_keras.vision.levels import Level
from study_keras.vision.lines import Box
from study_keras.vision.overlaps import SAME, overlaps_of_widened, widened
from study_keras.vision.rivals import without_rivals
from study_keras.vision.views import VIEW, view

SHIPPED = Path(__file__).parents[1] / "shipped"
ROWS, COLUMNS, SPAN = 8, 4, 22.0  # pixels a cell of the detector, and a unit of its distances
LONGER = 22  # pixels of the longer side of a mark in what the reader sees
NONE = 10  # the reader's class of what is no digit
MOST = 400  # marks of a level that the reader looks at; more than that is texture
# A size of levels gets its own interpreter when it comes this often, if it has no more pixels, and at most so many do.
OFTEN, PIXELS, OWN = 4, 2**18, 10

# Chosen on pages of the 5,000 training images that no network saw.
FOUND = 0.2  # a cell counts from this probability of a digit
DOUBTFUL_SCORE, DOUBTFUL_DIGIT = 0.5, 0.25  # at least, of the detector and of the reader, for a ? where no digit counts
AGAIN = 0.75  # proposals of several levels that have so much in common are of one mark, and only one is read
IS_DIGIT = 0.25  # a mark counts as a digit from this likelihood
LARGER = 0.7  # power of its size by which a mark is preferred: parts of digits look like digits, as the loop of a 9

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Finder:
    """The two networks as functions; it serves one thread at a time.

    ``detector``: (1, h, w, 1) -> (1, h / 8, w / 4, 6); ``reader``: (1, 32, 32, 1) -> (11,) and (32, 32), all logits.
    """

    detector: Callable[[NDArray[np.float32]], NDArray[np.float32]]
    reader: Callable[[NDArray[np.float32]], tuple[NDArray[np.float32], NDArray[np.float32]]]


class Mark(NamedTuple):
    """A mark that may be a digit.

    ``box``: left, top, right, bottom in pixels of the picture; ``score``: the detector's probability of a digit;
    ``probabilities`` (11,): the reader's, the last of none; ``ink`` (32, 32) in [0, 1]: its own ink, white on black,
    in the square at ``square``: left, top and side in pixels of the picture; ``dark``: whether its ink is darker than
    the paper; ``level``: the number of the level in which it was found.
    """

    box: tuple[float, float, float, float]
    score: float
    probabilities: Floats
    ink: Floats
    square: tuple[float, float, float]
    dark: bool
    level: int

    @property
    def digit(self) -> float:
        """The reader's probability that it is a digit."""
        return 1 - float(self.probabilities[NONE])

    @property
    def likelihood(self) -> float:
        """How likely it is a digit, by both networks."""
        return self.score * self.digit

    @property
    def doubtful(self) -> bool:
        """Whether the networks disagree: it may be a digit that cannot be read."""
        return self.score >= DOUBTFUL_SCORE and self.digit >= DOUBTFUL_DIGIT


class Proposal(NamedTuple):
    """What the detector proposes in the ``number``th level; ``box`` (4,) in its pixels, ``dark``: the ink."""

    number: int
    level: Level
    box: Floats
    score: float
    dark: bool


def load_finder(folder: Path = SHIPPED) -> Finder:
    """Return the shipped detector and reader; each thread needs its own."""
    reader = litert.open(folder / "reader.tflite")

    def read(views: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        classes, ink = reader.run([views]).outputs
        return classes[0], ink[0, ..., 0]

    return Finder(load_detector(folder), read)


def load_detector(folder: Path) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Return the detector as ``Finder`` has it.

    LiteRT prepares itself for the size of a level; a size that comes often, as from a camera, gets its own interpreter.
    """
    path = folder / "detector.tflite"
    any_size, times = litert.open(path), Counter[tuple[int, ...]]()
    own: dict[tuple[int, ...], Runner] = {}

    def detect(planes: NDArray[np.float32]) -> NDArray[np.float32]:
        times[planes.shape] += 1
        if times[planes.shape] == OFTEN and planes.size <= PIXELS and len(own) < OWN:
            own[planes.shape] = litert.open(path)
        return own.get(planes.shape, any_size).run([planes]).outputs[0]

    return detect


def find_marks(levels: list[Level], finder: Finder) -> list[Mark]:
    """Return the marks of a picture; of several that claim the same ink only the likeliest, and largest.

    Args:
        levels: as returned by ``levels.levels_of``.
        finder: as returned by ``load_finder``.
    """
    marks = [read_proposal(one, finder) for one in _proposals(levels, finder)]
    return without_rivals(marks, [_worth(mark.likelihood, mark.box) for mark in marks])


def _proposals(levels: list[Level], finder: Finder) -> list[Proposal]:
    """Return what the detector proposes in all levels; of several for one mark only the likeliest, and largest."""
    found = [
        Proposal(number, level, box, score, dark)
        for number, level in enumerate(levels)
        for box, score, dark in zip(*propose(level, finder), strict=True)
        if score >= IS_DIGIT  # the reader makes it no likelier
    ]
    places = np.array([one.level.scale * one.box for one in found]).reshape(-1, 4)
    worths = [_worth(one.score, place) for one, place in zip(found, places, strict=True)]
    free, kept, wide = np.ones(len(found), bool), [], widened(places)
    for at in sorted(range(len(found)), key=lambda at: -worths[at]):
        if free[at]:
            kept.append(found[at])
            free &= overlaps_of_widened(wide[at : at + 1], wide)[0] <= AGAIN
    return kept


def _worth(likelihood: float, box: Floats | Box) -> float:
    """Return by how much a mark is preferred to others of its ink; what is no digit is worth less than any digit."""
    if likelihood < IS_DIGIT:
        return likelihood  # a digit has more than a pixel
    return likelihood * float(max(box[2] - box[0], box[3] - box[1])) ** LARGER


def propose(level: Level, finder: Finder) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Return boxes (n, 4) in pixels of a level, the detector's probabilities (n,), and whether the ink is dark (n,)."""
    height, width = level.contrast.shape
    plane = np.zeros((1, -(-height // ROWS) * ROWS, -(-width // ROWS) * ROWS, 1), np.float32)
    plane[0, :height, :width, 0] = level.contrast
    cells = finder.detector(plane)[0]
    chances = _sigmoid(cells[..., 0])
    rows, columns = np.nonzero(chances >= FOUND)
    found, scores = cells[rows, columns].astype(np.float64), chances[rows, columns]
    x, y = (columns + 0.5) * COLUMNS, (rows + 0.5) * ROWS
    left, top, right, bottom = (np.maximum(side, 0.02) * SPAN for side in found[:, 1:5].T)
    boxes = np.stack([x - left, y - top, x + right, y + bottom], axis=1)
    return _merged(boxes, scores, found[:, 5] > 0)


def _merged(boxes: Floats, scores: Floats, dark: NDArray[np.bool_]) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Replace boxes of one mark by their mean, weighted by their scores; the likeliest first."""
    order = np.argsort(-scores, kind="stable")
    boxes, scores, dark = boxes[order], scores[order], dark[order]
    free, kept, wide = np.ones(len(boxes), bool), [], widened(boxes)
    for at in range(len(boxes)):
        if not free[at]:
            continue
        same = free & (overlaps_of_widened(wide[at : at + 1], wide)[0] > SAME)
        free &= ~same
        weights = scores[same]
        kept.append((weights @ boxes[same] / weights.sum(), scores[at], dark[at]))
        if len(kept) == MOST:
            break
    return (
        np.array([box for box, _, _ in kept]).reshape(-1, 4),
        np.array([score for _, score, _ in kept]),
        np.array([one for *_, one in kept], bool),
    )


def read_again(mark: Mark, level: Level, finder: Finder, scale: float) -> Mark:
    """Return a mark of a level as the reader sees it in a box ``scale`` times as large."""
    left, top, right, bottom = np.array(mark.box) / level.scale
    x, y = (1 - scale) / 2 * (right - left), (1 - scale) / 2 * (bottom - top)
    box = np.array([left + x, top + y, right - x, bottom - y])
    return read_proposal(Proposal(mark.level, level, box, mark.score, mark.dark), finder)


def read_proposal(one: Proposal, finder: Finder) -> Mark:
    """Return a proposal as the reader sees it."""
    level, (left, top, right, bottom) = one.level, map(float, one.box)
    side = max(right - left, bottom - top) * VIEW / LONGER
    x, y = (left + right - side) / 2, (top + bottom - side) / 2
    seen = view(-level.contrast if one.dark else level.contrast, x, y, side)
    classes, ink = finder.reader(seen[None, ..., None])
    exponentials = np.exp(classes - classes.max())
    place = (level.scale * x, level.scale * y, level.scale * side)
    whole = (level.scale * left, level.scale * top, level.scale * right, level.scale * bottom)
    probabilities = exponentials / exponentials.sum()
    return Mark(whole, float(one.score), probabilities, _sigmoid(ink), place, bool(one.dark), one.number)


def _sigmoid(logits: Floats) -> Floats:
    return 1 / (1 + np.exp(-logits))
