"""``hello-mnist serve``: the page, and an answer to every picture that is sent. FastAPI and uvicorn."""

import os
import signal
import socket
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from study_keras.page import FOLDER
from study_keras.serve.app import create_app
from study_keras.serve.connection import Connection, Server
from study_keras.serve.middleware import HEADERS, guard
from study_keras.serve.model_store import load_models
from study_keras.serve.static_files import read_site
from study_keras.serve.workers import WorkerPool

PAGE = FOLDER / "dist"
LOOPBACK = ("127.", "::1", "localhost")


def serve(
    host: str = "127.0.0.1",
    port: int = 8000,
    models: Sequence[str | Path] = (),
    *,
    workers: int | None = None,
    queue: int = 64,
    seconds: float = 10.0,
    body_limit: int = 10_000_000,
    page: str | Path = PAGE,
    listening: Callable[[str], None] = lambda url: None,
) -> None:
    """Serve until SIGTERM or SIGINT, then answer what has been sent and return.

    Args:
        host: the address to listen on; the default is reached from this computer alone.
        port: 0 for any that is free.
        models: paths of models besides the shipped one; the first is the default then.
        workers: threads that read pictures; one for each processor by default.
        queue: how many pictures may wait for a thread.
        seconds: at most for the head of a request, for its body, for its answer, and for the stop.
        body_limit: the most bytes of a body.
        page: the folder of the built page.
        listening: is told the server's address once it answers there.

    Raises:
        ValueError: the address is taken or none of this computer's, or a model cannot be read.
    """
    with ExitStack() as stack:
        listener = stack.enter_context(_listen(host, port))
        with tempfile.TemporaryDirectory(prefix="hello-mnist-") as temporary:  # the files are kept in memory
            shelf = load_models([Path(model) for model in models], workers or os.cpu_count() or 1, Path(temporary))
        pool = WorkerPool(shelf.networks, queue, seconds, shelf.classes)
        stack.callback(pool.close)
        files = {**shelf.files, **read_site(Path(page))}
        names = list(shelf.networks)
        app = create_app(pool, names, shelf.offers, files, body_limit=body_limit, seconds=seconds)
        _run(guard(app, home=host.startswith(LOOPBACK)), listener, seconds, listening)


def _run(app: ASGIApp, listener: socket.socket, seconds: float, listening: Callable[[str], None]) -> None:
    config = uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",  # `guard` writes the lines
        access_log=False,
        server_header=False,
        proxy_headers=False,
        headers=HEADERS,
    )
    for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn repeats a signal when it is done; that is to be no more
        signal.signal(number, lambda *_: None)
    Server(config, seconds, lambda: listening(_url(listener))).run([listener])


def _listen(host: str, port: int) -> socket.socket:
    """Take the address.

    Raises:
        ValueError: it is taken, or none of this computer's.
    """
    try:
        family, _, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        # asyncio turns Nagle's delay of 40 ms off only where the protocol is named.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(where)
            listener.listen(1024)
        except OSError:
            listener.close()
            raise
        return listener
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)
        raise ValueError(
            f"cannot listen on {host} port {port}: {reason}; expected a free port and an address of this computer: "
            "stop what listens there, or let the system choose with --port 0"
        ) from error


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
