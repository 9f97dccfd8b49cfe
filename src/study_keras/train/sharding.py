"""Data-parallel training on several devices of one or more processes.

Each device holds all variables of the model and a part of every batch; XLA adds up the gradients. The program is the
same as on one device: it sees the entire batch, so loss, dropout and batch normalization are those of the entire
batch for any number of devices.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import jax
import numpy as np
from jax import lax
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from numpy.typing import NDArray

from study_keras.data.lazy_array import as_lazy, is_on_disk

Array = Any  # a jax.Array
AXIS = "batch"


@lru_cache
def mesh() -> Mesh | None:
    """Return a one-dimensional mesh of the devices of all processes, or ``None`` if there is only one device."""
    devices = jax.devices()
    if len(devices) == 1:
        return None
    # JAX' newer partitioner, Shardy, does not support the 64-bit multiplication that Philox uses.
    jax.config.update("jax_use_shardy_partitioner", False)
    return Mesh(np.array(devices), (AXIS,))


def replicate(mesh: Mesh, values: Any) -> Any:
    """Put ``values``, which are equal in all processes, on every device of the ``mesh``."""
    everywhere = NamedSharding(mesh, PartitionSpec())

    def put(value: Any) -> Array:
        host = np.asarray(value)
        return jax.make_array_from_callback(host.shape, everywhere, lambda index: host[index])

    return jax.tree.map(put, values)


def local_copy(values: Any) -> Any:
    """Return replicated arrays as arrays on one device of this process, which can be read without the others."""
    return jax.tree.map(lambda value: value.addressable_data(0), values)


def shard_batches(mesh: Mesh, arrays: Iterable[Any], indices: NDArray[Any], capacity: int) -> tuple[Array, ...]:
    """Read this process' share of several batches.

    Args:
        arrays: of rows, in memory or on the disk; only the rows of the share are read.
        indices: ``(steps, batch_size)``, the rows of each batch.
        capacity: at least ``steps``; calls with the same capacity run the same compiled program.

    Returns:
        An array ``(capacity, m, ...)`` for each one, sharded along its second axis: ``m`` is ``batch_size``, padded
        to a multiple of the number of devices.
    """
    steps, size = indices.shape
    padded = np.zeros((capacity, -(-size // mesh.size) * mesh.size), indices.dtype)
    padded[:steps, :size] = indices
    sharding = NamedSharding(mesh, PartitionSpec(None, AXIS))

    def put(array: Any) -> Array:
        shape = (*padded.shape, *array.shape[1:])
        return jax.make_array_from_callback(shape, sharding, lambda index: _take_rows(array, padded[index[:2]]))

    return tuple(map(put, arrays))


def take_batch(mesh: Mesh, batches: Array, number: Any, size: int) -> Array:
    """Return the batch ``number`` of what ``shard_batches`` returned, without its padding."""
    return lax.with_sharding_constraint(batches[number][:size], NamedSharding(mesh, PartitionSpec(AXIS)))


def constrain_replicated(mesh: Mesh, state: Any) -> Any:
    """Keep the ``state`` of a model replicated, which makes XLA add up the gradients here."""
    return lax.with_sharding_constraint(state, NamedSharding(mesh, PartitionSpec()))


def _take_rows(array: Any, indices: NDArray[Any]) -> NDArray[Any]:
    """Return the rows at ``indices`` ``(steps, m)``; rows on the disk are read in their order there."""
    array = as_lazy(array) if is_on_disk(array) else array
    return np.asarray(array[indices.reshape(-1)]).reshape(*indices.shape, *array.shape[1:])
