"""Corruptions of test images, from fixed seeds: shifted, rotated, thin, thick, noisy, inverted."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from study_keras.vision.marks import load_finder
from study_keras.vision.prepare import prepare

Images = NDArray[np.float32]  # (n, 28, 28) in [0, 1]


def shifted(images: Images, rng: np.random.Generator) -> Images:
    """Shift each image by up to 3 pixels in both directions; MNIST's margin is 4."""
    moves = rng.integers(-3, 4, (len(images), 2))
    return np.array([np.roll(image, move, (0, 1)) for image, move in zip(images, moves, strict=True)])


def rotated(images: Images, rng: np.random.Generator) -> Images:
    """Rotate each image by up to 20 degrees."""
    turns = rng.uniform(-20, 20, len(images))
    turned = [
        np.asarray(Image.fromarray(image).rotate(turn, Image.Resampling.BICUBIC))
        for image, turn in zip(images, turns, strict=True)
    ]
    return np.clip(turned, 0, 1)


def thin(images: Images, rng: np.random.Generator) -> Images:
    """Remove a pixel from the right and the lower side of each stroke."""
    return np.minimum(images, np.minimum(np.roll(images, 1, 1), np.roll(images, 1, 2)))


def thick(images: Images, rng: np.random.Generator) -> Images:
    """Add a pixel to each side of each stroke."""
    wide = np.maximum(np.roll(images, 1, 1), np.roll(images, -1, 1))
    return np.maximum(np.maximum(images, wide), np.maximum(np.roll(images, 1, 2), np.roll(images, -1, 2)))


def noisy(images: Images, rng: np.random.Generator) -> Images:
    """Add Gaussian noise with a standard deviation of 0.2."""
    return np.clip(images + rng.normal(0, 0.2, images.shape), 0, 1).astype(np.float32)


def inverted(images: Images, rng: np.random.Generator) -> Images:
    """Invert to black on white."""
    return 1 - images


def corrupt(images: Images) -> dict[str, Images]:
    """Return the corruptions of ``images`` by name; the same at every call."""
    corruptions = (shifted, rotated, thin, thick, noisy, inverted)
    return {corruption.__name__: corruption(images, np.random.default_rng(7)) for corruption in corruptions}


def prepared(images: Images) -> Images:
    """Return each image as ``prepare`` makes it; black if that finds no digit."""
    finder = load_finder()

    def one(image: NDArray[np.float32]) -> NDArray[np.float32]:
        try:
            return prepare(image, finder)
        except ValueError:
            return np.zeros((28, 28), np.float32)

    return np.array([one(image) for image in images])
