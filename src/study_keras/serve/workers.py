"""Reading pictures in a bounded number of threads, behind a bounded queue, within a time."""

import asyncio
import queue
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from study_keras.vision.prepare import read_image
from study_keras.vision.recognize import Network, read_grey

MOST_PIXELS = 25_000_000  # a phone's photo has 12 million; reading 25 million takes a second and 0.5 GB


class FullError(Exception):
    """All threads are busy and the queue is full."""


class Readers:
    """Threads that read pictures; as many as there are copies of each network, since a copy serves one at a time."""

    def __init__(
        self, networks: Mapping[str, Sequence[Network]], waiting: int, seconds: float, names: Any = None
    ) -> None:
        """Start no thread yet.

        Args:
            networks: name of a model -> a copy of its network for each thread.
            waiting: how many pictures may wait for a thread.
            seconds: how long one may take, the waiting included.
            names: name of a model -> the names of its classes, or None where they are digits.
        """
        threads = min(len(copies) for copies in networks.values())
        self._networks = {name: _filled(copies) for name, copies in networks.items()}
        self._places = threading.Semaphore(threads + waiting)
        self._threads = ThreadPoolExecutor(threads, "reader")
        self._seconds = seconds
        self._names: Mapping[str, Sequence[str] | None] = names or {}
        # glibc gives freed arrays back to the system, and fetches the next one page by page, which can take half of the
        # time of a picture. Having freed one of 24 MB, it keeps what is smaller.
        np.empty(3 * 2**20)

    async def read(self, name: str, picture: bytes) -> dict[str, Any]:
        """Return what ``reading.read_digits`` says of ``picture``.

        A thread cannot be stopped: a picture that takes too long keeps its place until it is done.

        Raises:
            FullError: there is no place; try later.
            TimeoutError: it took too long.
            ValueError: as ``reading.read_digits``, and a picture of more than ``MOST_PIXELS``.
        """
        if not self._places.acquire(blocking=False):
            raise FullError
        try:
            future = self._threads.submit(self._read, name, picture)
        except RuntimeError:
            self._places.release()
            raise
        future.add_done_callback(lambda _: self._places.release())
        return await asyncio.wait_for(asyncio.wrap_future(future), self._seconds)  # takes it from the queue, too

    def close(self) -> None:
        """Take no more pictures."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _read(self, name: str, picture: bytes) -> dict[str, Any]:
        network = self._networks[name].get_nowait()
        try:
            return read_grey(read_image(picture, MOST_PIXELS), network, self._names.get(name))
        finally:
            self._networks[name].put(network)


def _filled(copies: Sequence[Network]) -> queue.SimpleQueue[Network]:
    filled: queue.SimpleQueue[Network] = queue.SimpleQueue()
    for copy in copies:
        filled.put(copy)
    return filled
