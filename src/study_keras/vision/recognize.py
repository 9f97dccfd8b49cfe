"""A picture -> the digits in it: read, segment, normalize, classify. Needs NumPy, Pillow and the network's runtime."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from study_keras.vision.binarize import Grey, check_grey
from study_keras.vision.classifier import Network
from study_keras.vision.image_io import Picture, Source, read_picture, source_name
from study_keras.vision.normalize import bounding_box, normalize
from study_keras.vision.prepare import prepare
from study_keras.vision.segment import MAX_SIDE, Box, segment_lines

# Chosen on the 5,000 training images that the shipped network never saw, and on ink that is no digit.
NO_DIGIT = 0.5  # ink whose best class is below is not counted: 0.16 % of those images, and 96.6 % of that ink
CERTAIN = 0.9  # below it an answer is marked as uncertain: 1.2 % of those images, but 9 of the 14 misread ones


class Candidate(NamedTuple):
    """Ink that may be a digit: its box, its ``(28, 28)`` image, its probabilities, and the number of its line."""

    box: Box
    image: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    line: int

    @property
    def label(self) -> int:
        """The most probable class."""
        return int(self.probabilities.argmax())

    @property
    def probability(self) -> float:
        """The probability of that class."""
        return float(self.probabilities.max())

    @property
    def is_digit(self) -> bool:
        """Whether it counts as a digit."""
        return self.probability >= NO_DIGIT

    @property
    def certain(self) -> bool:
        """Whether the answer is not marked as uncertain."""
        return self.probability >= CERTAIN


class Detection(NamedTuple):
    """What was found in a picture.

    ``grey`` (h, w): the picture, in which a pixel is ``scale`` pixels of the file; ``ink`` (h, w) in [0, 1]: its ink;
    ``candidates``: in reading order, also those below ``NO_DIGIT``; ``names``: of all classes.
    """

    grey: Grey
    scale: float
    ink: NDArray[np.floating[Any]]
    candidates: list[Candidate]
    names: list[str]

    @property
    def lines(self) -> list[list[Candidate]]:
        """The digits, line by line; a line without a digit is left out."""
        lines: dict[int, list[Candidate]] = {}
        for candidate in self.candidates:
            if candidate.is_digit:
                lines.setdefault(candidate.line, []).append(candidate)
        return list(lines.values())

    @property
    def separator(self) -> str:
        """A space if a name has more than one letter, otherwise nothing."""
        return " " if any(len(name) > 1 for name in self.names) else ""


def recognize(source: Source | Grey | Picture, network: Network, names: Sequence[str] | None = None) -> dict[str, Any]:
    """Recognize the digits in a picture, line by line from the left.

    Args:
        source: a picture as ``image_io.read_image`` takes it, or ``(height, width)`` floats in [0, 1]. One of MNIST's
            own images goes to the network unchanged; if the classes have ``names``, so does any picture of 28 x 28,
            because other datasets were prepared differently.
        network: as returned by ``classifier.load_network``.
        names: of the network's classes, as returned by ``metadata.class_names``; by default the digits.

    Returns:
        A dict, ready for JSON. ``text``: the names in reading order, with a line feed between lines, and a space
        between names if one has more than one letter; "" if no ink is a digit. ``digits``: for each its ``digit``,
        which is the number of its class, ``name``, ``probability``, ``probabilities``, ``box`` (left, top, right,
        bottom in pixels of the upright picture, the last two exclusive) and ``certain``: whether the probability is at
        least ``CERTAIN``.

    Raises:
        ValueError: the picture cannot be read, or has no ink.
    """
    return to_dict(detect(source, network, names))


def detect(source: Source | Grey | Picture, network: Network, names: Sequence[str] | None = None) -> Detection:
    """Return all ink that may be a digit, and what the network says of it; see ``recognize``."""
    if isinstance(source, np.ndarray):
        picture = Picture(source, 1.0)
    else:
        picture = source if isinstance(source, Picture) else read_picture(source, max_side=MAX_SIDE)
    try:
        ink, found = _normalized(picture.grey, unchanged=bool(names))
    except ValueError as error:
        prefix = "" if isinstance(source, np.ndarray | Picture) else f"{source_name(source)}: "
        raise ValueError(f"{prefix}{error}") from error
    rows = network(np.array([image for _, image, _ in found], np.float32).reshape(-1, 28, 28))
    names = [*(names or ()), *map(str, range(len(names or ()), rows.shape[1]))]
    candidates = [Candidate(box, image, row, line) for (box, image, line), row in zip(found, rows, strict=True)]
    return Detection(picture.grey, picture.scale, ink, candidates, names)


def _normalized(
    grey: Grey, *, unchanged: bool
) -> tuple[NDArray[np.floating[Any]], list[tuple[Box, NDArray[np.float32], int]]]:
    """Return the ink, and box, image and line of each candidate; a picture of 28 x 28 may go ``unchanged``."""
    if grey.shape == (28, 28):
        image = check_grey(grey).astype(np.float32) if unchanged else prepare(grey)
        return image, [(bounding_box(image > 0), image, 0)]
    ink, lines = segment_lines(grey)
    return ink, [(box, normalize(strength), number) for number, line in enumerate(lines) for box, strength in line]


def to_dict(detection: Detection) -> dict[str, Any]:
    """Return a detection as ``recognize`` does."""
    names, lines = detection.names, detection.lines
    text = "\n".join(detection.separator.join(names[digit.label] for digit in line) for line in lines)
    return {"text": text, "digits": [_digit(digit, detection) for line in lines for digit in line]}


def _digit(digit: Candidate, detection: Detection) -> dict[str, Any]:
    return {
        "digit": digit.label,
        "name": detection.names[digit.label],
        "probability": digit.probability,
        "probabilities": digit.probabilities.tolist(),
        "box": [round(detection.scale * side) for side in digit.box],
        "certain": digit.certain,
    }


def to_text(detection: Detection) -> list[str]:
    """Return a detection for people, one string a line: "50?3 (99.8 %, 61.0 %, 98.2 %)"."""
    shown = []
    for line in detection.lines:
        marked = [f"{detection.names[digit.label]}{'' if digit.certain else '?'}" for digit in line]
        percents = ", ".join(f"{100 * digit.probability:.1f} %" for digit in line)
        shown.append(f"{detection.separator.join(marked)} ({percents})")
    return shown or ["no digit"]
