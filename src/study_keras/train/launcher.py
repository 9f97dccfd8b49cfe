"""Training in several processes, on one host or several: start them, join them, end them.

All private names of JAX are in this file; ``pyproject.toml`` bounds its version.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from study_keras.startup import silent

SECONDS_TO_JOIN = 60
HEARTBEAT = 10  # seconds without a sign of life, after which a process on another host counts as dead
SECONDS_TO_END = 10
LOST = 75  # the exit status of a process that has lost the others


@dataclass(frozen=True)
class Group:
    """The processes that train together, as the options of ``hello-mnist train`` or Keras' variables name them.

    Attributes:
        processes: how many there are; None for an ordinary training.
        join: ``ADDRESS:PORT``, where process 0 listens; None to start all of them on this machine.
        process_id: which of them this is, from 0, with ``join``.
        supervised: whether a parent process started this one and holds its standard input open.
    """

    processes: int | None = None
    join: str | None = None
    process_id: int | None = None
    supervised: bool = False

    @property
    def first(self) -> bool:
        """Whether this process writes files and prints."""
        return not self.process_id

    @property
    def to_launch(self) -> bool:
        """Whether this process starts others, and trains nothing itself."""
        return bool(self.processes and (self.processes > 1 or self.join) and not self.supervised)

    def check(self, batch_size: int) -> None:
        """Refuse options that do not go together.

        Raises:
            ValueError: says what is missing or too much.
        """
        processes, join, process_id = self.processes, self.join, self.process_id
        if os.environ.get("KERAS_BACKEND", "jax") != "jax" and (processes or 1) > 1:
            raise ValueError(
                f"--processes needs the jax backend, but KERAS_BACKEND is {os.environ['KERAS_BACKEND']}; "
                "unset it and choose a recipe of a dense network, or set KERAS_BACKEND=jax"
            )
        if join and (processes is None or process_id is None):
            raise ValueError("--join needs --processes N and --process-id K, from 0 to N - 1")
        if join and (not join.rpartition(":")[0] or not join.rpartition(":")[2].isdecimal()):
            raise ValueError(f"--join {join}: expected ADDRESS:PORT, such as 192.0.2.1:4321")
        if process_id is not None and not join:
            raise ValueError("--process-id needs --join ADDRESS:PORT, of process 0")
        if join and processes is not None and process_id is not None and process_id >= processes:
            raise ValueError(f"--process-id {process_id} of {processes} processes; expected 0 to {processes - 1}")
        if (processes or 1) > batch_size:
            raise ValueError(
                f"--processes {processes} is more than the batch size, {batch_size}; expected at most that"
            )


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
            f"--join {address}: timed out waiting for {processes} processes to join: {str(error).splitlines()[0]}"
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


def start_all(group: Group, arguments: Sequence[str], go_on: str) -> int:
    """Run ``hello-mnist train`` with ``arguments`` in the processes of ``group``; return their common exit status.

    A process that dies ends the others. With ``group.join`` only ``group.process_id`` is started here: JAX aborts a
    process that has lost the others, and only a parent process can report that.

    Args:
        group: with ``processes``.
        arguments: the options of the command, without those of the group.
        go_on: the command that resumes the training, for the error message.

    Raises:
        KeyboardInterrupt: says how to go on.
    """
    processes, join = group.processes or 1, group.join
    numbers = range(processes) if group.process_id is None else [group.process_id]
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
        return _tell(broken, processes, go_on, elsewhere=bool(join)) if broken else 0
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


def _tell(broken: dict[int, int], processes: int, go_on: str, elsewhere: bool) -> int:
    """Say which process ended first and how, unless it has said so itself; return the exit status of all.

    Args:
        broken: the status of each that did not end well: by a signal, which is negative, or by a code.
        elsewhere: whether the other processes run on other hosts.
    """
    # Of several, one that was killed: the others abort when they notice.
    number = min(broken, key=lambda number: (broken[number] != -signal.SIGKILL, number))
    status = broken[number]
    if status > 0 and status != LOST and (elsewhere or number == 0):
        return status
    how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
    gone = f"process {number} of {processes} {how}; the others are ended. Go on with"
    if elsewhere and status in (LOST, -signal.SIGABRT):
        gone = "another process is gone or cannot be reached; go on in all of them with"
    sys.stderr.write(f"Error: {gone}: {go_on}\n")
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
