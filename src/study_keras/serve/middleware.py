"""The middleware: refuses requests from other sites' pages, logs one line per request, hides internal errors."""

import asyncio
import sys
import time
import traceback
from contextlib import suppress
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from study_keras.plain_text import printable

LINGER = 2.0  # seconds for which the rest of a refused body is read: closing at once could reset the answer
LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")  # names under which a browser reaches its own computer
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; media-src 'self' blob:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
HEADERS = [  # on every response
    ("content-security-policy", CONTENT_POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("permissions-policy", "camera=(self)"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
]


def log(method: str, path: str, status: int, seconds: float, size: int) -> None:
    """Write one line to standard error, without the picture, the client's address and the query string.

    Args:
        path: as received; shortened to 200.
        size: bytes of the response body.
    """
    with suppress(OSError, ValueError):  # standard error is closed; the server goes on
        sys.stderr.write(f"{printable(method)} {printable(path[:200])} {status} {seconds * 1000:.1f} ms {size} bytes\n")


def guard(app: ASGIApp, *, local: bool) -> ASGIApp:
    """Wrap ``app`` in the middleware.

    Args:
        local: whether only clients on this computer are served. Then only ``LOCAL_HOSTS`` are accepted as names of the
            server: another site could point its own name here (DNS rebinding).
    """

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        exchange = _Exchange(scope, receive, send)
        try:
            if reason := cross_site(scope, local):
                await JSONResponse({"error": reason}, 403)(scope, exchange.receive, exchange.send)
            else:
                method = "GET" if scope["method"] == "HEAD" else scope["method"]  # uvicorn omits the body
                await app({**scope, "method": method}, exchange.receive, exchange.send)
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            sys.stderr.write(f"internal error: {type(error).__name__} in {place.filename}:{place.lineno}\n")
            if not exchange.status:
                text = "internal error; the server's log says where"
                await JSONResponse({"error": text}, 500)(scope, exchange.receive, exchange.send)
        finally:
            exchange.log()

    return guarded


def cross_site(scope: Scope, local: bool) -> str:
    """Return why a request may come from a page of another site, or "" if it does not."""
    headers = Headers(scope=scope)
    host, origin = headers.get("host", ""), headers.get("origin")
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    if local and host and name.lower() not in LOCAL_HOSTS:
        return f"the request names the host {host!r}; expected {', '.join(LOCAL_HOSTS)}: serve others with --host"
    if scope["method"] in ("GET", "HEAD", "OPTIONS"):
        return ""  # a browser does not show the answers to other sites' pages
    if origin is not None and origin.split("://")[-1].lower() != host.lower():
        return f"a page of {origin!r} sent this to {host!r}; expected the server's own page, or no Origin"
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        return "a page of another site sent this; expected the server's own page"
    return ""


class _Exchange:
    """Wraps the messages of one request and its response."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._started = time.perf_counter()
        headers = dict(scope["headers"])
        self._unread = b"transfer-encoding" in headers or headers.get(b"content-length", b"0").strip(b"0") != b""
        self._waits = headers.get(b"expect", b"").lower() == b"100-continue"  # and sends the body only when asked to
        self.status = self._size = 0

    async def receive(self) -> Message:
        self._waits = False
        message = await self._receive()
        self._unread = self._unread and message["type"] == "http.request" and message["more_body"]
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self._unread:
                message["headers"] = [*message["headers"], (b"connection", b"close")]
        elif message["type"] == "http.response.body":
            self._size += len(message.get("body", b"")) if self._scope["method"] != "HEAD" else 0
            if self._unread and not message.get("more_body"):
                await self._send({**message, "more_body": True})
                await self._linger()
                message = {"type": "http.response.body", "body": b""}
        await self._send(message)

    async def _linger(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER):
                while self._unread and not self._waits:
                    await self.receive()

    def log(self) -> None:
        path: Any = self._scope["raw_path"]
        seconds = time.perf_counter() - self._started
        log(self._scope["method"], path.decode("ascii", "replace"), self.status, seconds, self._size)
