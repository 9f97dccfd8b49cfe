"""Child processes that end when this process does, however it ends.

A child reads its standard input, which this process keeps open: the system closes it when this process is killed. It
runs in a session of its own, so that Ctrl-C in a terminal only reaches this process.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from study_keras import stopping

SECONDS_TO_END = 1.0  # for a child to remove its temporary files


@contextmanager
def child(
    command: Sequence[str], *, seconds: float = SECONDS_TO_END, **options: Any
) -> Iterator[subprocess.Popen[Any]]:
    """Start ``command`` and end it after the block.

    Args:
        command: a program that ends when its standard input is closed.
        seconds: how long it may take to end before it is killed.
        options: as ``subprocess.Popen`` takes them.
    """
    process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True, **options)
    with stopping.on_stop(partial(end, [process], seconds)):
        try:
            yield process
        finally:
            for pipe in (process.stdin, process.stdout, process.stderr):
                with suppress(OSError):  # what was not written yet
                    if pipe:
                        pipe.close()
            with suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
            process.kill()
            process.wait()


def end(processes: Sequence[subprocess.Popen[Any]], seconds: float = SECONDS_TO_END) -> None:
    """End ``processes`` before this process ends, without ``Popen``'s locks, which another thread may hold."""
    for process in processes:
        with suppress(OSError, ValueError):
            os.close(process.stdin.fileno())  # type: ignore[union-attr]  # it is a pipe
    deadline, running = time.monotonic() + seconds, [process.pid for process in processes if process.returncode is None]
    while running and time.monotonic() < deadline:
        running = [pid for pid in running if _runs(pid)]
        time.sleep(0.01)
    for pid in running:
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _runs(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG) == (0, 0)
    except ChildProcessError:
        return False


def python(code: str, *arguments: str) -> list[str]:
    """Return the command that runs ``code``, with this package, and ends with this process."""
    return [sys.executable, "-c", f"from study_keras.processes import end_with_parent\n{code}", *arguments]


def environment(**variables: str) -> Mapping[str, str]:
    """Return the environment of a child that imports this package, with ``variables`` changed."""
    source = str(Path(__file__).resolve().parents[1])
    path = os.pathsep.join(filter(None, [source, os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path, **variables}


def end_with_parent(read: Callable[[], object] = lambda: os.read(0, 1)) -> None:
    """End this process when its standard input, which the parent process keeps open, is closed.

    Args:
        read: reads one message from standard input, and returns a false value or raises ``EOFError`` at its end.
    """
    threading.Thread(target=_wait_for_parent, args=(read,), daemon=True).start()


def _wait_for_parent(read: Callable[[], object]) -> None:
    with suppress(OSError, EOFError):
        while read():
            pass
    stopping.leave(1)
