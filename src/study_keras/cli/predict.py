"""The command ``predict``."""

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
    "--model",
    type=click.Path(path_type=Path),
    metavar="MODEL",
    help="Model file to read with.  [default: the shipped network]",
)
@click.option("--show", type=click.Path(path_type=Path), metavar="DIR", help="Save a picture of each processing step.")
@JSON
def predict(images: tuple[str, ...], model: Path | None, show: Path | None, as_json: bool) -> None:
    """Read the digits in pictures.

    IMAGE is a PNG, JPEG, WebP, BMP or GIF file, or - for standard input. Several digits are read as a number, line by
    line. A ? follows a digit that the network is not certain of; ink that is no digit is left out. A picture that
    cannot be read is reported on standard error, the others are read, and the exit code is 1.

    --json prints {"image", "text", "digits": [{"digit", "name", "probability", "probabilities", "box", "certain"}]},
    or an array of these for several IMAGEs.

    Example: hello-mnist predict photo.jpg --show output/photo
    """
    from study_keras import files
    from study_keras.train import metadata
    from study_keras.vision import classifier, recognize

    network, names = classifier.load_network(model), metadata.class_names(model)
    folder = files.writable_dir(show) if show else None
    answers: list[dict[str, Any]] = []
    for number, image in enumerate(images, 1):
        try:
            candidates = _find(image, number, network, folder, names)
        except ValueError as error:
            complain(str(error), 1)
            continue
        answers.append({"image": image, **recognize.answer_of(candidates, names)})
        if not as_json:
            for line in recognize.lines_of(candidates, names):
                click.echo(f"{image}: {line}")
    if as_json and answers:
        click.echo(json.dumps(answers if len(images) > 1 else answers[0]))
    if len(answers) < len(images):
        raise click.exceptions.Exit(1)


def _find(image: str, number: int, network: Any, folder: Path | None, names: list[str] | None) -> list[Any]:
    from study_keras.vision import recognize
    from study_keras.vision.prepare import read_image

    grey = read_image(sys.stdin.buffer if image == "-" else image)
    with named(Path(image)):
        candidates = recognize.find_candidates(grey, network, names)
        if folder:
            from study_keras.vision import debug_images

            name = "stdin" if image == "-" else Path(image).stem
            debug_images.save_stages(grey, candidates, folder, f"{number}_{name}", names)
    return candidates
