"""What uvicorn lacks: timeouts for slow clients, and a shutdown that loses no request. All its private names are here.

uvicorn has no timeout for the head of a request or for a client that does not read its response. At shutdown it closes
idle connections at once, even if a request has arrived, and it does not answer a half-closed client.
"""

import asyncio
import ctypes
import json
import socket
import struct
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from study_keras.serve.middleware import HEADERS, log

SO_ATTACH_FILTER = 26  # from Linux' asm-generic/socket.h; Python has no name for it
DROP_SYN = [  # a packet filter, as struct sock_filter of linux/filter.h: code, jump if true, jump if false, operand
    (0x30, 0, 0, 13),  # load the flags of the TCP header
    (0x45, 0, 1, 0x02),  # is SYN set?
    (0x06, 0, 0, 0),  # yes: drop the packet
    (0x06, 0, 0, 0xFFFFFFFF),  # no: keep all of it
]
IDLE_TIMEOUT = 0.3  # seconds for which a server that shuts down still accepts a request on an idle connection


class Connection(H11Protocol):
    """One client's connection."""

    _state: tuple[Any, ...] = ()
    _since = 0.0

    def check(self, now: float, timeout: float) -> None:
        """Close the connection if it has made no progress for ``timeout`` seconds.

        Progress is: the head of a request ends, and the client reads some of its response.
        """
        waiting = self.conn.their_state is h11.IDLE
        partial_head = waiting and bool(self.conn.trailing_data[0])
        unsent = self.transport.get_write_buffer_size()
        state = (self.cycle, waiting, partial_head, unsent)
        if not (partial_head or unsent or (waiting and self.cycle is None)) or state != self._state:
            self._state, self._since = state, now
        elif now - self._since >= timeout:
            if unsent or not partial_head:
                self.transport.abort()
            else:
                self.refuse(408, f"request head timed out after {timeout:g} s; expected it at once: try again")

    def eof_received(self) -> bool:  # type: ignore[override]
        """Answer a half-closed client; return whether the connection stays open for that."""
        if self.cycle is None or self.cycle.response_complete:
            return False
        if self.conn.their_state is h11.SEND_BODY:
            self.send_400_response("")
        self.cycle.keep_alive = False
        return True

    def send_400_response(self, msg: str) -> None:
        """Answer invalid HTTP; overrides uvicorn's plain text."""
        if self.cycle is None or self.cycle.response_complete:
            self.refuse(400, "not a valid HTTP request; expected HTTP/1.1, as curl or a browser sends it")
        else:
            self.cycle.disconnected = True  # ends the wait for the body
            self.cycle.message_event.set()
            self.refuse(400, "the body is truncated, or its chunks are invalid; expected as many bytes as announced")

    def refuse(self, status: int, text: str) -> None:
        """Answer without the application, unless a response has started, and close."""
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            body = json.dumps({"error": text}).encode()
            headers = [*HEADERS, ("content-type", "application/json"), ("content-length", len(body))]
            head = "".join(f"{name}: {value}\r\n" for name, value in [*headers, ("connection", "close")])
            self.transport.write(f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{head}\r\n".encode() + body)
            log("-", "-", status, 0, len(body))
        self.transport.close()

    def shutdown(self) -> None:
        """Announce with the next response that the connection closes; close it soon if there is none.

        uvicorn calls this for each connection when it shuts down, and would close an idle one at once.
        """
        if self.cycle is not None:
            self.cycle.default_headers = self.server_state.default_headers
        self.loop.call_later(IDLE_TIMEOUT, self._close_if_idle)

    def _close_if_idle(self) -> None:
        if self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0]:
            self.transport.close()
        elif self.cycle is not None:
            self.cycle.keep_alive = False


class Server(uvicorn.Server):
    """uvicorn's server, which checks its connections, reports when it listens, and shuts down without losing a request.

    Its config limits the shutdown by ``timeout_graceful_shutdown``.
    """

    def __init__(self, config: uvicorn.Config, timeout: float, on_listening: Callable[[], None]) -> None:
        super().__init__(config)
        self._timeout, self._on_listening = timeout, on_listening

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self._on_listening()

    async def on_tick(self, counter: int) -> bool:
        """Check each connection; uvicorn calls this ten times a second."""
        now = time.monotonic()
        for connection in list(self.server_state.connections):
            connection.check(now, self._timeout)  # type: ignore[union-attr]
        return await super().on_tick(counter)

    async def shutdown(self, sockets: Any = None) -> None:
        """Accept the clients that have already connected, then let uvicorn shut down."""
        for listener in sockets:
            ignore_new_clients(listener)
        await asyncio.sleep(0.02)  # until handshakes that have begun are complete
        clients = [client for listener in sockets for client in accept_all(listener)]
        for server in self.servers:
            server.close()
        self.server_state.default_headers = [*self.server_state.default_headers, (b"connection", b"close")]
        for client in clients:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: Connection(self.config, self.server_state, self.lifespan.state), client
            )
        await asyncio.sleep(0.02)  # until clients that asyncio has just accepted are among the connections
        await super().shutdown(sockets)


def ignore_new_clients(listener: socket.socket) -> None:
    """Let Linux drop the first packet of each new connection; the client repeats it and finds the port closed.

    Without this, a client that connects between the last ``accept`` and the close of the listener is reset.
    """
    if sys.platform == "linux":
        with suppress(OSError):  # a sandbox without packet filters
            program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in DROP_SYN))
            listener.setsockopt(
                socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("@HP", len(DROP_SYN), ctypes.addressof(program))
            )


def accept_all(listener: socket.socket) -> list[socket.socket]:
    """Return all clients in the listener's queue; closing it would reset them, with their requests."""
    clients = []
    with suppress(BlockingIOError):
        while True:
            clients.append(listener.accept()[0])
    return clients
