"""Test images as other hands and pens would have made them: moved, turned, thin, thick, noisy, inverted. From seeds."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from study_keras.vision.prepare import prepare

Pictures = NDArray[np.float32]  # (n, 28, 28) in [0, 1]


def shifted(images: Pictures, rng: np.random.Generator) -> Pictures:
    """Move each by up to 3 pixels up or down and left or right; MNIST's margin is 4."""
    moves = rng.integers(-3, 4, (len(images), 2))
    return np.array([np.roll(image, move, (0, 1)) for image, move in zip(images, moves, strict=True)])


def rotated(images: Pictures, rng: np.random.Generator) -> Pictures:
    """Turn each by up to 20 degrees."""
    turns = rng.uniform(-20, 20, len(images))
    turned = [
        np.asarray(Image.fromarray(image).rotate(turn, Image.Resampling.BICUBIC))
        for image, turn in zip(images, turns, strict=True)
    ]
    return np.clip(turned, 0, 1)


def thin(images: Pictures, rng: np.random.Generator) -> Pictures:
    """Take a pixel off the right and the lower side of each stroke."""
    return np.minimum(images, np.minimum(np.roll(images, 1, 1), np.roll(images, 1, 2)))


def thick(images: Pictures, rng: np.random.Generator) -> Pictures:
    """Add a pixel to each side of each stroke."""
    wide = np.maximum(np.roll(images, 1, 1), np.roll(images, -1, 1))
    return np.maximum(np.maximum(images, wide), np.maximum(np.roll(images, 1, 2), np.roll(images, -1, 2)))


def noisy(images: Pictures, rng: np.random.Generator) -> Pictures:
    """Add noise of a deviation of 0.2 to each pixel."""
    return np.clip(images + rng.normal(0, 0.2, images.shape), 0, 1).astype(np.float32)


def inverted(images: Pictures, rng: np.random.Generator) -> Pictures:
    """Draw black on white."""
    return 1 - images


VARIATIONS: tuple[Callable[[Pictures, np.random.Generator], Pictures], ...] = (
    shifted,
    rotated,
    thin,
    thick,
    noisy,
    inverted,
)


def varied(images: Pictures) -> dict[str, Pictures]:
    """Return ``images`` in each variation, by its name; the same at every call."""
    return {vary.__name__: vary(images, np.random.default_rng(7)) for vary in VARIATIONS}


def prepared(images: Pictures) -> Pictures:
    """Return each as ``images.prepare`` makes it, and black where that finds no ink."""

    def one(image: NDArray[np.float32]) -> NDArray[np.float32]:
        try:
            return prepare(image)
        except ValueError:
            return np.zeros((28, 28), np.float32)

    return np.array([one(image) for image in images])
