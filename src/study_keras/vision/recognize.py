"""A picture -> the number in it: the digits found, framed as MNIST's, and read by a network. NumPy and Pillow alone."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from study_keras.data.class_names import name_of
from study_keras.vision.binarize import Grey
from study_keras.vision.classifier import Network, load_network
from study_keras.vision.normalize import box_of, frame
from study_keras.vision.prepare import check_grey, prepare, read_image
from study_keras.vision.segment import Box, find_lines

__all__ = ["CERTAIN", "NO_DIGIT", "Candidate", "Network", "find_candidates", "load_network", "read_digits", "read_grey"]

# Chosen on the 5,000 training images that the shipped network never saw, and on ink that is no digit.
NO_DIGIT = 0.5  # below it for the best class, ink is not counted: 0.16 % of those images, and 96.6 % of that ink
CERTAIN = 0.9  # below it an answer is marked as uncertain: 1.2 % of those images, but 9 of the 14 that are read wrong


class Candidate(NamedTuple):
    """Ink that may be a digit: its ``box``, its ``(28, 28)`` image, its probabilities, and its line, from 0."""

    box: Box
    image: NDArray[np.float32]
    row: NDArray[np.float32]
    line: int


def read_digits(
    source: str | Path | bytes | BinaryIO, network: Network, names: Sequence[str] | None = None
) -> dict[str, Any]:
    """Read the digits in a picture, line by line from the left.

    Args:
        source: a picture as ``images.read_image`` takes it; one of MNIST's own passes to the network unchanged, and
            where classes have ``names``, and so are not MNIST's, any of 28 x 28: other sets were prepared otherwise.
        network: as ``load_network`` gives it.
        names: of the network's classes, as ``records.class_names`` gives them; by default they are digits.

    Returns:
        ``text``: the names in reading order, a line feed between lines, "" where the ink is no digit; spaces
        between names where some are longer than one letter;
        ``digits``: for each its ``digit``, which is the number of its class, ``name``, ``probability``,
        ``probabilities``, ``box`` (left, top, right, bottom in pixels of the picture turned upright, the last two
        exclusive) and ``certain``, whether the probability is at least ``CERTAIN``. Ready for JSON.

    Raises:
        ValueError: the picture cannot be read, or has no ink.
    """
    return read_grey(read_image(source), network, names)


def read_grey(grey: Grey, network: Network, names: Sequence[str] | None = None) -> dict[str, Any]:
    """Read the digits in ``(height, width)`` floats in [0, 1], as ``read_digits`` does and with its result."""
    return answer_of(find_candidates(grey, network, names), names)


def answer_of(candidates: Sequence[Candidate], names: Sequence[str] | None = None) -> dict[str, Any]:
    """Return what ``read_digits`` returns, of the ink that it found."""
    lines = _by_line(candidates)
    between = _between(lines, names)
    text = "\n".join(between.join(name_of(int(digit.row.argmax()), names) for digit in line) for line in lines)
    return {"text": text, "digits": [_answer(digit.box, digit.row, names) for line in lines for digit in line]}


def lines_of(candidates: Sequence[Candidate], names: Sequence[str] | None = None) -> list[str]:
    """Return the same for people, a text a line: "50?3 (99.8 %, 61.0 %, 98.2 %)"."""
    shown = []
    lines = _by_line(candidates)
    for line in lines:
        digits = [_answer(digit.box, digit.row, names) for digit in line]
        marked = _between(lines, names).join(f"{item['name']}{'' if item['certain'] else '?'}" for item in digits)
        chances = ", ".join(f"{100 * item['probability']:.1f} %" for item in digits)
        shown.append(f"{marked} ({chances})")
    return shown or ["no digit"]


def _by_line(candidates: Sequence[Candidate]) -> list[list[Candidate]]:
    """Return what is a digit, a list for each line that has one."""
    lines: dict[int, list[Candidate]] = {}
    for candidate in candidates:
        if candidate.row.max() >= NO_DIGIT:
            lines.setdefault(candidate.line, []).append(candidate)
    return list(lines.values())


def _between(lines: list[list[Candidate]], names: Sequence[str] | None) -> str:
    """Return a space where some names are longer than one letter."""
    count = len(lines[0][0].row) if lines else 0
    return " " if any(len(name_of(label, names)) > 1 for label in range(count)) else ""


def find_candidates(grey: Grey, network: Network, names: Sequence[str] | None = None) -> list[Candidate]:
    """Return all ink that may be a digit, in reading order; what ``NO_DIGIT`` rules out is among them."""
    found = _framed(grey, as_it_is=bool(names))
    rows = network(np.array([image for _, image, _ in found], np.float32).reshape(-1, 28, 28))
    return [Candidate(box, image, row, line) for (box, image, line), row in zip(found, rows, strict=True)]


def _framed(grey: Grey, *, as_it_is: bool) -> list[tuple[Box, NDArray[np.float32], int]]:
    """Return box, image and line of whatever may be a digit."""
    if grey.shape == (28, 28):
        image = check_grey(grey).astype(np.float32) if as_it_is else prepare(grey)
        return [(box_of(image > 0), image, 0)]
    return [(box, frame(ink), number) for number, line in enumerate(find_lines(grey)) for box, ink in line]


def _answer(box: Box, row: NDArray[np.float32], names: Sequence[str] | None) -> dict[str, Any]:
    best = int(row.argmax())
    return {
        "digit": best,
        "name": name_of(best, names),
        "probability": float(row[best]),
        "probabilities": [float(value) for value in row],
        "box": [int(side) for side in box],
        "certain": bool(row[best] >= CERTAIN),
    }
