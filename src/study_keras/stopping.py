"""Ending the command on a signal: at once, with one line, and with nothing left behind.

Python raises ``KeyboardInterrupt`` only when the main thread is between two Python instructions, so it can be seconds
late, and it is lost in JAX' callbacks and in an ``except:`` of others. So ``handle_signals`` does not raise it: Python
writes the signal's number into a pipe at once, and a thread that reads it ends the process. That is safe at any moment,
because every file gets its name only when it is complete. The library alone handles no signals.
"""

import _thread
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SECONDS = 3  # within which the thread ends the process

_actions: list[Callable[[], object]] = []
_messages: list[str] = []


@contextmanager
def on_stop(action: Callable[[], object]) -> Iterator[None]:
    """Call ``action`` if the process is stopped within the block.

    It is called in another thread, while the main thread may hold any lock: it must only call the system.
    """
    _actions.append(action)
    try:
        yield
    finally:
        _actions.remove(action)


@contextmanager
def stop_message(message: str) -> Iterator[None]:
    """Within the block, say ``message`` instead of "stopped" when a signal ends the command.

    Raises:
        KeyboardInterrupt: with ``message``, if the block raises it.
    """
    _messages.append(message)
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(message) from None
    finally:
        _messages.pop()


def handle_signals() -> None:
    """From now on, end the process on Ctrl-C, SIGTERM and SIGHUP with one line and the exit code 128 + the signal.

    A signal that was ignored when the process started, as by ``nohup``, stays ignored. A signal whose handler is
    replaced later, as by the server, is left to that handler.
    """
    errors = os.dup(2)  # standard error itself, also while `silence_output` redirects it
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _wait_for_the_end)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    _thread.start_new_thread(_watch, (reader, errors))


def ignore_signals() -> None:
    """Let the process end by itself, now that its work is done: while Python ends, a signal would kill it."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def leave(code: int) -> None:
    """Call the actions of ``on_stop`` and end the process, from any thread."""
    for action in reversed(_actions.copy()):
        with suppress(Exception):
            action()
    os._exit(code)


def _watch(reader: int, errors: int) -> None:
    while True:
        number = os.read(reader, 1)[0]
        if signal.getsignal(number) is _wait_for_the_end:
            _stop(number, errors)


def _stop(number: int, errors: int) -> None:
    with suppress(OSError):
        tidy = "\r\x1b[K\x1b[?25h" if os.isatty(errors) else ""  # remove a progress bar, and show the cursor again
        os.write(errors, f"{tidy}hello-mnist: {_messages[-1] if _messages else 'stopped'}\n".encode())
    leave(128 + number)


def _wait_for_the_end(number: int, frame: FrameType | None) -> None:
    """Stop the main thread, so that it prints and writes no more while the process ends."""
    never = _thread.allocate_lock()
    never.acquire()
    never.acquire(timeout=SECONDS)
    os._exit(128 + number)  # the other thread no longer runs: Python was ending already


def open_closed_streams() -> None:
    """Open the standard streams that are closed, as after ``>&-``, on the null device.

    Otherwise the next file that is opened would get the number of a standard stream, and whatever is printed.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number, which is this one
            os.set_inheritable(number, True)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w", closefd=False))
