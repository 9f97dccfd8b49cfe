"""The rule for models that are programs: a file from outside runs only where whoever asks says so."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

_allowed = ContextVar("allowed", default=False)


@contextmanager
def allow() -> Iterator[None]:
    """Let model files that are programs, such as ``.c``, run within the block, with all that this process may do."""
    token = _allowed.set(True)
    try:
        yield
    finally:
        _allowed.reset(token)


def check(path: str | Path) -> None:
    """Refuse to run a program outside of ``allow``.

    Raises:
        ValueError: names the option and the function that allow it.
    """
    if not _allowed.get():
        raise ValueError(
            f"{path}: is not the program that this version writes for this model, and a program can do "
            "anything; read it, then run it with --run-code (in Python: within study_keras.runtimes.own_code.allow())"
        )
