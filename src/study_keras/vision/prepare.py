"""The picture of one digit -> the (28, 28) image that a network trained on MNIST expects. Needs only NumPy.

Most networks that read MNIST and fail on "my own digit" were given a picture that was not prepared as MNIST's were.
This is that preparation, as a contract with a version number: ``page/vision/prepare.js`` implements the same contract,
and the golden vectors in the tests hold both to it. A change that alters a result must increase ``CONTRACT``.
"""

import numpy as np
from numpy.typing import NDArray

from study_keras.vision.binarize import Grey, Mask, binarize, check_grey, dilate
from study_keras.vision.components import connected_components, remove_ruled_lines
from study_keras.vision.normalize import bounding_box, is_mnist, normalize

CONTRACT = 1
MAX_SIDE = 140  # pixels a side in which ink is looked for; a digit ends in 20 of them


def prepare(grey: Grey) -> NDArray[np.float32]:
    """Prepare the picture of one digit as the makers of MNIST would have done.

    The ink is separated from the paper, cropped, scaled by area averages until its longer side is 20 (aspect ratio
    kept), brought to a peak of 1 and moved by whole pixels, as MNIST's was, until its centre of mass is nearest to row
    14, column 14, counted from 0. A picture that is already normalized (``normalize.is_mnist``) is returned unchanged,
    and the negative of one as that picture. The values are multiples of 1/255.

    Args:
        grey: ``(height, width)``, from 0 to 1, at least 3 pixels a side; dark on light or light on dark.

    Returns:
        ``(28, 28)`` float32 in [0, 1], white ink on black.

    Raises:
        ValueError: ``grey`` is not such an array, or has only one colour or no ink.
    """
    grey = np.asarray(grey)
    if grey.shape == (28, 28):
        if is_mnist(check_grey(grey)):
            return grey.astype(np.float32)
        negative = (np.floor((1 - grey.astype(np.float64)) * 255 + 0.5) / 255).astype(np.float32)
        if is_mnist(negative):
            return negative
    ink = binarize(grey, MAX_SIDE)
    digit = _keep_digit(ink.mask)
    left, top, right, bottom = (ink.scale * side for side in bounding_box(digit))
    margin = max(right - left, bottom - top)
    if ink.scale > 1 and 4 * margin < max(grey.shape):  # a small digit in a large picture: zoom in
        return prepare(grey[max(top - margin, 0) : bottom + margin, max(left - margin, 0) : right + margin])
    soft_edges = dilate(digit, 1 + max(digit.shape) // 128)
    return normalize(np.where(soft_edges, ink.strength, 0))


def _keep_digit(mask: Mask) -> Mask:
    """Remove ruled lines, and components smaller than a twentieth of the largest.

    Raises:
        ValueError: nothing is left.
    """
    components = connected_components(remove_ruled_lines(mask))
    largest = int(components.areas.max(initial=0))
    if largest < 4:
        raise ValueError(f"no ink found but specks of {largest} pixels; expected a digit of at least 4 pixels of ink")
    return np.append(20 * components.areas >= largest, False)[components.labels]
