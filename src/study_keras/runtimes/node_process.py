"""A Node process that answers requests, a line of JSON each."""

import json
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import IO, Any, Self, cast

from study_keras.processes import child


class NodeProcess:
    """A Node process that runs models, one request at a time; it ends with this object.

    Args:
        command: Node, and a script of the folder ``page/runtimes``, which says what it can be asked for.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def ask_again(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the reply to a request; after an error that of a new process, since wasm may be out of memory.

        Raises:
            ValueError: Node itself failed.
        """
        with self._lock:
            fresh = self._process is None
            reply = self._ask(request)
            if "error" in reply and not fresh:
                self.close()
                reply = self._ask(request)
            if "error" in reply:
                self.close()
        return reply

    def close(self) -> None:
        """End the process."""
        process, self._process = getattr(self, "_process", None), None
        if process:
            self._ending.close()

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        if self._process is None:
            self._ending = ExitStack()
            errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
            self._errors = self._ending.enter_context(errors)
            self._process = self._ending.enter_context(
                child(self._command, seconds=0, stdout=subprocess.PIPE, stderr=self._errors, encoding="utf-8")
            )
            self._stdin, self._stdout = cast(IO[str], self._process.stdin), cast(IO[str], self._process.stdout)
        with suppress(BrokenPipeError):  # the standard error says why
            self._stdin.write(json.dumps(request) + "\n")
            self._stdin.flush()
        for line in self._stdout:  # TF.js greets there, too
            if line.startswith("{"):
                return json.loads(line)
        self._errors.seek(0)
        text = self._errors.read().strip()[-500:]
        self.close()
        raise ValueError(f"Node failed: {text}")
