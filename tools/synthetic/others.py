"""What is no digit, as ``(28, 28)`` images: scribbles, blots, dashes, letters."""

import numpy as np

from synthetic.digits import drawing, letter

LETTERS = "ACEFHKMNPRTUVWXadefhkmnprtuvwx&#@%*+=~<"  # without those that look like a digit


def junk(count, rng, fonts):
    """Return ``count`` images ``(n, 28, 28)`` float32 that are no digits."""
    return np.array([KINDS[index % len(KINDS)](rng, fonts) for index in range(count)])


def is_blob(index):
    """Return whether the junk with this index is a blob."""
    return KINDS[index % len(KINDS)] is _blob


def _letters(rng, fonts):
    return letter(str(rng.choice(list(LETTERS))), rng, fonts)


def _scribble(rng, *_):
    steps = int(rng.integers(12, 40))
    points = 80 + np.cumsum(rng.normal(0, 22, (steps, 2)), axis=0)
    points = np.clip(points, 5, 155)
    smooth = [np.interp(np.linspace(0, steps - 1, 8 * steps), np.arange(steps), side) for side in points.T]
    width = int(rng.integers(4, 14))
    return drawing(
        lambda draw: draw.line([tuple(map(float, p)) for p in zip(*smooth, strict=True)], 255, width, "curve")
    )


def _blob(rng, *_):
    corners = int(rng.integers(4, 14))
    angles = (
        np.sort(rng.uniform(0, 2 * np.pi, corners)) if rng.random() < 0.5 else np.arange(corners) * 2 * np.pi / corners
    )
    radii = rng.uniform(*((20, 70) if rng.random() < 0.5 else (50, 70)), corners)
    flat = rng.uniform(0.4, 1, 2)
    points = [(80 + flat[0] * r * np.cos(a), 80 + flat[1] * r * np.sin(a)) for r, a in zip(radii, angles, strict=True)]
    return drawing(lambda draw: draw.polygon([tuple(map(float, point)) for point in points], 255))


def _dash(rng, *_):
    angle, half, bend = rng.uniform(-0.5, 0.5), rng.uniform(20, 65), rng.normal(0, 4)
    ends = [(80 + s * half * np.cos(angle), 80 + s * half * np.sin(angle) + (0 if s else bend)) for s in (-1, 0, 1)]
    width = int(rng.integers(4, 26))
    return drawing(lambda draw: draw.line([tuple(map(float, end)) for end in ends], 255, width, "curve"))


def _strokes(rng, *_):
    """Draw crossing straight strokes: crosses, stars, hashes."""
    strokes = [rng.uniform(15, 145, 4) for _ in range(rng.integers(3, 7))]
    width = int(rng.integers(4, 16))

    def draw_on(draw):
        for stroke in strokes:
            draw.line(tuple(map(float, stroke)), 255, width)

    return drawing(draw_on)


KINDS = (_scribble, _blob, _dash, _strokes, _letters, _letters)
