"""The picture of one digit -> the (28, 28) image that a network trained on MNIST expects.

Most networks that read MNIST and fail on "my own digit" were given a picture that was not prepared as MNIST's were.
This is that preparation, as a contract with a version number, and the road of every picture: find the marks
(``marks``), and normalize the ink of each (``normalize``). ``page/vision/prepare.js`` implements the same contract, and
the golden vectors in the tests hold both to it. A change that alters a result must increase ``CONTRACT``.
"""

import numpy as np
from numpy.typing import NDArray

from study_keras.vision.levels import Grey, check_grey, levels_of
from study_keras.vision.marks import IS_DIGIT, Finder, Mark, find_marks, load_finder
from study_keras.vision.normalize import is_mnist, normalize
from study_keras.vision.traces import without_traces

CONTRACT = 2
FAINT = 0.15  # of the ink's range; fainter is the soft edge of nothing


def prepare(grey: Grey, finder: Finder | None = None) -> NDArray[np.float32]:
    """Prepare the picture of one digit as the makers of MNIST would have done.

    The largest digit is found, its own ink separated from all other, cropped, scaled by area averages until its longer
    side is 20 (aspect ratio kept), brought to a peak of 1 and moved by whole pixels, as MNIST's was, until its centre
    of mass is nearest to row 14, column 14, counted from 0. A picture that is already normalized
    (``normalize.is_mnist``) is returned unchanged, and the negative of one as that picture. The values are multiples of
    1/255.

    Args:
        grey: ``(height, width)``, from 0 to 1, at least 3 pixels a side; dark on light or light on dark.
        finder: as returned by ``marks.load_finder``; None to load it for this picture.

    Returns:
        ``(28, 28)`` float32 in [0, 1], white ink on black.

    Raises:
        ValueError: ``grey`` is not such an array, has only one colour, or no digit is found.
    """
    grey = check_grey(grey)
    if (image := as_mnist(grey)) is not None:
        return image
    levels = levels_of(grey)
    marks = without_traces(find_marks(levels, finder or load_finder()), levels)
    digits = [mark for mark in marks if mark.likelihood >= IS_DIGIT]
    if not digits:
        raise ValueError(
            f"no digit found in a picture of {grey.shape[1]} x {grey.shape[0]} pixels; expected an upright digit, "
            "clearly darker or clearly lighter than its background, at least 10 pixels high"
        )
    return normalized(max(digits, key=lambda mark: mark.square[2]))


def as_mnist(grey: Grey) -> NDArray[np.float32] | None:
    """Return a picture that is normalized already, or whose negative is, as white on black; otherwise None."""
    if grey.shape != (28, 28):
        return None
    if is_mnist(grey):
        return grey.astype(np.float32)
    negative = (np.floor((1 - grey.astype(np.float64)) * 255 + 0.5) / 255).astype(np.float32)
    return negative if is_mnist(negative) else None


def normalized(mark: Mark) -> NDArray[np.float32]:
    """Return a mark's own ink as ``(28, 28)`` float32, normalized."""
    ink = mark.ink.astype(np.float64)
    strong = np.where(ink < FAINT, 0, ink)
    return normalize(strong if strong.any() else ink)
