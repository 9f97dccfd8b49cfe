"""JAX by hand: the data on the device, an entire epoch in one compiled ``lax.scan``, and Adam."""

import time

import jax
import jax.numpy as jnp
import numpy as np
from work import BATCH, BETA_1, BETA_2, DROPOUT, EPOCHS, EPSILON, RATE, SEED, initial_weights, load, report

(x_train, y_train), (x_test, y_test) = [[jnp.asarray(array) for array in part] for part in load()]
weights = [jnp.asarray(array) for array in initial_weights(np.random.default_rng(SEED))]
zeros = [jnp.zeros_like(array) for array in weights]
STEPS = len(x_train) // BATCH


def logits(weights, images, mask=1.0):
    kernel_1, bias_1, kernel_2, bias_2 = weights
    return (jax.nn.relu(images @ kernel_1 + bias_1) * mask) @ kernel_2 + bias_2


def loss(weights, images, labels, key):
    keep = jax.random.bernoulli(key, 1 - DROPOUT, (BATCH, 128))
    likelihoods = jax.nn.log_softmax(logits(weights, images, keep / (1 - DROPOUT)))
    return -jnp.take_along_axis(likelihoods, labels[:, None], 1).mean()


def step(state, batch):
    (weights, means, squares, count), (rows, key) = state, batch
    count += 1
    slopes = jax.grad(loss)(weights, x_train[rows], y_train[rows], key)
    means = [BETA_1 * m + (1 - BETA_1) * g for m, g in zip(means, slopes, strict=True)]
    squares = [BETA_2 * s + (1 - BETA_2) * g * g for s, g in zip(squares, slopes, strict=True)]
    rate = RATE * jnp.sqrt(1 - BETA_2**count) / (1 - BETA_1**count)
    moved = zip(weights, means, squares, strict=True)
    weights = [w - rate * m / (jnp.sqrt(s) + EPSILON) for w, m, s in moved]
    return (weights, means, squares, count), None


@jax.jit
def epoch(state, key):
    order_key, dropout_key = jax.random.split(key)
    rows = jax.random.permutation(order_key, len(x_train)).reshape(STEPS, BATCH)
    return jax.lax.scan(step, state, (rows, jax.random.split(dropout_key, STEPS)))[0]


started = time.perf_counter()
state = (weights, zeros, zeros, 0.0)
for key in jax.random.split(jax.random.key(SEED), EPOCHS):
    state = epoch(state, key)
weights = jax.block_until_ready(state[0])
seconds = time.perf_counter() - started
report(seconds, (logits(weights, x_test).argmax(1) == y_test).mean())
