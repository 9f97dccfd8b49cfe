"""What the reader sees of a level. Needs only NumPy; the twin of ``view`` in ``page/vision/marks.js``."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

VIEW = 32  # pixels a side

Floats = NDArray[np.floating[Any]]


def view(plane: Floats, left: float, top: float, side: float) -> NDArray[np.float32]:
    """Resample the square at (left, top) to ``(32, 32)`` by area averages; outside of the plane is 0."""
    x0, y0, x1, y1 = (int(np.floor(place)) for place in (left, top, left + side + 1, top + side + 1))
    part = np.zeros((y1 - y0, x1 - x0))
    inside = plane[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)]
    part[max(-y0, 0) :, max(-x0, 0) :][: inside.shape[0], : inside.shape[1]] = inside
    return _averaged(_averaged(part, top - y0, side).T, left - x0, side).T.astype(np.float32)


def _averaged(values: Floats, start: float, side: float) -> Floats:
    """Return 32 rows, each the average of a 32nd of the rows from ``start``."""
    sums = np.zeros((len(values) + 2, values.shape[1]))
    np.cumsum(values, axis=0, out=sums[1:-1])
    sums[-1] = sums[-2]
    places = start + np.arange(VIEW + 1) * side / VIEW
    whole = np.floor(places).astype(np.int64)
    until = sums[whole] + (places - whole)[:, None] * (sums[whole + 1] - sums[whole])
    return (until[1:] - until[:-1]) * (VIEW / side)
