"""A picture -> the digits in it: read, find the marks, normalize, classify. Needs NumPy, Pillow and LiteRT."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from study_keras.vision.classifier import Network
from study_keras.vision.closer import enlarged, in_place, small_part
from study_keras.vision.detection import Candidate, Detection, to_dict
from study_keras.vision.image_io import Picture, Source, read_picture, source_name
from study_keras.vision.levels import MAX_SIDE, Grey, check_grey, levels_of
from study_keras.vision.lines import Box, lines_of
from study_keras.vision.marks import IS_DIGIT, Finder, find_marks, load_finder
from study_keras.vision.normalize import bounding_box, resample
from study_keras.vision.prepare import as_mnist
from study_keras.vision.traces import CLEAR, without_traces
from study_keras.vision.unread import unread_boxes, without_low
from study_keras.vision.votes import may_count, votes

# Chosen on pages of the 5,000 training images that no network saw, and on ink that is no digit.
DOUBTFUL = 0.75  # a page that is read no surer than this is also looked at turned
SURER = 0.15  # by how much a turned page must be surer
# ALONE and TOGETHER could be 0.4 and 0.5 there, and less junk would be read; but pictures by others would lose digits.
ALONE = 0.3  # where no mark is clear, one counts as a digit from this likelihood
TOGETHER = 0.45  # and several from this one: the strokes of a scribble look like digits, too
WHOLE = 40  # pixels a side; a picture that is no larger may be one digit as a network sees it
LIKELY = 0.5  # if nothing is found in it, its class counts from this probability: more than all others together
EITHER_WAY = (0, 1, 6, 8, 9)  # digits that are digits upside down, too, and so do not tell which way is up


def recognize(
    source: Source | Grey | Picture,
    network: Network,
    names: Sequence[str] | None = None,
    finder: Finder | None = None,
) -> dict[str, Any]:
    """Recognize the digits in a picture, line by line from the left.

    Args:
        source: a picture as ``image_io.read_image`` takes it, or ``(height, width)`` floats in [0, 1]. One of MNIST's
            own images goes to the network unchanged. If the classes have ``names``, so does any picture, in 28 x 28
            pixels, because other datasets were prepared differently.
        network: as returned by ``classifier.load_network``.
        names: of the network's classes, as returned by ``metadata.class_names``; by default the digits.
        finder: as returned by ``marks.load_finder``; None to load it for this picture.

    Returns:
        A dict, ready for JSON. ``text``: the names in reading order, with a line feed between lines, a space between
        names if one has more than one letter, and a ? for ink in a line that could not be read; "" if no ink is a
        digit. ``digits``: for each its ``digit``, which is the number of its class, ``name``, ``probability``,
        ``probabilities``, ``box`` (left, top, right, bottom in pixels of the upright picture, the last two exclusive)
        and ``certain``: whether the probability is at least ``CERTAIN``. ``unread``: the boxes of what is ? in the
        text. ``turned``: by how many degrees, counterclockwise, the picture was turned to be read.

    Raises:
        ValueError: the picture cannot be read, or has only one colour.
    """
    return to_dict(detect(source, network, names, finder))


def detect(
    source: Source | Grey | Picture,
    network: Network,
    names: Sequence[str] | None = None,
    finder: Finder | None = None,
) -> Detection:
    """Return all ink that may be a digit, and what the network says of it; see ``recognize``."""
    if isinstance(source, np.ndarray):
        picture = Picture(source, 1.0)
    else:
        picture = source if isinstance(source, Picture) else read_picture(source, max_side=MAX_SIDE)
    try:
        grey = check_grey(picture.grey)
        if names:
            candidates = [_whole(_shrunk(grey), grey.shape, network)]
        elif (image := as_mnist(grey)) is not None:
            candidates = [_whole(image, grey.shape, network)]
        else:
            candidates, grey, turned = _read(grey, network, finder or load_finder())
            return Detection(grey, picture.scale, candidates, _all_names(names, candidates), turned)
    except ValueError as error:
        prefix = "" if isinstance(source, np.ndarray | Picture) else f"{source_name(source)}: "
        raise ValueError(f"{prefix}{error}") from error
    return Detection(grey, picture.scale, candidates, _all_names(names, candidates))


def _all_names(names: Sequence[str] | None, candidates: Sequence[Candidate]) -> list[str]:
    """Return the names, and numbers for the classes that have none."""
    names = list(names or ())
    classes = len(candidates[0].probabilities) if candidates else 10
    return [*names, *map(str, range(len(names), classes))]


# A picture that goes to the network as it is


def _whole(image: NDArray[np.float32], shape: tuple[int, ...], network: Network) -> Candidate:
    """Return a whole picture, as ``(28, 28)``, as one candidate."""
    ink = image > 0
    box = bounding_box(ink) if ink.any() else (0, 0, 28, 28)
    across, down = shape[1] / 28, shape[0] / 28
    left, top, right, bottom = box
    return Candidate((left * across, top * down, right * across, bottom * down), image, network(image[None])[0], 0)


def _shrunk(grey: Grey) -> NDArray[np.float32]:
    """Return a picture in 28 x 28 pixels, the shorter side in the middle of paper as bright as its edge."""
    if grey.shape == (28, 28):
        return grey.astype(np.float32)
    height, width = (max(1, round(28 * side / max(grey.shape))) for side in grey.shape)
    small = resample(resample(grey.astype(np.float64), height).T, width).T
    edge = np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]])
    image = np.full((28, 28), np.median(edge), np.float32)
    top, left = (28 - height) // 2, (28 - width) // 2
    image[top : top + height, left : left + width] = small
    return image


def _with_whole(grey: Grey, found: list[Candidate], network: Network) -> list[Candidate]:
    """Return what was found in a picture of at most ``WHOLE`` pixels, and in the whole picture.

    Such a picture may be one digit as a network sees it, but not normalized: in a thick pen, or at the edge. If one
    digit is found, the probabilities of both views are averaged; if none is, the whole picture may be one.
    """
    digits = [candidate for candidate in found if candidate.is_digit]
    if len(digits) > 1:
        return found
    edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    image = _shrunk(1 - grey if np.median(edge) > 0.5 else grey)
    whole = _whole(image, grey.shape, network)
    if not digits:
        return [whole] if whole.probability >= LIKELY else found
    row = ((whole.probabilities + digits[0].probabilities) / 2).astype(np.float32)
    if whole.probability > digits[0].probability:
        return [whole._replace(probabilities=row)]
    return [one._replace(probabilities=row) if one is digits[0] else one for one in found]


# A picture in which digits are found


def _read(grey: Grey, network: Network, finder: Finder) -> tuple[list[Candidate], Grey, int]:
    """Return what was found, the picture as it was read, and by how many degrees it was turned for that."""
    found, best = _candidates(grey, network, finder), 0
    if max(grey.shape) <= WHOLE:
        return _with_whole(grey, found, network), grey, 0
    upright = Detection(grey, 1.0, found, [])
    if upright.sureness > DOUBTFUL or _is_one_clear(upright):
        return found, grey, 0
    surest = upright.sureness + SURER
    for quarters in (2, 1, 3):
        turned = Detection(np.rot90(grey, quarters), 1.0, _candidates(np.rot90(grey, quarters), network, finder), [])
        if _shows_its_top(turned) and turned.sureness > surest:
            found, best, surest = turned.candidates, quarters, turned.sureness
    return found, np.rot90(grey, best), 90 * best


def _is_one_clear(page: Detection) -> bool:
    """Whether a page has one digit, and clearly one, whichever it is: turned, it may look like two."""
    digits = [candidate for candidate in page.candidates if candidate.is_digit]
    return len(digits) == 1 and digits[0].digit >= CLEAR


def _shows_its_top(page: Detection) -> bool:
    """Whether a page has several digits, and a certain one that is none upside down."""
    digits = [candidate for candidate in page.candidates if candidate.is_digit]
    return len(digits) > 1 and any(one.certain and one.label not in EITHER_WAY for one in digits)


def _candidates(grey: Grey, network: Network, finder: Finder) -> list[Candidate]:
    """Return what was found in a picture, or in its part with small digits, if that shows at least as many."""
    found, boxes = _found(grey, network, finder)
    part = small_part(grey.shape, boxes)
    if part is None:
        return found
    closer, _ = _found(enlarged(grey, part), network, finder)
    fewer = sum(one.is_digit for one in closer) < sum(one.is_digit for one in found)
    return found if fewer else in_place(closer, part)


def _found(grey: Grey, network: Network, finder: Finder) -> tuple[list[Candidate], list[Box]]:
    """Return what was found in a picture, and the boxes of all that may be digits, clearly or not."""
    levels = levels_of(grey)
    marks = without_traces([mark for mark in find_marks(levels, finder) if may_count(mark)], levels)
    if not marks:
        return [], []
    images, rows, likely = votes(marks, levels, network, finder)
    boxes = [mark.box for mark, chance in zip(marks, likely, strict=True) if chance >= IS_DIGIT]
    if max(likely) < CLEAR:
        least = ALONE if sum(chance >= ALONE for chance in likely) == 1 else TOGETHER
        likely = [chance if chance >= least else 0.0 for chance in likely]
    counted = [at for at, mark in enumerate(marks) if likely[at] >= IS_DIGIT or mark.doubtful]
    candidates: list[Candidate] = []
    for number, all_ in enumerate(lines_of([marks[at].box for at in counted])):
        line = without_low([counted[at] for at in all_], marks)
        written = [Candidate(marks[at].box, images[at], rows[at], number, likely[at]) for at in line]
        if any(candidate.is_digit for candidate in written):
            nothing = np.full_like(rows[0], 1 / rows.shape[1]), np.zeros((28, 28), np.float32)
            others = [marks[at] for at in set(counted).difference(counted[one] for one in all_)]
            unread = unread_boxes([marks[at] for at in line], others, levels)
            written += [Candidate(box, nothing[1], nothing[0], number, 0.0) for box in unread]
        candidates += sorted(written, key=lambda candidate: candidate.box[0] + candidate.box[2])
    return candidates, boxes
