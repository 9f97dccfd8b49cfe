"""Where the time of a training step goes: the tutorial's step, without its parts one at a time, and its products alone.

    make bench, or: python benchmarks/step.py --rounds 5

The network is 784-128-10 with batches of 32. "By hand" is the same step in JAX without Keras: with Adam's averages as
one array for each weight, and as one flat array for all. "Products alone" are the five matrix products of the forward
and the backward pass, each with the result of the one before, and nothing else. The ways alternate for several rounds;
the output is the median of microseconds a step over epochs of 1,875 steps, the range, and the median of the rounds'
ratios to the first row.
"""

import argparse
import os
import time
from collections.abc import Callable
from statistics import median

os.environ["KERAS_BACKEND"] = "jax"

import jax
import jax.numpy as jnp
import keras
import numpy as np
from jax import lax
from rich.console import Console
from rich.table import Table

from study_keras import mnist
from study_keras.train import jax_loop, models

BATCH, STEPS = 32, 1875
(IMAGES, LABELS), _ = mnist.load_data()


def with_keras(optimizer: str = "adam", dropout: float = 0.2, metrics: bool = True) -> Callable[[], float]:
    """Return a function that trains an epoch as ``hello-mnist train`` does, and returns its seconds."""
    keras.utils.set_random_seed(1)
    model = models.mlp(dropout=dropout)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"] if metrics else None)
    model.fit(np.zeros((1, 28, 28), "float32"), np.zeros(1), epochs=0, verbose=0)

    def epoch() -> float:
        times: list[float] = []
        clock = keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda *_: times.append(time.perf_counter()),
            on_epoch_end=lambda *_: times.append(time.perf_counter()),
        )
        jax_loop.fit(model, IMAGES, LABELS, BATCH, seed=1, callbacks=[clock])
        return times[1] - times[0]

    return epoch


def adam(weights, gradient, mean, square, step):
    mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
    rate = 1e-3 * jnp.sqrt(1 - 0.999**step) / (1 - 0.9**step)
    return weights - rate * mean / (jnp.sqrt(square) + 1e-7), mean, square


def by_hand(kind: str) -> Callable[[], float]:
    """Return a function that runs an epoch in plain JAX, and returns its seconds; ``kind``: arrays, flat, products."""
    rng = np.random.default_rng(1)
    shapes = ((784, 128), (128,), (128, 10), (10,))
    weights = [jnp.asarray(rng.normal(0, 0.05, shape), "float32") for shape in shapes]
    ends = np.cumsum([weight.size for weight in weights])
    images, labels = jnp.asarray(IMAGES.reshape(-1, 784)), jnp.asarray(LABELS.astype("int32"))
    order = jnp.asarray(rng.permutation(len(IMAGES)))

    def loss(weights, x, y, key):
        hidden = jax.nn.relu(x @ weights[0] + weights[1])
        hidden = jnp.where(jax.random.bernoulli(key, 0.8, hidden.shape), hidden / 0.8, 0)
        logits = hidden @ weights[2] + weights[3]
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1))

    def products(x, weights, total):
        hidden = x @ weights[0]
        logits = hidden @ weights[2]
        second = hidden.T @ logits
        back = logits @ weights[2].T
        first, second = lax.optimization_barrier((x.T @ back, second))
        return total + first[0, 0] + second[0, 0]

    def body(number, state):
        rows = lax.dynamic_slice_in_dim(order, number * BATCH, BATCH)
        x, y, key = images[rows].astype("float32") / 255, labels[rows], jax.random.fold_in(jax.random.key(1), number)
        weights, mean, square, step = state
        if kind == "products":
            return weights, mean, square, products(x, weights, step)
        gradients = jax.grad(loss)(weights, x, y, key)
        if kind == "flat":
            flat = jnp.concatenate([part.ravel() for part in gradients])
            zero = jnp.zeros_like(flat)
            change, mean, square = adam(zero, flat, mean, square, step)
            parts = jnp.split(change, ends[:-1])
            weights = [w + part.reshape(w.shape) for w, part in zip(weights, parts, strict=True)]
        else:
            updates = [adam(*part, step) for part in zip(weights, gradients, mean, square, strict=True)]
            weights, mean, square = map(list, zip(*updates, strict=True))
        return weights, mean, square, step + 1

    run = jax.jit(lambda state: lax.fori_loop(0, STEPS, body, state))
    empty = jnp.zeros(ends[-1]) if kind == "flat" else [jnp.zeros_like(weight) for weight in weights]
    state = (weights, empty, empty, jnp.float32(1))

    def epoch() -> float:
        started = time.perf_counter()
        jax.block_until_ready(run(state))
        return time.perf_counter() - started

    return epoch


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="epochs of each (default: 5)")
    rounds = parser.parse_args().rounds
    ways = {
        "as hello-mnist trains": with_keras(),
        "without metrics": with_keras(metrics=False),
        "without dropout": with_keras(dropout=0.0),
        "SGD in place of Adam": with_keras("sgd"),
        "by hand in JAX": by_hand("arrays"),
        "by hand, Adam on one flat array": by_hand("flat"),
        "products alone": by_hand("products"),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds + 1):  # the first one compiles
        for name, epoch in ways.items():
            taken[name].append(1e6 * epoch() / STEPS)
    table = Table("step", "us", "from", "to", "ratio")
    base = taken["as hello-mnist trains"][1:]
    for name, (_, *times) in taken.items():
        ratio = median(one / other for one, other in zip(times, base, strict=True))
        table.add_row(name, *(f"{one:.0f}" for one in (median(times), min(times), max(times))), f"{ratio:.2f}")
    Console().print(table)
    print(f"{rounds} rounds, {os.cpu_count()} cores, JAX {jax.__version__}, load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
