"""Keras' ``fit`` on JAX with the data on the device and the steps of an epoch in one compiled program.

Keras returns to Python after each step, which takes longer than the step of a small network. Here the loop over the
steps is compiled too, around ``model.train_step``: Keras' own public step, made of its stateless calls. So loss,
metrics, optimizer, learning-rate schedule, dropout and batch normalization are Keras', not a second implementation.
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
from study_keras.data.lazy_array import PIECE, rows
from study_keras.train import sharding

Array = Any  # a jax.Array
Transform = Callable[[Array, Array], Array]  # a batch of images and a random key -> what the model is given

WINDOW = PIECE  # images on the device at once, 51 MB as bytes; a larger set is shuffled within such windows
REPORTS = 8  # how often an epoch returns to Python, for the progress display
# Dropout draws a number for each output: Philox does it in a quarter of the time of JAX' usual Threefry.
GENERATOR = "philox4x32"


def as_float(images: Array, key: Array) -> Array:
    """Turn uint8 from 0 to 255 into float32 in [0, 1]."""
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
    """Train a compiled ``model`` as ``model.fit`` does; a second call for the same model compiles nothing.

    Callbacks see the model as it is at an epoch's end; within the epoch they are told its metrics now and then.

    Args:
        model: built and compiled, its metrics too: ``model.fit(x, y, epochs=0)`` does that.
        x: ``(n, 28, 28)`` uint8; may be a memory-mapped file or ``Shards`` of any size.
        y: ``(n,)`` or ``(n, classes)``, as the loss takes them.
        seed: the order of an epoch's images and the keys of ``transform`` follow from it and the epoch's number.
        validation_data: such a pair, measured after each epoch; its images go through ``as_float``.
        transform: from a batch ``(m, 28, 28)`` uint8 and a random key to what the model takes, traced by JAX.

    Returns:
        The history, as ``model.fit`` gives it.
    """
    steps = -(-len(x) // batch_size)
    watchers = keras.callbacks.CallbackList(
        list(callbacks), add_history=True, model=model, epochs=epochs, steps=steps, verbose=0
    )
    if len(x) <= WINDOW and not sharding.mesh():
        x, y = jax.device_put((rows(x, 0, len(x)), y))
    logs: dict[str, float] = {}
    model.stop_training = False
    watchers.on_train_begin()
    try:
        for epoch in range(initial_epoch, epochs):
            model.reset_metrics()
            watchers.on_epoch_begin(epoch)
            batches = _shared(x, y, batch_size, np.random.default_rng([seed, epoch]))
            for done in _run(model, model.train_step, transform, batches):
                watchers.on_train_batch_end(done - 1, _figures(model))
            logs = _figures(model)
            if validation_data is not None:
                found = evaluate(model, *validation_data, batch_size)
                logs |= {f"val_{name}": value for name, value in found.items()}
            watchers.on_epoch_end(epoch, logs)
            if model.stop_training:
                break
        model.optimizer.finalize_variable_values(model.trainable_variables)
    finally:
        watchers.on_train_end(logs)
    return model.history


def evaluate(model: keras.Model, x: Images, y: Labels, batch_size: int = 32) -> dict[str, float]:
    """Measure a compiled ``model`` as ``model.evaluate(..., return_dict=True)`` does.

    Args:
        x: ``(n, 28, 28)`` uint8.
        y: ``(n,)`` or ``(n, classes)``, as the loss takes them.
    """
    x = rows(x, 0, len(x)) if len(x) <= WINDOW else x
    model.reset_metrics()
    for _ in _run(model, model.test_step, as_float, _shared(x, y, batch_size)):
        pass
    return _figures(model)


class Batches(NamedTuple):
    """Some batches of a window of the data: ``steps`` of ``size`` images, by ``order`` from its place ``first``."""

    window: tuple[Array, Array]
    order: Any  # int32, or None where the window holds the batches one after the other
    key: NDArray[np.uint32]
    first: int
    steps: int
    size: int


def _batches(x: Images, y: Labels, size: int, rng: np.random.Generator | None = None) -> Iterator[Batches]:
    """Divide an epoch into what is run without returning to Python; with an ``rng`` in random order."""
    width = min(len(x), WINDOW // size * size)
    between = -(-len(x) // size // REPORTS) * size
    starts = range(0, len(x), width)
    for start in rng.permutation(starts) if rng else starts:
        first = min(start, len(x) - width)  # so that all windows have one shape, and one program
        window = (x, y) if width == len(x) else (rows(x, first, first + width), y[first : first + width])
        count = min(width, len(x) - start)
        order = np.zeros(width, np.int32)
        order[:count] = start - first + (rng.permutation(count) if rng else np.arange(count))
        key = rng.integers(0, 2**32, 2, np.uint32) if rng else np.zeros(2, np.uint32)
        whole = count // size * size
        for place in range(0, whole, between):
            yield Batches(window, order, key, place, min(between, whole - place) // size, size)
        if count > whole:
            yield Batches(window, order, key, whole, 1, count - whole)


def _shared(x: Images, y: Labels, size: int, rng: np.random.Generator | None = None) -> Iterator[Batches]:
    """Divide an epoch as ``_batches`` does; of several devices, each gets its part of every batch.

    Their window holds the batches as they are run, and so needs no ``order``.
    """
    mesh, room = sharding.mesh(), 0
    if not mesh:
        yield from _batches(x, y, size, rng)
        return
    places = np.arange(len(x))
    for batches in _batches(places, places, size, rng):
        end = batches.first + batches.steps * batches.size
        at = batches.window[0][batches.order[batches.first : end]].reshape(batches.steps, batches.size)
        room = max(room, batches.steps)
        window = sharding.share(mesh, (x, y), at, room if batches.size == size else batches.steps)
        yield batches._replace(window=window, order=None)


def _run(model: keras.Model, step: Any, transform: Transform, batches: Iterable[Batches]) -> Iterator[int]:
    """Run ``step`` on all ``batches``, and yield now and then how many steps are done, with the metrics up to date.

    The other variables of the model are up to date at the end alone: what is interrupted leaves them as they were.
    """
    trains = step == model.train_step
    optimizer = (model.optimizer.variables,) if trains else ()
    parts = (model.trainable_variables, model.non_trainable_variables, *optimizer, model.metrics_variables)
    state: Any = tuple([variable.value for variable in part] for part in parts)
    mesh = sharding.mesh()
    state = sharding.replicate(mesh, state) if mesh else state
    done = 0
    for window, order, key, first, steps, size in batches:
        state = _steps(step, transform, size, mesh, state, window, order, key, first, steps)
        _assign(model.metrics_variables, sharding.local(state[-1]) if mesh else state[-1])
        done += steps
        yield done
    state = sharding.local(state) if mesh else state
    for part, values in zip(parts, state, strict=True):
        _assign(part, values)


@partial(jax.jit, static_argnames=("step", "transform", "size", "mesh"))
def _steps(  # noqa: PLR0917
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
        place = first + number * size
        if mesh:
            x, y = (sharding.batch(mesh, part, number, size) for part in window)
        else:
            x, y = (part[lax.dynamic_slice_in_dim(order, place, size)] for part in window)
        state = step(state, (transform(x, jax.random.fold_in(key, place)), y))[1]
        return sharding.whole(mesh, state) if mesh else state

    with jax.default_prng_impl(GENERATOR):
        return lax.fori_loop(0, steps, body, state)


def _assign(variables: Any, values: Any) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _figures(model: keras.Model) -> dict[str, float]:
    return {name: float(value) for name, value in model.get_metrics_result().items()}
