"""Synthetic images that the networks in the package are trained on, reproducible by seed.

Single digits: ``digits``, ``others`` (no digits), ``augmentation``. Whole pages: ``mark_shapes`` and ``signs`` (what is
written), ``layers``, ``lines`` and ``pages`` (where), ``light`` (how it is lit).
"""

HELD_OUT = 5_000  # the last training images: no network sees them, and all choices are made on them
