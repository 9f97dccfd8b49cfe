"""Reading a request's body: within a limit for each, within one budget for all, and in time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import HTTPException, Request
from starlette.requests import ClientDisconnect

CURL = "curl --data-binary @digit.png http://127.0.0.1:8000/predict"


class BodyReader:
    """Reads bodies, of which all connections together hold at most a number of bytes in memory.

    Args:
        max_bytes: maximum size of one body.
        max_total_bytes: maximum size of all bodies that are being read or are waiting for their answer.
        timeout: seconds for one body; a client that is slower gives its share back.
    """

    def __init__(self, max_bytes: int, max_total_bytes: int, timeout: float) -> None:
        self.max_bytes, self.timeout = max_bytes, timeout
        self.free = max_total_bytes

    @asynccontextmanager
    async def read(self, request: Request) -> AsyncIterator[bytearray]:
        """Read a body, and yield it; its share of the budget is taken until the block ends.

        The share is its Content-Length, taken before the first byte is read. A body of chunks takes its share as it
        grows.

        Raises:
            HTTPException: 400 empty, 408 too slow, 413 too large, 415 compressed, 503 no share is free.
        """
        if request.headers.get("content-encoding", "identity") != "identity":
            raise HTTPException(415, "a compressed body (Content-Encoding); expected the picture itself")
        share, body = _Share(self), bytearray()
        try:
            share.grow(int(request.headers.get("content-length", 0)))
            await self._receive(request, share, body)
            if not body:
                raise HTTPException(400, f"an empty body; expected a picture: {CURL}")
            yield body
        finally:
            body.clear()  # an error holds on to it until the client has the answer
            self.free += share.size

    async def _receive(self, request: Request, share: "_Share", body: bytearray) -> None:
        try:
            async with asyncio.timeout(self.timeout):
                async for part in request.stream():
                    share.grow(len(body) + len(part))
                    body += part
        except TimeoutError:
            found = f"request body timed out after {self.timeout:g} s and {len(body):,} bytes"
            raise HTTPException(408, f"{found}; expected all of it: send it again") from None
        except ClientDisconnect:
            found = f"the body ended after {len(body):,} bytes"
            raise HTTPException(400, f"{found}; expected the complete picture") from None


class _Share:
    """What one body has taken of the budget."""

    def __init__(self, reader: BodyReader) -> None:
        self.reader = reader
        self.size = 0

    def grow(self, size: int) -> None:
        """Take as much as a body of ``size`` bytes needs."""
        reader, more = self.reader, max(0, size - self.size)
        if size > reader.max_bytes:
            limit = f"{reader.max_bytes:,} bytes"
            raise HTTPException(413, f"a body over {limit}; expected at most that: make the picture smaller")
        if more > reader.free:
            text = "server busy: it holds as many pictures as fit into its memory; expected fewer at once"
            raise HTTPException(503, f"{text}: retry after 1 s", {"Retry-After": "1"})
        reader.free -= more
        self.size += more
