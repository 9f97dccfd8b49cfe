"""Several devices, of one process or of many, that each work on their share of every batch.

The model's variables are on each of them, whole; XLA adds up the gradients. The program is the one of one device: it
sees the whole batch, of which each device holds a part, so the loss, dropout's numbers and batch normalization's
statistics are those of the whole batch too, whatever the number of devices.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import jax
import numpy as np
from jax import lax
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from numpy.typing import NDArray

from study_keras.data.lazy_array import Shards, on_disk

Array = Any  # a jax.Array
AXIS = "batch"


@lru_cache
def mesh() -> Mesh | None:
    """Return all devices of all processes in a row, or ``None`` where there is but one."""
    devices = jax.devices()
    if len(devices) == 1:
        return None
    # JAX' newer partitioner, Shardy, cannot write down the upper half of a product, which Philox draws numbers with.
    jax.config.update("jax_use_shardy_partitioner", False)
    return Mesh(np.array(devices), (AXIS,))


def replicate(mesh: Mesh, values: Any) -> Any:
    """Put ``values``, which are the same in all processes, on every device of the ``mesh``."""
    everywhere = NamedSharding(mesh, PartitionSpec())

    def put(value: Any) -> Array:
        host = np.asarray(value)
        return jax.make_array_from_callback(host.shape, everywhere, lambda index: host[index])

    return jax.tree.map(put, values)


def local(values: Any) -> Any:
    """Return arrays of one device of this process for replicated ones, which others would have to help to read."""
    return jax.tree.map(lambda value: value.addressable_data(0), values)


def share(mesh: Mesh, arrays: Iterable[Any], places: NDArray[Any], room: int) -> tuple[Array, ...]:
    """Read this process' share of some batches.

    Args:
        arrays: of rows, in memory or on the disk; only the rows of the share are read.
        places: ``(steps, size)``, the rows of each batch.
        room: at least ``steps``; the same one for several calls lets them run the same program.

    Returns:
        An array ``(room, m, ...)`` for each one, divided along its second axis: ``m`` is ``size`` and as many rows
        more as the devices need to have the same number each.
    """
    steps, size = places.shape
    even = -(-size // mesh.size) * mesh.size
    padded = np.zeros((room, even), places.dtype)
    padded[:steps, :size] = places

    def put(array: Any) -> Array:
        divided = NamedSharding(mesh, PartitionSpec(None, AXIS))
        shape = (*padded.shape, *array.shape[1:])
        return jax.make_array_from_callback(shape, divided, lambda index: _rows(array, padded[index[:2]]))

    return tuple(map(put, arrays))


def batch(mesh: Mesh, shared: Array, number: Any, size: int) -> Array:
    """Return the batch ``number`` of what ``share`` read, without the rows that fill it up."""
    return _hold(mesh, shared[number][:size], PartitionSpec(AXIS))


def whole(mesh: Mesh, state: Any) -> Any:
    """Keep the ``state`` of a model whole on every device; here the gradients are added up."""
    return jax.tree.map(lambda value: _hold(mesh, value, PartitionSpec()), state)


def _hold(mesh: Mesh, value: Array, parts: PartitionSpec) -> Array:
    return lax.with_sharding_constraint(value, NamedSharding(mesh, parts))


def _rows(array: Any, places: NDArray[Any]) -> NDArray[Any]:
    """Return the rows at ``places`` ``(steps, m)``, read in their order on the disk where they lie there."""
    array = (
        array
        if isinstance(array, np.ndarray) and not on_disk(array)
        else array
        if isinstance(array, Shards)
        else Shards([array])
    )
    return np.asarray(array[places.reshape(-1)]).reshape(*places.shape, *array.shape[1:])
