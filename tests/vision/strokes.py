"""Pictures drawn with strokes, from seeds: digits as some hands write them, and ink that is no digit."""

import numpy as np
from photos import photo
from PIL import Image, ImageDraw


def drawn(strokes, rng, pen=None):
    """A photo of strokes, each ``(n, 2)`` points (x, y) in [0, 1]; ``pen`` is their width."""
    picture = Image.new("L", (600, 600))
    wide = round(400 * pen) if pen else int(rng.integers(20, 50))
    for stroke in strokes:
        points = [(float(100 + 400 * x), float(100 + 400 * y)) for x, y in stroke]
        ImageDraw.Draw(picture).line(points, 255, wide, "curve")
    side = int(rng.integers(80, 200))
    return photo(np.asarray(picture.resize((side, side), Image.Resampling.BOX)) / 255, rng)


def cross(rng):
    """As in a form: two strokes from corner to corner."""
    corners = np.array([[[0, 0], [1, 1]], [[1, 0], [0, 1]]])
    return drawn(corners * rng.uniform(0.6, 1, 2) + rng.normal(0, 0.06, corners.shape), rng)


def scribble(rng):
    """A hatching to and fro, or four to eight loops."""
    if rng.random() < 0.5:
        x = np.linspace(0, 1, rng.integers(8, 14))
        return drawn([np.stack([x, np.arange(len(x)) % 2 + rng.normal(0, 0.1, len(x))], axis=1)], rng)
    t, across, high = np.linspace(0, 1, 120), rng.uniform(0.1, 0.25), rng.uniform(0.15, 0.5)
    turn = 2 * np.pi * rng.integers(4, 9) * t
    return drawn([np.stack([t + across * np.cos(turn), 0.5 + high * np.sin(turn)], axis=1)], rng)


def arrow(rng):
    """A shaft with a head, in any direction."""
    back, wide, angle = rng.uniform(0.2, 0.4), rng.uniform(0.15, 0.3), rng.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    head = np.array([[0.5 - back, -wide], [0.5, 0], [0.5 - back, wide]])
    return drawn([0.5 + stroke @ turn for stroke in (np.array([[-0.5, 0], [0.5, 0]]), head)], rng)


def blobs():
    """Ink that is no digit, in colours of a page of 300 x 200."""

    def drawn(draw_on):
        page = Image.new("L", (300, 200), 230)
        draw_on(ImageDraw.Draw(page))
        return np.asarray(page) / 255

    rng = np.random.default_rng(5)
    scribble = [
        tuple(map(float, point)) for point in np.column_stack([rng.uniform(70, 230, 30), rng.uniform(30, 170, 30)])
    ]
    return {
        "dash": drawn(lambda draw: draw.line((60, 100, 240, 110), 30, 12)),
        "short dash": drawn(lambda draw: draw.line((130, 100, 170, 100), 30, 10)),
        "splotch": drawn(lambda draw: draw.ellipse((90, 50, 200, 150), 30)),
        "square": drawn(lambda draw: draw.rectangle((100, 50, 200, 150), 30)),
        "scribble": drawn(lambda draw: draw.line(scribble, 30, 6)),
        "cross": drawn(lambda draw: [draw.line((100, 50, 200, 150), 30, 10), draw.line((100, 150, 200, 50), 30, 10)]),
    }  # fmt: skip


# Digits as some hands write them


def one_with_a_flag(rng):
    """A long upstroke before the stem."""
    wide, deep = rng.uniform(0.35, 0.5), rng.uniform(0.3, 0.45)
    return drawn(_leant([[[0.6 - wide, deep], [0.6, 0], [0.6, 1]]], rng.uniform(0, 0.25), rng), rng)


def four_in_two_strokes(rng):
    """The stem stands beside the angle, and just does not touch it."""
    pen = rng.uniform(0.05, 0.1)
    right = 0.62 + pen + rng.uniform(0.01, 0.03)
    angle = [[0.3, 0], [0.1, rng.uniform(0.68, 0.78)], [0.62, 0.74]]
    return drawn(_leant([angle, [[right, 0.05], [right, 1]]], rng.uniform(0, 0.15), rng), rng, pen)


def curled_seven(rng):
    """The bar begins with a hook and swings, the stem ends in a curl."""
    x = np.linspace(0, 1, 20)
    bar = np.stack([0.1 + 0.75 * x, 0.08 - rng.uniform(0.04, 0.08) * np.sin(2 * np.pi * x)], axis=1)
    bend = rng.uniform(0.05, 0.15) * np.sin(np.pi * x)
    stem = np.stack([0.85 - rng.uniform(0.35, 0.55) * x - bend, 0.06 + 0.94 * x], axis=1)
    turn, size = np.linspace(0, np.pi / 2, 12), rng.uniform(0.2, 0.3)
    curl = stem[-1] + size * np.stack([np.sin(turn), -0.6 * (1 - np.cos(turn))], axis=1)
    hook = [[0.1 + rng.uniform(-0.03, 0.03), rng.uniform(0.2, 0.35)]]
    return drawn(_leant([np.concatenate([hook, bar, stem, curl])], rng.uniform(0, 0.15), rng), rng)


def _leant(strokes, slant, rng):
    """Strokes of points (x, y), leant to the right by ``slant`` of their height, by an unsteady hand."""
    leant = []
    for stroke in map(np.array, strokes):
        shift = np.stack([slant * (0.5 - stroke[:, 1]), np.zeros(len(stroke))], axis=1)
        leant.append(stroke + shift + rng.normal(0, 0.012, stroke.shape if len(stroke) < 10 else 2))
    return leant
