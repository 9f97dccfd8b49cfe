"""The command ``serve``."""

import signal
from pathlib import Path

import click

from study_keras.cli.options import EXISTING
from study_keras.cli.shared import say


@click.command()
@click.option("--host", default="127.0.0.1", help="Address to listen on; 0.0.0.0 for all interfaces.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, help="Port to listen on; 0 for a free one.")
@click.option(
    "--model",
    "models",
    multiple=True,
    type=EXISTING,
    metavar="PATH",
    help="Additional model; may be repeated, the first is the default.",
)
@click.option("--workers", type=click.IntRange(1, 256), help="Threads that recognize pictures.  [default: one per CPU]")
@click.option(
    "--queue", type=click.IntRange(0), default=64, show_default=True, help="Pictures that may wait for a thread."
)
@click.option(
    "--time-limit",
    type=click.FloatRange(0.01, 3600),
    default=10.0,
    metavar="SECONDS",
    help="Timeout of a request's header, its body, its response, and of the shutdown.",
)
def serve(
    *, host: str, port: int, models: tuple[Path, ...], workers: int | None, queue: int, time_limit: float
) -> None:
    """Serve the drawing page and POST /predict.

    Accepts only clients on this computer, unless --host says otherwise; Ctrl-C stops it. Logs one line per request to
    standard error, and stores no picture. GET /openapi.json describes the API.

    Example: hello-mnist serve --port 8000
    """
    from study_keras.serve import server

    if not host.startswith(server.LOOPBACK):
        text = "anyone who can reach this computer over the network can use the server, unencrypted"
        say(f"--host {host}: {text}", err=True)
    ended = server.serve(host, port, models, workers=workers, queue=queue, timeout=time_limit, on_listening=say)
    if ended == signal.SIGINT:
        raise KeyboardInterrupt  # with the exit code of Ctrl-C; SIGTERM is the regular end of a service
