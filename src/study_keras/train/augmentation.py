"""Images moved, turned, scaled, sheared and bent at random: functions of arrays that JAX compiles into a training."""

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
GRID = 7  # points a side of the coarse grid of moves that bends an image


@lru_cache
def warp(
    *, shift: float = 0.0, rotation: float = 0.0, scale: float = 0.0, shear: float = 0.0, elastic: float = 0.0
) -> Callable[[Array, Array], Array]:
    """Return a function that warps each image of a batch in its own way, drawn uniformly between the limits.

    Args:
        shift: at most so many pixels, each way.
        rotation: at most so many degrees, either way.
        scale: by at most this part larger or smaller, along each side by itself; 0.1 is 10 %.
        shear: at most so many pixels to the side for a pixel upwards.
        elastic: points on a grid of 7 x 7 move by at most so many pixels, and what lies between follows smoothly.

    Returns:
        A function from images as ``finer`` makes them and a random key to ``(m, 28, 28)`` float32 in [0, 1]; what
        comes in from outside is paper. The same function for the same limits, so that JAX compiles it once.
    """

    def warped(images: Array, key: Array) -> Array:
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
            moves = elastic * jax.random.uniform(bend, (2, count, GRID, GRID), minval=-1.0, maxval=1.0)
            for _ in range(2):  # once along each side, as one large product: many small ones are slow
                moves = (moves.reshape(-1, GRID) @ _spread().T).reshape(2, count, -1, SIDE).swapaxes(2, 3)
            from_y, from_x = from_y + moves[0], from_x + moves[1]
        return sample(images, from_y + 13.5, from_x + 13.5).astype("float32") / 255

    return warped


def warped(images: Images, limits: Mapping[str, float], seed: Sequence[int]) -> NDArray[np.float32]:
    """Warp ``(n, 28, 28)`` uint8 images at once, for a training on another backend: ``(n, 28, 28)`` float32."""
    part = 5000  # images at once, so that little memory is taken
    key = jnp.array(np.random.SeedSequence(seed).generate_state(2), jnp.uint32)
    program = _compiled(warp(**limits))
    result = np.empty(images.shape, np.float32)
    for start in range(0, len(images), part):
        fine = finer(images[start : start + part])
        result[start : start + part] = program(fine, jax.random.fold_in(key, start))
    return result


_compiled = lru_cache(jax.jit)


def _spread() -> Array:
    """Return ``(28, GRID)``: how much each grid point counts for each pixel, linearly in between."""
    place = jnp.linspace(0, GRID - 1, SIDE)
    return jnp.maximum(0, 1 - jnp.abs(place[:, None] - jnp.arange(GRID)))


def finer(images: Images) -> NDArray[np.uint8]:
    """Return ``(n, 28, 28)`` uint8 images at twice the resolution with a rim of paper: ``(n, 57, 57)`` uint8.

    Between two pixels comes their mean. Taking the nearest of these points is as good as interpolating between the
    pixels, for a quarter of the work.
    """
    fine = np.zeros((len(images), FINE, FINE), np.uint8)
    for start in range(0, len(images), 4096):
        part = images[start : start + 4096].astype(np.uint16)
        into = fine[start : start + 4096, 1:-1, 1:-1]
        into[:, ::2, ::2] = part
        into[:, 1::2, ::2] = (part[:, 1:] + part[:, :-1]) // 2
        into[:, :, 1::2] = (into[:, :, 2::2].astype(np.uint16) + into[:, :, :-2:2]) // 2
    return fine


def sample(fine: Array, y: Array, x: Array) -> Array:
    """Read images as ``finer`` makes them at places ``(m, 28, 28)`` in pixels, at the nearest point; outside is 0."""
    row = jnp.clip(jnp.round(2 * y), -1, FINE - 2).astype("int32") + 1
    column = jnp.clip(jnp.round(2 * x), -1, FINE - 2).astype("int32") + 1
    places = (row * FINE + column).reshape(len(fine), -1)
    values = jnp.take_along_axis(fine.reshape(len(fine), -1), places, axis=1, mode="promise_in_bounds")
    return values.reshape(y.shape)
