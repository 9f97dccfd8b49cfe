"""Training by several processes, of this machine or of several: to start them, to join them, and to end them."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from study_keras.startup import silent

SECONDS_TO_JOIN = 60
HEARTBEAT = 10  # seconds without a sign of life, after which a process on another host counts as dead
SECONDS_TO_END = 10
LOST = 75  # the exit status of a process that has lost the others


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
    if join and (not join.rpartition(":")[0] or not join.rpartition(":")[2].isdecimal()):
        raise click.UsageError(f"--join {join}: expected ADDRESS:PORT, such as 192.0.2.1:4321")
    if process_id is not None and not join:
        raise click.UsageError("--process-id needs --join ADDRESS:PORT, of process 0")
    if join and processes is not None and process_id is not None and process_id >= processes:
        raise click.UsageError(f"--process-id {process_id} of {processes} processes; expected 0 to {processes - 1}")
    if (processes or 1) > batch_size:
        raise click.UsageError(f"--processes {processes} for batches of {batch_size} images; each needs one at least")


def join_others(address: str, processes: int, process_id: int) -> None:
    """Make this process one of ``processes`` that JAX connects, the first of which listens at ``address``.

    Raises:
        ValueError: the others cannot be reached.
    """
    import jax

    threading.Thread(target=_end_with_parent, daemon=True).start()
    _mute_native_code()
    try:
        jax.distributed.initialize(
            address,
            processes,
            process_id,
            initialization_timeout=SECONDS_TO_JOIN,
            heartbeat_timeout_seconds=HEARTBEAT,
        )
        _let_gloo_listen(address)
    except RuntimeError as error:
        raise ValueError(
            f"--join {address}: not all {processes} processes came: {str(error).splitlines()[0]}"
        ) from None


def _let_gloo_listen(address: str) -> None:
    """Let Gloo, which adds up gradients on processors, listen where this host is seen from process 0 at ``address``.

    By itself it listens where the name of the machine leads: on Debian and Ubuntu to the machine itself, which no other
    host can reach. JAX has no setting for it.
    """
    from jax._src import distributed, xla_bridge
    from jax._src.lib import _jax
    from jax.extend.backend import register_backend_factory

    host, port = address.rsplit(":", 1)
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as way:
        way.connect((host.strip("[]"), int(port)))  # sends nothing
        ours = way.getsockname()[0]

    def client() -> Any:
        peers = distributed.global_state.client
        return xla_bridge.make_cpu_client(_jax.make_gloo_tcp_collectives(distributed_client=peers, hostname=ours))

    register_backend_factory("cpu", client, fail_quietly=False)


def agree(number: int) -> int:
    """Return the ``number`` of process 0, in each of the processes."""
    import numpy as np
    from jax.experimental import multihost_utils

    with silent(1):  # on which Gloo tells when it is connected
        return int(multihost_utils.broadcast_one_to_all(np.uint32(number)))


def start_all(
    processes: int, arguments: Sequence[str], go_on: str, *, join: str | None = None, process_id: int | None = None
) -> int:
    """Run ``hello-mnist train`` with ``arguments`` in so many processes; return the exit status of them all.

    One that dies ends the others. With ``join`` and ``process_id`` it is only that one which runs here: JAX ends a
    process that has lost the others by an abort, which nothing but another process can put into words. ``go_on`` is
    what to type after that.

    Raises:
        KeyboardInterrupt: says how to go on.
    """
    numbers = range(processes) if process_id is None else [process_id]
    address = join or free_address()
    command = [sys.executable, "-m", "study_keras.cli", "train", *arguments, "--supervised", "--join", address]
    command += ["--processes", str(processes), "--process-id"]
    running: dict[int, subprocess.Popen[bytes]] = {}
    try:
        for number in numbers:
            to = subprocess.DEVNULL if number and not join else None  # of several here the first one alone speaks
            running[number] = subprocess.Popen(
                [*command, str(number)], stdin=subprocess.PIPE, stdout=to, stderr=to, start_new_session=True
            )  # in a session of its own, so that Ctrl-C reaches this process alone
        while any(status is None for status in (process.poll() for process in running.values())):
            if any(process.returncode for process in running.values()):
                break
            time.sleep(0.1)
        broken = {number: process.returncode for number, process in running.items() if process.returncode}
        return _tell(broken, processes, go_on, alone=bool(join)) if broken else 0
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"stopped; what was finished is kept, go on with: {go_on}") from None
    finally:
        _end(running.values())


def free_address() -> str:
    """Return an address of this machine alone that nothing listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


@contextmanager
def ended_by_others() -> Iterator[None]:
    """End this process at once, without a word, where the training breaks off because another process is gone."""
    try:
        yield
    except RuntimeError as error:  # JAX' own; at a usual exit it would wait for the one that is gone
        if "Gloo" not in str(error) and "coordination" not in str(error).lower():
            raise
        sys.stdout.flush()
        os._exit(LOST)


def _tell(broken: dict[int, int], processes: int, go_on: str, alone: bool) -> int:
    """Say which process ended first and how, unless it has said so itself; return the exit status of all.

    Args:
        broken: the status of each that did not end well: by a signal, which is negative, or by a code.
        alone: whether the others run elsewhere.
    """
    # Of several, one that was killed: the others abort when they notice.
    number = min(broken, key=lambda number: (broken[number] != -signal.SIGKILL, number))
    status = broken[number]
    if status > 0 and status != LOST and (alone or number == 0):
        return status
    how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
    gone = f"process {number} of {processes} {how}; the others are ended. Go on with"
    if alone and status in (LOST, -signal.SIGABRT):
        gone = "another process is gone or cannot be reached; go on in all of them with"
    click.echo(f"Error: {gone}: {go_on}", err=True)
    return 1


def _end(running: Collection[subprocess.Popen[bytes]]) -> None:
    for process in running:
        if process.stdin:
            process.stdin.close()  # which ends one that has joined the others: JAX has taken SIGTERM for itself
        process.terminate()
    deadline = time.monotonic() + SECONDS_TO_END
    for process in running:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _mute_native_code() -> None:
    """Leave the standard error to Python alone: JAX writes its stack there when it has lost another process."""
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _end_with_parent() -> None:
    """Wait for the end of the standard input, which the parent holds open as long as it lives; then end at once."""
    os.read(0, 1)
    os._exit(1)
