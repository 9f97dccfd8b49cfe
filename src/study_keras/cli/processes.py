"""Training by several processes, of this machine or of several: to start them, to join them, and to end them."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from study_keras.cli.shared import command_name
from study_keras.startup import silent

SECONDS_TO_JOIN = 60
HEARTBEAT = 10  # seconds without a sign of life, after which a process on another host counts as dead
SECONDS_TO_END = 10


def options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of several processes to a command; Keras' own variables name the same."""
    for add in (
        click.option("--supervised", is_flag=True, hidden=True),  # whoever started it holds its standard input open
        click.option(
            "--process-id",
            type=click.IntRange(0),
            envvar="KERAS_DISTRIBUTION_PROCESS_ID",
            metavar="K",
            help="Which of them this is, from 0, with --join.",
        ),
        click.option(
            "--join",
            envvar="KERAS_DISTRIBUTION_JOB_ADDRESSES",
            metavar="ADDRESS:PORT",
            help="Be one of several processes; process 0 listens at this address, and saves.",
        ),
        click.option(
            "--processes",
            type=click.IntRange(1),
            envvar="KERAS_DISTRIBUTION_NUM_PROCESSES",
            metavar="N",
            help="Share each batch among N processes; without --join all on this machine.",
        ),
    ):
        function = add(function)
    return function


def check(processes: int | None, join: str | None, process_id: int | None, batch_size: int) -> None:
    """Refuse what does not go together.

    Raises:
        click.UsageError: says what is missing or too much.
    """
    if os.environ.get("KERAS_BACKEND", "jax") != "jax" and (processes or 1) > 1:
        raise click.UsageError(
            f"--processes needs the jax backend, which this is not: {os.environ['KERAS_BACKEND']}; "
            "unset KERAS_BACKEND, and choose a recipe of a dense network or set KERAS_BACKEND=jax"
        )
    if join and (processes is None or process_id is None):
        raise click.UsageError("--join needs --processes N and --process-id K, from 0 to N - 1")
    if process_id is not None and not join:
        raise click.UsageError("--process-id needs --join ADDRESS:PORT, of process 0")
    if join and processes is not None and process_id is not None and process_id >= processes:
        raise click.UsageError(f"--process-id {process_id} of {processes} processes; expected 0 to {processes - 1}")
    if (processes or 1) > batch_size:
        raise click.UsageError(f"--processes {processes} for batches of {batch_size} images; each needs one at least")


def join_others(address: str, processes: int, process_id: int, supervised: bool) -> None:
    """Make this process one of ``processes`` that JAX connects, the first of which listens at ``address``.

    Raises:
        ValueError: the address is none, or the others cannot be reached.
    """
    import jax

    if supervised:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    address = address.split(",", maxsplit=1)[0]
    if not address.rpartition(":")[0] or not address.rpartition(":")[2].isdecimal():
        raise ValueError(f"--join {address}: expected ADDRESS:PORT, such as 192.0.2.1:4321")
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    try:
        jax.distributed.initialize(
            address,
            processes,
            process_id,
            initialization_timeout=SECONDS_TO_JOIN,
            heartbeat_timeout_seconds=HEARTBEAT,
        )
    except RuntimeError as error:
        raise ValueError(
            f"--join {address}: not all {processes} processes came: {str(error).splitlines()[0]}"
        ) from None


def agree(number: int) -> int:
    """Return the ``number`` of process 0, in each of the processes."""
    import numpy as np
    from jax.experimental import multihost_utils

    with silent(1):  # on which Gloo tells when it is connected
        return int(multihost_utils.broadcast_one_to_all(np.uint32(number)))


def start_all(processes: int, arguments: Sequence[str]) -> int:
    """Run ``hello-mnist train`` with ``arguments`` in so many processes; return the exit status of them all.

    One that dies ends the others.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, "-m", "study_keras.cli", "train", *arguments, "--supervised", "--join", address]
    command += ["--processes", str(processes), "--process-id"]
    running: list[subprocess.Popen[bytes]] = []
    try:
        for number in range(processes):
            to = subprocess.DEVNULL if number else None  # the first one alone speaks
            one = subprocess.Popen([*command, str(number)], stdin=subprocess.PIPE, stdout=to, stderr=to)
            running.append(one)
        while any(status is None for status in (process.poll() for process in running)):
            if any(process.returncode for process in running):
                break
            time.sleep(0.1)
        broken = [number for number, process in enumerate(running) if process.returncode]
        # Of several, one that was killed: the others abort when they notice.
        broken.sort(key=lambda number: running[number].returncode != -signal.SIGKILL)
        return _tell(running, broken[0]) if broken else 0
    finally:
        _end(running)


@contextmanager
def ended_by_others(supervised: bool) -> Iterator[None]:
    """End this process at once, with a line, where the training breaks off because another process is gone."""
    try:
        yield
    except RuntimeError as error:  # JAX' own; at a usual exit it would wait for the one that is gone
        if "Gloo" not in str(error) and "coordination" not in str(error).lower():
            raise
        if not supervised:  # or whoever started it says so
            go_on = f"{command_name()} train --resume"
            click.echo(f"Error: another process is gone; go on in all of them with: {go_on}", err=True)
        sys.stdout.flush()
        os._exit(1)


def _tell(running: Sequence[subprocess.Popen[bytes]], number: int) -> int:
    """Say that a process died, unless it is the first one, ended by itself, and said why."""
    status = running[number].returncode
    if number == 0 and status > 0:
        return status
    how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
    go_on = f"{command_name()} train --resume"
    click.echo(f"Error: process {number} of {len(running)} {how}; the others are ended. Go on with: {go_on}", err=True)
    return 1


def _end(running: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in running:
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + SECONDS_TO_END
    for process in running:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin:
            process.stdin.close()


def _end_with_parent() -> None:
    """Wait for the end of the standard input, which the parent holds open as long as it lives; then end at once."""
    os.read(0, 1)
    os._exit(1)
