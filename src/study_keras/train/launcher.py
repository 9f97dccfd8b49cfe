"""Training in several processes, on one host or several: starting, joining and ending them.

All private names of JAX that the package uses are in this file; ``pyproject.toml`` bounds JAX' version.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from study_keras import processes as child_processes
from study_keras import stopping
from study_keras.startup import silence_output

SECONDS_TO_JOIN = 60
HEARTBEAT = 10  # seconds without a heartbeat after which a process on another host counts as dead
SECONDS_TO_END = 10
EXPOSED = "anyone who can reach the ports of this training can end it or change its numbers; use a private network"
RESUME_MESSAGE = "stopped; finished epochs are saved, resume with: {}"
OTHERS_LOST = 75  # the exit status of a process that lost the connection to the others


@dataclass(frozen=True)
class Group:
    """The processes of one training, as given by the options of ``hello-mnist train`` or Keras' variables.

    Attributes:
        processes: how many; None for a training without other processes.
        join: ``ADDRESS:PORT`` where process 0 listens; None to start all of them on this host.
        process_id: the number of this process, from 0, with ``join``.
        supervised: whether a parent process started this one and keeps its standard input open.
    """

    processes: int | None = None
    join: str | None = None
    process_id: int | None = None
    supervised: bool = False

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes files and prints."""
        return not self.process_id

    @property
    def to_launch(self) -> bool:
        """Whether this process only starts others, and does not train itself."""
        return bool(self.processes and (self.processes > 1 or self.join) and not self.supervised)

    @property
    def exposed(self) -> bool:
        """Whether the processes listen on a network."""
        return self.join is not None and not self.join.strip("[").startswith(("127.", "::1", "localhost"))

    def check(self, batch_size: int) -> None:
        """Check that the options are consistent.

        Raises:
            ValueError: an option is missing or out of range.
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


def join_processes(address: str, processes: int, process_id: int) -> None:
    """Connect this process to the others with JAX; process 0 listens at ``address``.

    Raises:
        ValueError: the other processes cannot be reached.
    """
    import jax

    child_processes.end_with_parent()
    _silence_native_stderr()
    try:
        jax.distributed.initialize(
            address,
            processes,
            process_id,
            initialization_timeout=SECONDS_TO_JOIN,
            heartbeat_timeout_seconds=HEARTBEAT,
            coordinator_bind_address=address if process_id == 0 else None,  # by default it listens on all interfaces
        )
        _set_gloo_interface(address)
    except RuntimeError as error:
        raise ValueError(
            f"--join {address}: timed out waiting for {processes} processes to join: {str(error).splitlines()[0]}"
        ) from None


def _set_gloo_interface(address: str) -> None:
    """Make Gloo, which adds up gradients on CPUs, listen on the interface that connects to process 0 at ``address``.

    By default it listens at the address of the host name, which on Debian and Ubuntu is a loopback address that other
    hosts cannot reach. JAX has no setting for it.
    """
    from jax._src import distributed, xla_bridge
    from jax._src.lib import _jax
    from jax.extend.backend import register_backend_factory

    host, port = address.rsplit(":", 1)
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((host.strip("[]"), int(port)))  # sends nothing
        own_address = probe.getsockname()[0]

    def client() -> Any:
        collectives = _jax.make_gloo_tcp_collectives(
            distributed_client=distributed.global_state.client, hostname=own_address
        )
        return xla_bridge.make_cpu_client(collectives)

    register_backend_factory("cpu", client, fail_quietly=False)


def broadcast(number: int) -> int:
    """Return the ``number`` of process 0 in every process."""
    import numpy as np
    from jax.experimental import multihost_utils

    with silence_output(1):  # Gloo prints when it is connected
        return int(multihost_utils.broadcast_one_to_all(np.uint32(number)))


def launch(group: Group, arguments: Sequence[str], resume_command: str) -> int:
    """Run ``hello-mnist train`` with ``arguments`` in the processes of ``group``; return the exit status.

    If one process fails, the others are ended. With ``group.join`` only ``group.process_id`` is started here: JAX
    aborts a process that lost the others, and only a parent process can report that.

    Args:
        group: with ``processes``.
        arguments: the options of the command, without those of the group.
        resume_command: for the error message.

    Raises:
        KeyboardInterrupt: with a message how to resume.
    """
    processes, join = group.processes or 1, group.join
    numbers = range(processes) if group.process_id is None else [group.process_id]
    address = join or free_address()
    command = [sys.executable, "-m", "study_keras.cli", "train", *arguments, "--supervised", "--join", address]
    command += ["--processes", str(processes), "--process-id"]
    running: dict[int, subprocess.Popen[bytes]] = {}
    with _ended_at_last(running, RESUME_MESSAGE.format(resume_command)):
        for number in numbers:
            output = subprocess.DEVNULL if number and not join else None  # on one host only process 0 prints
            running[number] = subprocess.Popen(
                [*command, str(number)], stdin=subprocess.PIPE, stdout=output, stderr=output, start_new_session=True
            )  # in a separate session, so that Ctrl-C only reaches this process
        while any(status is None for status in (process.poll() for process in running.values())):
            if any(process.returncode for process in running.values()):
                break
            time.sleep(0.1)
        failed = {number: process.returncode for number, process in running.items() if process.returncode}
        return _report(failed, processes, resume_command, several_hosts=bool(join)) if failed else 0


@contextmanager
def _ended_at_last(running: Mapping[int, subprocess.Popen[bytes]], message: str) -> Iterator[None]:
    """End the processes after the block, also if a signal ends this one, which then says ``message``."""
    with stopping.stop_message(message), stopping.on_stop(lambda: child_processes.end([*running.values()])):
        try:
            yield
        finally:
            _terminate(running.values())


def free_address() -> str:
    """Return a loopback address with a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


@contextmanager
def exit_if_others_are_lost() -> Iterator[None]:
    """Exit at once, without a message, if the training fails because another process is gone."""
    try:
        yield
    except RuntimeError as error:  # raised by JAX, which would wait for the lost process at a normal exit
        if "Gloo" not in str(error) and "coordination" not in str(error).lower():
            raise
        sys.stdout.flush()
        os._exit(OTHERS_LOST)


def _report(failed: dict[int, int], processes: int, resume_command: str, several_hosts: bool) -> int:
    """Print which process failed first, unless it has printed its own error; return the exit status.

    Args:
        failed: the exit status of each failed process; negative for a signal.
        several_hosts: whether the other processes run on other hosts.
    """
    # Prefer a process that was killed: the others abort as a consequence.
    number = min(failed, key=lambda number: (failed[number] != -signal.SIGKILL, number))
    status = failed[number]
    if status > 0 and status != OTHERS_LOST and (several_hosts or number == 0):
        return status
    how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
    message = f"process {number} of {processes} {how}; the others were ended. Resume with"
    if several_hosts and status in (OTHERS_LOST, -signal.SIGABRT):
        message = "another process is gone or cannot be reached; resume all processes with"
    sys.stderr.write(f"Error: {message}: {resume_command}\n")
    return 1


def _terminate(running: Collection[subprocess.Popen[bytes]]) -> None:
    for process in running:
        if process.stdin:
            process.stdin.close()  # ends a joined process, in which JAX handles SIGTERM
        process.terminate()
    deadline = time.monotonic() + SECONDS_TO_END
    for process in running:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _silence_native_stderr() -> None:
    """Let only Python write to standard error: JAX writes a stack trace there when another process is lost."""
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
