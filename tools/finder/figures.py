"""How well the three networks read pages that no network saw."""

from collections import Counter

import numpy as np
from synthetic.layers import EITHER

from finder.examples import lit_page, load_signs
from study_keras.vision.levels import SHORTEST, levels_of
from study_keras.vision.marks import IS_DIGIT, find_marks
from study_keras.vision.overlaps import SAME, overlaps
from study_keras.vision.views import view
from study_keras.vision.votes import may_count, votes

SEED = 2  # the networks are trained with 1
PAGES, WRITTEN = 400, 1_000


def measure(network, finder, pages=PAGES):
    """Read pages written with held-out digits, a fifth of them small, and count.

    Returns:
        ``pages`` that were read, and the ``digits`` on them, at least ``SHORTEST`` pixels long and not cut by an edge;
        ``recall``: the part of these that was found; ``precision``: the part of what was found that is one;
        ``accuracy``: the part of the found ones that was named correctly; ``ink``: the mean over them of true and found
        ink's intersection over union, which is the sum of the smaller values divided by that of the larger.
    """
    signs, rng = load_signs([SEED, 0], WRITTEN, held_out=True), np.random.default_rng([SEED, 1])
    counts, inks = Counter(), []
    for number in range(1, pages + 1):
        scene, light, _ = lit_page(signs, rng, small=number % 5 == 0, giants=False)
        levels = levels_of(light)
        marks = [mark for mark in find_marks(levels, finder) if may_count(mark)]
        rows, likely = votes(marks, levels, network, finder)[1:] if marks else ([], [])
        counted = [at for at, chance in enumerate(likely) if chance >= IS_DIGIT]
        marks, labels = [marks[at] for at in counted], [int(rows[at].argmax()) for at in counted]
        digits = _is_counted(scene)
        of = _digits_of(marks, scene)
        hits = [
            (mark, label, at)
            for mark, label, at in zip(marks, labels, of, strict=True)
            if at is not None and digits[at]
        ]
        counts += Counter(digits=int(digits.sum()), found=len(hits), false=of.count(None))
        counts["right"] += sum(label == int(scene.labels[at]) for _, label, at in hits)
        inks += [_ink_in_common(mark, scene, at) for mark, _, at in hits]
    figures = {
        "recall": counts["found"] / counts["digits"],
        "precision": counts["found"] / (counts["found"] + counts["false"]),
        "accuracy": counts["right"] / counts["found"],
        "ink": float(np.mean(inks)),
    }
    return {"pages": pages, "digits": counts["digits"], **{name: round(part, 4) for name, part in figures.items()}}


def _is_counted(scene):
    """Return which digits should be found; the others may be."""
    sizes = np.maximum(*(np.ptp(scene.boxes[:, side::2], axis=1) for side in (0, 1)))
    return (scene.labels != EITHER) & (sizes >= SHORTEST)


def _digits_of(marks, scene):
    """Return the number of each mark's digit; None if it has none, or a likelier mark has it already."""
    found = []
    for mark in marks:
        common = overlaps(mark.box, scene.boxes)[0] if len(scene.boxes) else np.zeros(1)
        best = int(common.argmax())
        found.append(best if common[best] > SAME and best not in found else None)
    return found


def _ink_in_common(mark, scene, at):
    left, top, *_ = scene.boxes[at]
    x, y, side = mark.square
    own = view(scene.inks[at] / 255, x - left, y - top, side)
    return float(np.minimum(own, mark.ink).sum() / np.maximum(own, mark.ink).sum())
