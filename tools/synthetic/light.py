"""A page in the light of a lamp, a scanner or a screen."""

import numpy as np
from PIL import Image
from scipy import ndimage


def lit(scene, rng):
    """Return a scene as a camera, a scanner or a paint program gives it.

    Returns:
        ``(h, w)`` float32 in [0, 1], and whether its ink is dark.
    """
    pen, printed = scene.pen / np.float32(255), scene.print / np.float32(255)
    light = (_on_screen if rng.random() < 0.2 else _on_paper)(pen, printed, rng)
    if rng.random() < 0.5:
        light = ndimage.gaussian_filter(light, rng.uniform(0.2, 1.0))
    dark = rng.random() < 0.65
    return np.clip(light if dark else 1 - light, 0, 1).astype(np.float32), dark


def _on_screen(pen, printed, rng):
    """Return ink as a paint program shows it: clean, sharp or smooth."""
    low, high = (rng.uniform(0, 0.15), rng.uniform(0.75, 1)) if rng.random() < 0.5 else (0.0, 1.0)
    light = high - (high - low) * np.maximum(pen, printed * rng.uniform(0.3, 1))
    if rng.random() < 0.4:
        light = np.where(light > (low + high) / 2, high, low)
    return light


def _on_paper(pen, printed, rng):
    """Return ink on paper, of any strength, with what a camera adds: shadows, the table beside it, noise."""
    shape = pen.shape
    light = _paper(shape, rng)
    strength = np.exp(rng.uniform(np.log(0.12), np.log(0.95)))
    if rng.random() < 0.35:
        pen = pen * np.clip(_field(shape, rng, int(rng.integers(3, 14))) * rng.uniform(0.3, 1) + 0.8, 0.2, 1)
    if rng.random() < 0.15:  # a pencil or a dry pen
        pen = pen * np.clip(1 - rng.uniform(0.2, 0.7) * rng.random(shape), 0, 1)
    ink = np.maximum(pen, printed * np.exp(rng.uniform(np.log(0.3), np.log(1.4)))).clip(0, 1)
    light = light * (1 - strength * ink)
    if rng.random() < 0.3:
        light = _shaded(light, rng)
    if rng.random() < 0.15:
        light = _edged(light, ink, rng)
    if rng.random() < 0.35:  # the grain of a coarse paper, smears
        light = light + _texture(shape, rng)
    noise = rng.normal(0, np.exp(rng.uniform(np.log(0.002), np.log(0.05))), shape)
    return light + noise * min(1, 1.5 * strength + 0.1)


def _field(shape, rng, points):
    """Return a smooth random field (h, w) in about [-1, 1]."""
    coarse = Image.fromarray(rng.uniform(-1, 1, (points, points)).astype(np.float32))
    return np.asarray(coarse.resize(shape[::-1], Image.Resampling.BICUBIC))


def _texture(shape, rng):
    """Return noise with a grain of 1 to 8 pixels, longer in one direction in a half of all."""
    grain = np.exp(rng.uniform(0, np.log(8), 2) if rng.random() < 0.5 else np.full(2, rng.uniform(0, np.log(8))))
    noise = ndimage.gaussian_filter(rng.standard_normal(shape), grain)
    return noise / (noise.std() + 1e-6) * np.exp(rng.uniform(np.log(0.004), np.log(0.06)))


def _paper(shape, rng):
    """Return blank paper (h, w), brighter on one side, its light a little uneven."""
    y, x = np.linspace(-1, 1, shape[0])[:, None], np.linspace(-1, 1, shape[1])
    down, across = rng.uniform(-0.12, 0.12, 2)
    plane = rng.uniform(0.5, 0.95) + down * y + across * x
    return plane + rng.uniform(0, 0.06) * _field(shape, rng, int(rng.integers(2, 8)))


def _shaded(light, rng):
    """Lay a shadow or a glare over a part of the page, its border sharp or soft."""
    y, x = np.linspace(-1, 1, light.shape[0])[:, None], np.linspace(-1, 1, light.shape[1])
    angle = rng.uniform(0, 2 * np.pi)
    place = np.cos(angle) * x + np.sin(angle) * y - rng.uniform(-0.8, 0.8)
    cover = 1 / (1 + np.exp(-np.clip(place / np.exp(rng.uniform(np.log(0.01), np.log(0.4))), -30, 30)))
    return light * (1 - rng.uniform(0.2, 0.7) * cover) if rng.random() < 0.8 else light + rng.uniform(0.05, 0.2) * cover


def _edged(light, ink, rng):
    """Lay something dark, light or patterned at an edge, beside the ink: a table, a scanner's lid, a frame."""
    for side in rng.permutation(4)[: rng.integers(1, 4)]:
        turned = np.rot90(light, side)
        free = np.append(np.flatnonzero((np.rot90(ink, side) > 0.3).any(axis=1)), len(turned))[0]
        wide = min(1 + int(rng.uniform(0.01, 0.25) * len(turned)), free)
        slope = rng.normal(0, 0.04)
        reach = wide + slope * np.arange(turned.shape[1])
        there = np.arange(len(turned))[:, None] < reach
        turned[there] = rng.uniform(0, 1) if rng.random() < 0.8 else rng.uniform(0, 1, there.sum())
    return light
