"""What was found in a picture, and how it is told to programs and to people. Needs only NumPy."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from study_keras.vision.levels import Grey
from study_keras.vision.lines import Box
from study_keras.vision.marks import IS_DIGIT

# Chosen on pages of the 5,000 training images that no network saw, and on ink that is no digit.
NO_DIGIT = 0.4  # a mark whose best class is below is not counted as a digit
CERTAIN = 0.9  # below it an answer is marked as uncertain


class Candidate(NamedTuple):
    """Ink that may be a digit: its box, its ``(28, 28)`` image, its probabilities, and the number of its line.

    ``digit``: the likelihood that it is a digit at all. Ink in a line that is no digit has an image of zeros.
    """

    box: Box
    image: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    line: int
    digit: float = 1.0

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
        return self.digit >= IS_DIGIT and self.probability >= NO_DIGIT

    @property
    def certain(self) -> bool:
        """Whether the answer is not marked as uncertain."""
        return self.probability >= CERTAIN


class Detection(NamedTuple):
    """What was found in a picture.

    ``grey`` (h, w): the picture, in which a pixel is ``scale`` pixels of the file; ``candidates``: in reading order,
    also those that are no digits; ``names``: of all classes; ``turned``: by how many degrees, counterclockwise, the
    picture was turned to be read; boxes are in pixels of the turned picture.
    """

    grey: Grey
    scale: float
    candidates: list[Candidate]
    names: list[str]
    turned: int = 0

    @property
    def lines(self) -> list[list[Candidate]]:
        """What is written, line by line; a line without a digit is left out."""
        lines: dict[int, list[Candidate]] = {}
        for candidate in self.candidates:
            lines.setdefault(candidate.line, []).append(candidate)
        return [line for line in lines.values() if any(candidate.is_digit for candidate in line)]

    @property
    def separator(self) -> str:
        """A space if a name has more than one letter, otherwise nothing."""
        return " " if any(len(name) > 1 for name in self.names) else ""

    @property
    def sureness(self) -> float:
        """How surely what is written is digits, and these: the mean, with 0 for what could not be read, or nothing."""
        written = [candidate for line in self.lines for candidate in line]
        return sum(one.digit * one.probability * one.is_digit for one in written) / max(1, len(written))


def to_dict(detection: Detection) -> dict[str, Any]:
    """Return a detection as ``recognize`` does."""
    written = [candidate for line in detection.lines for candidate in line]
    return {
        "text": "\n".join(detection.separator.join(_text(one, detection) for one in line) for line in detection.lines),
        "digits": [_digit(candidate, detection) for candidate in written if candidate.is_digit],
        "unread": [_box(candidate.box, detection) for candidate in written if not candidate.is_digit],
        "turned": detection.turned,
    }


def _text(candidate: Candidate, detection: Detection) -> str:
    return detection.names[candidate.label] if candidate.is_digit else "?"


def _digit(digit: Candidate, detection: Detection) -> dict[str, Any]:
    return {
        "digit": digit.label,
        "name": detection.names[digit.label],
        "probability": digit.probability,
        "probabilities": digit.probabilities.tolist(),
        "box": _box(digit.box, detection),
        "certain": digit.certain,
    }


def _box(box: Box, detection: Detection) -> list[int]:
    """Return a box in whole pixels of the upright file, inside of it."""
    left, top, right, bottom = box
    height, width = detection.grey.shape
    for _ in range(detection.turned // 90):  # a quarter back, clockwise
        left, top, right, bottom = height - bottom, left, height - top, right
        height, width = width, height
    sides = np.clip((left, top, right, bottom), 0, (width, height, width, height))
    return [round(detection.scale * float(side)) for side in sides]


def to_text(detection: Detection) -> list[str]:
    """Return a detection for people, one string a line: "50?3 (99.8 %, 61.0 %, 98.2 %)"; ? alone is unread ink."""
    shown = []
    for line in detection.lines:
        marked = [f"{_text(one, detection)}{'?' if one.is_digit and not one.certain else ''}" for one in line]
        percents = ", ".join(f"{100 * one.probability:.1f} %" for one in line if one.is_digit)
        shown.append(f"{detection.separator.join(marked)} ({percents})")
    return shown or ["no digit"]
