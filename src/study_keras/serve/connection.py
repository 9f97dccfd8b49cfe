"""uvicorn's server with what it lacks: limits for slow heads and slow readers, and a stop that loses nothing.

uvicorn waits for the head of a request as long as it takes, and at its stop closes every connection that is idle in
that instant, with a request in the socket or not. Its signals end the process by the signal, not with exit code 0.
"""

import asyncio
import json
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from study_keras.serve.middleware import HEADERS, log

IDLE = 0.3  # seconds for which a stopping server still listens on connections that are between two requests


class Connection(H11Protocol):
    """One client's connection, which ``check`` cuts off where the client is too slow."""

    _state: tuple[Any, ...] = ()
    _since = 0.0

    @property
    def idle(self) -> bool:
        """Whether no request is under way, nor the first bytes of one."""
        return self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0]

    def check(self, now: float, seconds: float) -> None:
        """Cut the client off where it has kept the server waiting for ``seconds``.

        It does where it has connected, or begun a request, and its head does not end; where it has been answered and
        goes on with a body that nobody reads; and where it takes none of what it is sent.
        """
        first = self.cycle is None
        answered = self.conn.our_state in (h11.DONE, h11.MUST_CLOSE) and self.conn.their_state is h11.SEND_BODY
        head = self.conn.their_state is h11.IDLE and (first or not self.idle)
        unsent = self.transport.get_write_buffer_size()
        state = (self.cycle, head, answered, unsent)
        if not (head or answered or unsent) or state != self._state:
            self._state, self._since = state, now
        elif now - self._since >= seconds:
            if head and not unsent and not self.idle:
                self.refuse(408, f"the head of a request took more than {seconds:g} s; expected it at once: try again")
            self.transport.abort() if unsent else self.transport.close()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Still answer a client that has said all it will say; tell whether to keep the connection for that."""
        if self.cycle is None or self.cycle.response_complete:
            return False
        if self.conn.their_state is h11.SEND_BODY:
            self.send_400_response("")
        self.cycle.keep_alive = False
        return True

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP. The name is uvicorn's."""
        if self.cycle is None or self.cycle.response_complete:
            self.refuse(400, "no valid HTTP request; expected HTTP/1.1, such as curl or a browser sends")
        else:  # whoever waits for the body is told that there is no more
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            self.refuse(400, "the body is cut off, or in broken chunks; expected as many bytes as announced")

    def refuse(self, status: int, text: str) -> None:
        """Answer and close, without the application."""
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            body = json.dumps({"error": text}).encode()
            reason = {400: "Bad Request", 408: "Request Timeout"}[status]
            given = [*HEADERS, ("content-type", "application/json"), ("connection", "close")]
            head = "".join(f"{name}: {value}\r\n" for name, value in given)
            self.transport.write(f"HTTP/1.1 {status} {reason}\r\n{head}content-length: {len(body)}\r\n\r\n".encode())
            self.transport.write(body)
            log("-", "-", status, 0, len(body))
        self.transport.close()


class Server(uvicorn.Server):
    """uvicorn's server, which checks its connections, says when it listens, and stops without losing a request."""

    def __init__(self, config: uvicorn.Config, seconds: float, listening: Callable[[], None]) -> None:
        super().__init__(config)
        self._seconds, self._listening = seconds, listening

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self._listening()

    async def on_tick(self, counter: int) -> bool:
        """Check each connection; uvicorn calls this ten times a second."""
        now = time.monotonic()
        for connection in self._connections():
            connection.check(now, self._seconds)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: Any = None) -> None:
        """Answer what has been sent, saying that the connection closes with it, for at most the time limit.

        A second Ctrl-C ends the wait.
        """
        taken = [client for listener in sockets for client in accept_all(listener)]
        for server in self.servers:
            server.close()
        loop = asyncio.get_running_loop()
        for client in taken:
            await loop.connect_accepted_socket(
                lambda: Connection(self.config, self.server_state, self.lifespan.state), client
            )
        self._say_close()
        stopped = time.monotonic()
        await asyncio.sleep(0.02)  # a client that has just been accepted is not among the connections yet
        while self.server_state.connections and not self.force_exit:
            now = time.monotonic()
            for connection in self._connections():
                if now - stopped >= self._seconds:
                    connection.transport.abort()
                elif connection.idle and now - stopped >= IDLE:
                    connection.transport.close()
                else:
                    connection.check(now, self._seconds)
            await asyncio.sleep(0.02)

    def _say_close(self) -> None:
        """Have uvicorn put ``Connection: close`` on every response that has not begun."""
        close = (b"connection", b"close")
        kept = [header for header in self.server_state.default_headers if header != close]
        self.server_state.default_headers = [*kept, close]
        for connection in self._connections():
            if connection.cycle is not None:
                connection.cycle.default_headers = self.server_state.default_headers

    def _connections(self) -> list[Connection]:
        return cast(list[Connection], list(self.server_state.connections))


def accept_all(listener: socket.socket) -> list[socket.socket]:
    """Return whoever has connected: closing the listener now would turn them away, with their requests."""
    clients = []
    with suppress(BlockingIOError):
        while True:
            clients.append(listener.accept()[0])
    return clients
