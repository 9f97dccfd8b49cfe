"""What a file from outside may take: checked before anything is unpacked or allocated.

Each load has one total, ``MAX_BYTES`` by default, that all of its arrays count against. Only regular files are read:
a FIFO or a device could block for ever or never end.
"""

import math
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from pathlib import Path
from typing import Any, BinaryIO, ParamSpec, TypeVar

from study_keras import plain_text

MAX_BYTES = 4 * 2**30
MAX_JSON_BYTES = 64 * 2**20  # of the structure of a model
MAX_RECORD_BYTES = 2**22  # of a file of names or settings: 10,000 classes have 400 bytes each
MAX_CLASSES = 10_000
MAX_MESSAGE = 1000  # characters of an error

_maximum = ContextVar("maximum", default=MAX_BYTES)
_taken: ContextVar[list[int] | None] = ContextVar("taken", default=None)
P = ParamSpec("P")
R = TypeVar("R")


@contextmanager
def allow(max_bytes: int) -> Iterator[None]:
    """Let each load within the block take up to ``max_bytes`` of memory, instead of ``MAX_BYTES``.

    Example: ``with limits.allow(16 * 2**30): model = formats.load("large.keras")``
    """
    token = _maximum.set(max_bytes)
    try:
        yield
    finally:
        _maximum.reset(token)


def reader(function: Callable[P, R]) -> Callable[P, R]:
    """Give a function that reads a file from outside one total of memory, and errors of one printable line.

    Inside of another such function it counts against that one's total.
    """

    @wraps(function)
    def limited(*args: P.args, **kwargs: P.kwargs) -> R:
        if _taken.get() is not None:
            return function(*args, **kwargs)
        token = _taken.set([0])
        try:
            return function(*args, **kwargs)
        except ValueError as error:  # what it quotes may be from the file
            message = plain_text.one_line(error)[:MAX_MESSAGE]
            if message == str(error):
                raise
            raise ValueError(message) from error
        finally:
            _taken.reset(token)

    return limited


def take(count: int, what: str) -> None:
    """Count ``count`` bytes against the total of this load, before they are allocated.

    Raises:
        ValueError: they exceed it; the message begins with ``what``.
    """
    taken = _taken.get() or [0]
    if count < 0 or taken[0] + count > _maximum.get():
        before = f" beside {taken[0]:,} for the rest" if taken[0] else ""
        raise ValueError(
            f"{what} needs {count:,} bytes of memory{before}; expected at most {_maximum.get():,} in total: "
            "study_keras.limits.allow(max_bytes) raises this limit"
        )
    taken[0] += count


def byte_count(shape: Any, item_size: int) -> int:
    """Return how many bytes an array of ``shape`` has.

    Raises:
        ValueError: ``shape`` is not a list or tuple of whole numbers from 0.
    """
    sizes = shape if isinstance(shape, list | tuple) else [None]
    if len(sizes) > 64 or not all(type(size) is int and size >= 0 for size in sizes):
        raise ValueError(f"the shape {str(shape)[:100]} is not a list of at most 64 whole numbers from 0")
    return math.prod(sizes) * item_size


def check_file(path: str | Path) -> int:
    """Return the size of a file in bytes.

    Raises:
        FileNotFoundError: it does not exist.
        ValueError: it is not a regular file.
    """
    return _regular_size(Path(path).stat(), path)


def _regular_size(status: os.stat_result, path: str | Path) -> int:
    if stat.S_ISREG(status.st_mode):
        return status.st_size
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket"}
    raise ValueError(f"{path}: {kinds.get(stat.S_IFMT(status.st_mode), 'a device')}; expected a regular file")


def check_folder(path: str | Path) -> int:
    """Return the size of all files in a folder in bytes.

    Raises:
        ValueError: it contains something else than folders and regular files.
    """
    return sum(check_file(file) for file in Path(path).rglob("*") if not file.is_dir())


def open_file(path: str | Path) -> BinaryIO:
    """Open a regular file for reading; opening anything else does not block.

    Raises:
        OSError: it cannot be opened.
        ValueError: it is not a regular file.
    """
    file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    try:
        _regular_size(os.fstat(file.fileno()), path)
    except ValueError:
        file.close()
        raise
    return file


def read_bytes(path: str | Path, max_bytes: int | None = None) -> bytes:
    """Read a regular file, and count its size against the total of this load.

    Args:
        path: of the file.
        max_bytes: of this file; the whole total by default.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not a regular file, or too large.
    """
    with open_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        if max_bytes is not None and size > max_bytes:
            raise ValueError(f"{path}: {size:,} bytes; expected at most {max_bytes:,}")
        take(size, str(path))
        return file.read(size)
