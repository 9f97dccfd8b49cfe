"""Keras' ``fit`` on JAX with the data on the device and the steps of an epoch in one compiled program.

Keras returns to Python after each step, which takes longer than the step of a small network. Here the loop over the
steps is compiled too, around ``model.train_step``, Keras' public step. So loss, metrics, optimizer, learning rate
schedule, dropout and batch normalization are those of Keras, not a second implementation.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import keras
import numpy as np
from jax import lax
from numpy.typing import NDArray

from study_keras.data.dataset import Images, Labels
from study_keras.data.lazy_array import read_rows
from study_keras.train import sharding, shuffle

Array = Any  # a jax.Array
Transform = Callable[[Array, Array], Array]  # a batch of images and a random key -> the model's input

REPORTS = 8  # how often an epoch returns to Python, for the progress display
# Dropout draws a number for each output: Philox takes a quarter of the time of JAX' default, Threefry.
GENERATOR = "philox4x32"


def as_float(images: Array, key: Array) -> Array:
    """Convert uint8 from 0 to 255 to float32 in [0, 1]."""
    return images.astype("float32") / 255


def fit(
    model: keras.Model,
    x: Images,
    y: Labels,
    batch_size: int = 32,
    epochs: int = 1,
    *,
    seed: int,
    initial_epoch: int = 0,
    validation_data: tuple[Images, Labels] | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    transform: Transform = as_float,
) -> keras.callbacks.History:
    """Train a compiled ``model`` as ``model.fit`` does, and return the history; compiles once per model.

    Args:
        model: built and compiled, including its metrics: ``model.fit(x, y, epochs=0)`` does that.
        x: ``(n, 28, 28)`` uint8; may be a memory-mapped file or a ``LazyArray`` of any size.
        seed: with the epoch's number it determines the order of the images and the keys for ``transform``.
        validation_data: such a pair, measured after each epoch; its images are only scaled.
        callbacks: within an epoch they see only the metrics, 8 times; the variables are updated at its end.
        transform: from a batch ``(m, 28, 28)`` uint8 and a random key to the model's input, traced by JAX.
    """
    steps = -(-len(x) // batch_size)
    watchers = keras.callbacks.CallbackList(list(callbacks), add_history=True, model=model, epochs=epochs, steps=steps)
    if len(x) <= shuffle.WINDOW_ROWS and not sharding.mesh():
        x, y = jax.device_put((read_rows(x, 0, len(x)), y))
    logs: dict[str, float] = {}
    model.stop_training = False
    watchers.on_train_begin()
    try:
        for epoch in range(initial_epoch, epochs):
            batches = _sharded_batches(x, y, batch_size, np.random.default_rng([seed, epoch]))
            logs = _fit_epoch(model, batches, transform, epoch, validation_data, batch_size, watchers)
            if model.stop_training:
                break
        model.optimizer.finalize_variable_values(model.trainable_variables)
    finally:
        watchers.on_train_end(logs)
    return model.history


def _fit_epoch(  # noqa: PLR0917
    model: keras.Model,
    batches: Iterable["Batches"],
    transform: Transform,
    epoch: int,
    validation_data: tuple[Images, Labels] | None,
    batch_size: int,
    watchers: keras.callbacks.CallbackList,
) -> dict[str, float]:
    model.reset_metrics()
    watchers.on_epoch_begin(epoch)
    for done in _run(model, model.train_step, transform, batches):
        watchers.on_train_batch_end(done - 1, _metrics(model))
    logs = _metrics(model)
    if validation_data is not None:
        logs |= {f"val_{name}": value for name, value in evaluate(model, *validation_data, batch_size).items()}
    watchers.on_epoch_end(epoch, logs)
    return logs


def evaluate(model: keras.Model, x: Images, y: Labels, batch_size: int = 32) -> dict[str, float]:
    """Measure a compiled ``model`` as ``model.evaluate(..., return_dict=True)`` does.

    Args:
        x: ``(n, 28, 28)`` uint8.
        y: ``(n,)`` or ``(n, classes)``, as the loss takes them.
    """
    x = read_rows(x, 0, len(x)) if len(x) <= shuffle.WINDOW_ROWS else x
    model.reset_metrics()
    for _ in _run(model, model.test_step, as_float, _sharded_batches(x, y, batch_size)):
        pass
    return _metrics(model)


class Batches(NamedTuple):
    """``steps`` batches of ``size`` images of a window: those that ``order`` lists from its index ``first``."""

    window: tuple[Array, Array]
    order: Any  # int32, or None if the window contains the batches one after the other
    key: NDArray[np.uint32]
    first: int
    steps: int
    size: int


def _batches(x: Images, y: Labels, size: int, rng: np.random.Generator | None = None) -> Iterator[Batches]:
    """Divide an epoch into parts that run without returning to Python, shuffled if there is an ``rng``."""
    length = shuffle.window_length(len(x), size)
    between_reports = -(-len(x) // size // REPORTS) * size
    for start, shuffled in shuffle.windows(len(x), size, rng):
        first = min(start, len(x) - length)  # so that all windows have one shape, and one program
        window = (x, y) if length == len(x) else (read_rows(x, first, first + length), y[first : first + length])
        count = len(shuffled)
        order = np.zeros(length, np.int32)
        order[:count] = start - first + shuffled
        key = rng.integers(0, 2**32, 2, np.uint32) if rng else np.zeros(2, np.uint32)
        full = count // size * size
        for index in range(0, full, between_reports):
            yield Batches(window, order, key, index, min(between_reports, full - index) // size, size)
        if count > full:
            yield Batches(window, order, key, full, 1, count - full)


def _sharded_batches(x: Images, y: Labels, size: int, rng: np.random.Generator | None = None) -> Iterator[Batches]:
    """Divide an epoch as ``_batches`` does; with several devices, shard every batch."""
    mesh, capacity = sharding.mesh(), 0
    if not mesh:
        yield from _batches(x, y, size, rng)
        return
    rows = np.arange(len(x))
    for batches in _batches(rows, rows, size, rng):
        end = batches.first + batches.steps * batches.size
        indices = batches.window[0][batches.order[batches.first : end]].reshape(batches.steps, batches.size)
        capacity = max(capacity, batches.steps)
        fits = capacity if batches.size == size else batches.steps
        yield batches._replace(window=sharding.shard_batches(mesh, (x, y), indices, fits), order=None)


def _run(model: keras.Model, step: Any, transform: Transform, batches: Iterable[Batches]) -> Iterator[int]:
    """Run ``step`` on all ``batches``; yield the number of steps so far, with the metrics up to date.

    The other variables are only updated at the end, so an interruption leaves them unchanged.
    """
    trains = step == model.train_step
    optimizer = (model.optimizer.variables,) if trains else ()
    groups = (model.trainable_variables, model.non_trainable_variables, *optimizer, model.metrics_variables)
    state: Any = tuple([variable.value for variable in group] for group in groups)
    mesh = sharding.mesh()
    state = sharding.replicate(mesh, state) if mesh else state
    done = 0
    for window, order, key, first, steps, size in batches:
        state = _run_steps(step, transform, size, mesh, state, window, order, key, first, steps)
        _assign(model.metrics_variables, sharding.local_copy(state[-1]) if mesh else state[-1])
        done += steps
        yield done
    for group, values in zip(groups, sharding.local_copy(state) if mesh else state, strict=True):
        _assign(group, values)


@partial(jax.jit, static_argnames=("step", "transform", "size", "mesh"))
def _run_steps(  # noqa: PLR0917
    step: Any,
    transform: Transform,
    size: int,
    mesh: Any,
    state: Any,
    window: Any,
    order: Any,
    key: Any,
    first: Any,
    steps: Any,
) -> Any:
    """Run ``steps`` steps on ``size`` images each, in one program; return the new state of the model."""

    def body(number: Any, state: Any) -> Any:
        index = first + number * size
        if mesh:
            x, y = (sharding.take_batch(mesh, part, number, size) for part in window)
        else:
            x, y = (part[lax.dynamic_slice_in_dim(order, index, size)] for part in window)
        state = step(state, (transform(x, jax.random.fold_in(key, index)), y))[1]
        return sharding.constrain_replicated(mesh, state) if mesh else state

    with jax.default_prng_impl(GENERATOR):
        return lax.fori_loop(0, steps, body, state)


def _assign(variables: Any, values: Any) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _metrics(model: keras.Model) -> dict[str, float]:
    return {name: float(value) for name, value in model.get_metrics_result().items()}
