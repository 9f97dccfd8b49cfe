"""Recognition in a bounded number of threads, with a bounded queue and a timeout."""

import asyncio
import queue
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from study_keras.vision.classifier import Network
from study_keras.vision.image_io import read_picture
from study_keras.vision.levels import MAX_SIDE
from study_keras.vision.recognize import recognize

MAX_PIXELS = 25_000_000  # a phone's photo has 12 million; 25 million take a second and 0.5 GB


class QueueFullError(Exception):
    """All threads are busy and the queue is full."""


class WorkerPool:
    """Threads that recognize pictures, one for each copy of the networks: a copy serves one thread at a time."""

    def __init__(
        self,
        networks: Mapping[str, Sequence[Network]],
        queue_size: int,
        timeout: float,
        names: Mapping[str, Sequence[str] | None],
    ) -> None:
        """Create the pool; the threads start on demand.

        Args:
            networks: name of a model -> a copy of its network for each thread.
            queue_size: how many pictures may wait for a thread.
            timeout: seconds for one picture, including the wait.
            names: name of a model -> the names of its classes, or None for digits.
        """
        threads = min(len(copies) for copies in networks.values())
        self._networks: dict[str, queue.SimpleQueue[Network]] = {}
        for name, copies in networks.items():
            self._networks[name] = queue.SimpleQueue()
            for copy in copies:
                self._networks[name].put(copy)
        self._places = threading.Semaphore(threads + queue_size)
        self._threads = ThreadPoolExecutor(threads, "worker")
        self._timeout, self._names = timeout, names
        # glibc returns freed memory to the system and fetches it again page by page, which can take half of the time of
        # a picture. Once it has freed an array of 24 MB, it keeps smaller ones.
        np.empty(3 * 2**20)

    async def recognize(self, name: str, picture: bytes | bytearray) -> dict[str, Any]:
        """Return ``recognize.recognize`` of ``picture`` with the model ``name``.

        A thread cannot be stopped: a picture that times out keeps its place until it is done.

        Raises:
            QueueFullError: all threads are busy and the queue is full.
            TimeoutError: it took too long.
            ValueError: as ``recognize.recognize``, and for a picture of more than ``MAX_PIXELS``.
        """
        if not self._places.acquire(blocking=False):
            raise QueueFullError
        try:
            future = self._threads.submit(self._recognize, name, picture)
        except RuntimeError:
            self._places.release()
            raise
        future.add_done_callback(lambda _: self._places.release())
        return await asyncio.wait_for(asyncio.wrap_future(future), self._timeout)  # also removes it from the queue

    def close(self) -> None:
        """Accept no more pictures."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _recognize(self, name: str, picture: bytes | bytearray) -> dict[str, Any]:
        network = self._networks[name].get_nowait()
        try:
            return recognize(read_picture(picture, MAX_PIXELS, MAX_SIDE), network, self._names.get(name))
        finally:
            self._networks[name].put(network)
