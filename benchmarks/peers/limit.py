"""The limit: the time of the arithmetic only, at the best rate of a float32 matrix product on this machine.

The rate is the best of NumPy and JAX, over square matrices of several sizes.
"""

import json
import time

import jax
import numpy as np
from work import FLOP

SIZES = (256, 512, 1024, 2048)


def rate(multiply, size):
    """Return the FLOP per second of the fastest of several products of two square matrices."""
    one, other = (np.random.default_rng(seed).random((size, size), np.float32) for seed in (1, 2))
    seconds = []
    until = time.perf_counter() + 0.5
    while time.perf_counter() < until:
        started = time.perf_counter()
        multiply(one, other)
        seconds.append(time.perf_counter() - started)
    return 2 * size**3 / min(seconds)


matmul = jax.jit(jax.numpy.matmul)
ways = (np.matmul, lambda one, other: matmul(one, other).block_until_ready())
best = max(rate(way, size) for way in ways for size in SIZES)
print(json.dumps({"flop": FLOP, "flop_per_second": round(best), "fit_seconds": round(FLOP / best, 3)}))
