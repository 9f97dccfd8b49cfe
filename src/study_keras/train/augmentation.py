"""Random shifts, rotations, scaling, shears and elastic distortions, which JAX compiles into the training step."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from study_keras.data.dataset import Images

Array = Any  # a jax.Array
SIDE = 28
FINE = 2 * SIDE + 1
GRID = 7  # points per side of the coarse displacement grid of an elastic distortion


@lru_cache
def make_warp(
    *, shift: float = 0.0, rotation: float = 0.0, scale: float = 0.0, shear: float = 0.0, elastic: float = 0.0
) -> Callable[[Array, Array], Array]:
    """Return a function that warps each image of a batch differently, uniformly within the limits.

    Args:
        shift: largest shift along each axis, in pixels.
        rotation: largest rotation, in degrees.
        scale: largest change of the height and, independently, of the width, as a fraction; 0.1 is 10 %.
        shear: largest horizontal shift per row, in pixels.
        elastic: largest displacement, in pixels, of the points of a 7 x 7 grid; pixels in between are interpolated.

    Returns:
        A function from images of ``upsample`` and a random key to ``(m, 28, 28)`` float32 in [0, 1]; pixels from
        outside the image are 0. The same limits return the same function, so that JAX compiles it once.
    """

    def warp(images: Array, key: Array) -> Array:
        count = len(images)
        affine, bend = jax.random.split(key)
        draw = jax.random.uniform(affine, (6, count, 1, 1), minval=-1.0, maxval=1.0)
        turn, slant = jnp.deg2rad(rotation) * draw[0], shear * draw[1]
        tall, wide = 1 + scale * draw[2], 1 + scale * draw[3]
        y, x = jnp.meshgrid(jnp.arange(SIDE) - 13.5, jnp.arange(SIDE) - 13.5, indexing="ij")
        cos, sin = jnp.cos(turn), jnp.sin(turn)
        from_y = (cos * y - sin * x) * tall + shift * draw[4]
        from_x = (sin * y + cos * x) * wide + slant * y + shift * draw[5]
        if elastic:
            displacements = elastic * jax.random.uniform(bend, (2, count, GRID, GRID), minval=-1.0, maxval=1.0)
            for _ in range(2):  # once per axis, as one large matrix product: many small ones are slow
                displacements = displacements.reshape(-1, GRID) @ _interpolation_matrix().T
                displacements = displacements.reshape(2, count, -1, SIDE).swapaxes(2, 3)
            from_y, from_x = from_y + displacements[0], from_x + displacements[1]
        return _sample(images, from_y + 13.5, from_x + 13.5).astype("float32") / 255

    return warp


def warp_images(images: Images, limits: Mapping[str, float], seed: Sequence[int]) -> NDArray[np.float32]:
    """Warp ``(n, 28, 28)`` uint8 images to ``(n, 28, 28)`` float32, for training on another backend."""
    chunk = 5000  # images at once, to limit the memory
    key = jnp.array(np.random.SeedSequence(seed).generate_state(2), jnp.uint32)
    program = _jit(make_warp(**limits))
    result = np.empty(images.shape, np.float32)
    for start in range(0, len(images), chunk):
        fine = upsample(images[start : start + chunk])
        result[start : start + chunk] = program(fine, jax.random.fold_in(key, start))
    return result


_jit = lru_cache(jax.jit)


def _interpolation_matrix() -> Array:
    """Return the ``(28, GRID)`` weights that interpolate linearly from grid points to pixels."""
    place = jnp.linspace(0, GRID - 1, SIDE)
    return jnp.maximum(0, 1 - jnp.abs(place[:, None] - jnp.arange(GRID)))


def upsample(images: Images) -> NDArray[np.uint8]:
    """Return ``(n, 28, 28)`` uint8 images at twice the resolution with a border of 0: ``(n, 57, 57)`` uint8.

    The mean of two pixels is inserted between them. Sampling the nearest of these points is as good as bilinear
    interpolation of the pixels, for a quarter of the work.
    """
    fine = np.zeros((len(images), FINE, FINE), np.uint8)
    for start in range(0, len(images), 4096):
        part = images[start : start + 4096].astype(np.uint16)
        into = fine[start : start + 4096, 1:-1, 1:-1]
        into[:, ::2, ::2] = part
        into[:, 1::2, ::2] = (part[:, 1:] + part[:, :-1]) // 2
        into[:, :, 1::2] = (into[:, :, 2::2].astype(np.uint16) + into[:, :, :-2:2]) // 2
    return fine


def _sample(fine: Array, y: Array, x: Array) -> Array:
    """Sample images of ``upsample`` at coordinates ``(m, 28, 28)`` in pixels, at the nearest point; outside is 0."""
    row = jnp.clip(jnp.round(2 * y), -1, FINE - 2).astype("int32") + 1
    column = jnp.clip(jnp.round(2 * x), -1, FINE - 2).astype("int32") + 1
    index = (row * FINE + column).reshape(len(fine), -1)
    values = jnp.take_along_axis(fine.reshape(len(fine), -1), index, axis=1, mode="promise_in_bounds")
    return values.reshape(y.shape)
