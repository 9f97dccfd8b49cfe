"""``hello-mnist serve``: the page, and the HTTP API that recognizes pictures. Needs FastAPI and uvicorn."""

import os
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from study_keras.files import temporary_folder
from study_keras.page import FOLDER
from study_keras.serve.app import create_app
from study_keras.serve.connection import Connection, Server
from study_keras.serve.middleware import HEADERS, guard
from study_keras.serve.model_store import load_models
from study_keras.serve.request_body import BodyReader
from study_keras.serve.static_files import read_file, read_site
from study_keras.serve.training_images import MNIST
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
    timeout: float = 10.0,
    max_body_bytes: int = 10_000_000,
    max_total_bytes: int = 256_000_000,
    page: str | Path = PAGE,
    on_listening: Callable[[str], None] = lambda url: None,
) -> int:
    """Serve until SIGTERM or SIGINT, then answer the requests that have arrived, and return the signal's number.

    Args:
        host: the address to listen on; the default accepts only clients on this computer.
        port: 0 for any free port.
        models: paths of models besides the shipped one; the first becomes the default.
        workers: number of threads that recognize pictures; by default one for each processor.
        queue: how many pictures may wait for a thread.
        timeout: seconds for the head of a request, for its body, for its answer, and for the shutdown.
        max_body_bytes: maximum size of a request body.
        max_total_bytes: maximum size of the bodies of all requests at a time.
        page: the folder of the built page.
        on_listening: called with the server's URL when it accepts connections.

    Raises:
        ValueError: the address is in use or not of this computer, or a model cannot be read.
    """
    with ExitStack() as stack:
        listener = stack.enter_context(_listen(host, port))
        with temporary_folder() as temporary:  # its files are read into memory
            shelf = load_models([Path(model) for model in models], workers or os.cpu_count() or 1, temporary)
        pool = WorkerPool(shelf.networks, queue, timeout, shelf.classes)
        stack.callback(pool.close)
        files = {**shelf.files, "/mnist.npz": read_file(MNIST), **read_site(Path(page))}
        bodies = BodyReader(max_body_bytes, max_total_bytes, timeout)
        app = create_app(pool, list(shelf.networks), shelf.offers, files, bodies=bodies)
        return _run(guard(app, local=host.startswith(LOOPBACK)), listener, timeout, on_listening)


def _run(app: ASGIApp, listener: socket.socket, timeout: float, on_listening: Callable[[str], None]) -> int:
    config = uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",  # `guard` writes the log
        access_log=False,
        server_header=False,
        proxy_headers=False,
        headers=HEADERS,
        timeout_graceful_shutdown=timeout,  # type: ignore[arg-type]  # a float works
    )
    received: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises it again after the shutdown
        signal.signal(number, lambda number, _: received.append(number))
    Server(config, timeout, lambda: on_listening(_url(listener))).run([listener])
    return received[0]


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on the address.

    Raises:
        ValueError: it is in use, or not an address of this computer.
    """
    try:
        family, _, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        # asyncio disables Nagle's algorithm, a delay of 40 ms, only if the protocol is given.
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
            "stop the program that listens there, or let the system choose a port with --port 0"
        ) from error


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
