"""The verbs that read pictures: ``predict`` and ``serve``."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from study_keras.cli.options import JSON
from study_keras.cli.shared import complain, named


@click.command()
@click.argument("images", metavar="IMAGE...", nargs=-1, required=True)
@click.option(
    "--model", type=click.Path(path_type=Path), metavar="MODEL", help="Any model.  [default: the shipped one]"
)
@click.option("--show", type=click.Path(path_type=Path), metavar="DIR", help="Write each stage as a picture.")
@JSON
def predict(images: tuple[str, ...], model: Path | None, show: Path | None, as_json: bool) -> None:
    """Read the digits in each IMAGE: PNG, JPEG, WebP, BMP or GIF, or - for standard input.

    Several digits are read as a number, line by line. A digit that the network is not certain of has a ? behind it;
    ink that is no digit is not counted. JSON: {"image", "text", "digits": [{"digit", "name", "probability",
    "probabilities", "box", "certain"}]}, in an array where there are several IMAGEs. A picture that cannot be read is
    named on stderr, the others are answered, and the exit code is 1.

    Example: hello-mnist predict photo.jpg --show output/photo
    """
    from study_keras import files
    from study_keras.train import records
    from study_keras.vision import networks, reading

    network, names = networks.load_network(model), records.class_names(model)
    folder = files.writable_dir(show) if show else None
    answers: list[dict[str, Any]] = []
    for number, image in enumerate(images, 1):
        try:
            candidates = _find(image, number, network, folder, names)
        except ValueError as error:
            complain(str(error), 1)
            continue
        answers.append({"image": image, **reading.answer_of(candidates, names)})
        if not as_json:
            for line in reading.lines_of(candidates, names):
                click.echo(f"{image}: {line}")
    if as_json and answers:
        click.echo(json.dumps(answers if len(images) > 1 else answers[0]))
    if len(answers) < len(images):
        raise click.exceptions.Exit(1)


def _find(image: str, number: int, network: Any, folder: Path | None, names: list[str] | None) -> list[Any]:
    from study_keras.vision import reading
    from study_keras.vision.images import read_image

    grey = read_image(sys.stdin.buffer if image == "-" else image)
    with named(Path(image)):
        candidates = reading.find_candidates(grey, network, names)
        if folder:
            from study_keras.vision import stages

            name = "stdin" if image == "-" else Path(image).stem
            stages.save_stages(grey, candidates, folder, f"{number}_{name}", names)
    return candidates


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on; 0.0.0.0 for all.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 for any free one.")
@click.option(
    "--model",
    "models",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="PATH",
    help="A model besides the shipped one; may be repeated, the first is the default.",
)
@click.option("--workers", type=click.IntRange(1, 256), help="Threads that read pictures.  [default: one a processor]")
@click.option("--queue", type=click.IntRange(0), default=64, show_default=True, help="Pictures that may wait for one.")
@click.option(
    "--time-limit",
    type=click.FloatRange(0.01, 3600),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="At most for the head of a request, for its body, for its answer, and for the stop.",
)
def serve(
    *, host: str, port: int, models: tuple[Path, ...], workers: int | None, queue: int, time_limit: float
) -> None:
    """Serve the page that reads your handwriting, and POST /predict, which reads a picture.

    For this computer alone unless --host says otherwise. Ctrl-C stops it. One line on stderr for each request; no
    picture is stored. GET /openapi.json describes it all.

    Example: hello-mnist serve --port 8000
    """
    from study_keras.serve import server

    if not host.startswith(server.LOOPBACK):
        who = "whoever reaches this computer over the network can use the server, and nothing is encrypted"
        click.echo(f"--host {host}: {who}", err=True)
    server.serve(host, port, models, workers=workers, queue=queue, seconds=time_limit, listening=click.echo)
