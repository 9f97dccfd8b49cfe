"""Distortions of ``(n, 28, 28)`` images, new ones in each epoch."""

import numpy as np


def augment(images, rng):
    """Augment ``(n, 28, 28)`` float32: rotation, scale, shear, shift, elastic distortion and stroke width.

    Unlike ``train.augmentation`` it interpolates float images and changes the stroke width.
    """
    parts = np.array_split(images, len(images) // 4000 + 1)
    warped = np.concatenate([_warped(_restroked(part, rng), rng) for part in parts])
    return warped / np.maximum(warped.max(axis=(1, 2), keepdims=True), 0.2)  # a maximum of 1, as `prepare` returns


def _restroked(images, rng):
    """Blend each image with its dilation or its erosion by one pixel."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    around = [padded[:, 1:-1, :-2], padded[:, 1:-1, 2:], padded[:, :-2, 1:-1], padded[:, 2:, 1:-1]]
    thick, thin = images, images
    for neighbour in around:
        thick, thin = np.maximum(thick, neighbour), np.minimum(thin, neighbour)
    amount = rng.uniform(-1, 1, (len(images), 1, 1)).astype(np.float32)
    amount *= np.abs(amount)  # most change little
    return images + np.maximum(amount, 0) * (thick - images) - np.maximum(-amount, 0) * (images - thin)


def _warped(images, rng):
    n = len(images)
    angle, shear = rng.uniform(-0.22, 0.22, n), rng.uniform(-0.2, 0.2, n)
    zoom_y, zoom_x = np.exp(rng.uniform(-0.12, 0.14, (2, n)))
    to = np.arange(28) - 13.5
    y, x = np.meshgrid(to, to, indexing="ij")
    cos, sin = np.cos(angle)[:, None, None], np.sin(angle)[:, None, None]
    from_y = (cos * y - sin * x) * zoom_y[:, None, None]
    from_x = (sin * y + cos * x) * zoom_x[:, None, None] + shear[:, None, None] * y
    spread = _interpolation_matrix(6)  # (28, 6), from a coarse grid of random displacements to pixels
    strength = rng.uniform(0, 1.6, (n, 1, 1))
    from_y += rng.uniform(-2, 2, (n, 1, 1)) + strength * (spread @ rng.uniform(-1, 1, (n, 6, 6)) @ spread.T)
    from_x += rng.uniform(-2, 2, (n, 1, 1)) + strength * (spread @ rng.uniform(-1, 1, (n, 6, 6)) @ spread.T)
    return _sample(images, from_y.astype(np.float32) + 13.5, from_x.astype(np.float32) + 13.5)


def _interpolation_matrix(points):
    place = np.linspace(0, points - 1, 28)
    return np.maximum(0, 1 - np.abs(place[:, None] - np.arange(points)))


def _sample(images, y, x):
    """Sample images at ``(n, 28, 28)`` coordinates with bilinear interpolation, 0 outside."""
    padded = np.pad(images, ((0, 0), (2, 2), (2, 2))).reshape(len(images), -1)
    y, x = np.clip(y, -1.5, 28.5) + 2, np.clip(x, -1.5, 28.5) + 2
    top, left = y.astype(np.int32), x.astype(np.int32)
    down, across = y - top, x - left
    at = (top * 32 + left).reshape(len(images), -1)

    def take(offset):
        return np.take_along_axis(padded, at + offset, 1).reshape(y.shape)

    upper = take(0) * (1 - across) + take(1) * across
    lower = take(32) * (1 - across) + take(33) * across
    return upper * (1 - down) + lower * down
