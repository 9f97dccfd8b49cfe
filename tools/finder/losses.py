"""What the trainings of the two networks make small."""

from keras import ops

from study_keras.vision.marks import NONE
from study_keras.vision.views import VIEW


def detector_loss(cells, found):
    """Return the focal loss of the digits (Lin et al. 2017) and, where one is, those of its box and its ink's colour.

    Args:
        cells: the targets (n, rows, columns, 7), as ``cells.cells_of`` returns them.
        found: what the detector says (n, rows, columns, 6).
    """
    there, counts = ops.maximum(cells[..., 0], 0.0), ops.cast(cells[..., 0] >= 0, "float32")
    weighed = there * cells[..., 6]
    counts = counts * (1 - there) + weighed
    chance = ops.sigmoid(found[..., 0])
    focus = ops.where(there > 0, (1 - chance) ** 2, chance**2)
    digits = 4 * ops.sum(counts * focus * _cross_entropy(there, found[..., 0]))
    boxes = ops.sum(weighed * _box_loss(cells[..., 1:5], found[..., 1:5]))
    colours = 0.3 * ops.sum(weighed * _cross_entropy(cells[..., 5], found[..., 5]))
    return (digits + boxes + colours) / (ops.sum(weighed) + 1.0)


def _box_loss(cells, found):
    """Return 1 - intersection over union of the boxes, and by how much their sides differ."""
    sides = ops.maximum(found, 0.02)
    inner = ops.minimum(sides, cells)
    both, one, other = map(_area, (inner, sides, cells))
    return 1 - both / (one + other - both + 1e-3) + ops.sum(ops.abs(found - cells), axis=-1)


def _area(sides):
    """Return the area of boxes of which the sides are so far to the left, top, right and bottom."""
    return (sides[..., 0] + sides[..., 2]) * (sides[..., 1] + sides[..., 3])


def _cross_entropy(targets, logits):
    return ops.maximum(logits, 0) - logits * targets + ops.log1p(ops.exp(-ops.abs(logits)))


def reader_loss(labels, inks, classes, ink):
    """Return the cross entropy of the class, and that of each pixel of a digit's own ink.

    Args:
        labels: (n,), ``NONE`` for no digit.
        inks: (n, 32, 32) in [0, 1].
        classes: the reader's logits (n, 11).
        ink: the reader's logits (n, 32, 32, 1).
    """
    smooth = 0.98 * ops.one_hot(labels, NONE + 1) + 0.02 / (NONE + 1)
    named = ops.mean(ops.categorical_crossentropy(smooth, classes, from_logits=True))
    is_digit = ops.cast(labels != NONE, "float32")[:, None, None]
    pixels = ops.sum(is_digit * _cross_entropy(inks, ink[..., 0]))
    return named + 4 * pixels / (ops.sum(is_digit) * VIEW * VIEW + 1)
