"""The command ``predict``."""

import sys
from pathlib import Path
from typing import Any

import click

from study_keras.cli.options import JSON, PATH
from study_keras.cli.shared import print_error, print_json, say


@click.command()
@click.argument("images", metavar="IMAGE...", nargs=-1, required=True)
@click.option("--model", type=PATH, metavar="MODEL", help="Model file to read with.  [default: the shipped network]")
@click.option("--show", type=PATH, metavar="DIR", help="Save a picture of each processing step.")
@JSON
def predict(images: tuple[str, ...], model: Path | None, show: Path | None, as_json: bool) -> None:
    """Read the digits in pictures.

    IMAGE is a PNG, JPEG, WebP, BMP or GIF file, or - for standard input. Several digits are read as a number, line by
    line. A ? follows an uncertain digit, or stands for ink in a line that could not be read. A picture that cannot be
    read is reported on standard error, the others are read, and the exit code is 1.

    --json prints {"image", "text", "digits": [{"digit", "name", "probability", "probabilities", "box", "certain"}],
    "unread": [box], "turned": degrees}, or an array of these for several IMAGEs.

    Example: hello-mnist predict photo.jpg --show output/photo
    """
    from study_keras import files
    from study_keras.train import metadata
    from study_keras.vision import classifier, detection, marks, recognize

    network, names = classifier.load_network(model), metadata.load_class_names(model)
    finder = None if names else marks.load_finder()
    folder = files.ensure_writable_dir(show) if show else None
    answers: list[dict[str, Any]] = []
    for number, image in enumerate(images, 1):
        try:
            found = recognize.detect(sys.stdin.buffer if image == "-" else image, network, names, finder)
        except ValueError as error:
            print_error(str(error), 1)
            continue
        if folder:
            from study_keras.vision import debug_images

            debug_images.save_debug_images(found, folder, f"{number}_{'stdin' if image == '-' else Path(image).stem}")
        answers.append({"image": image, **detection.to_dict(found)})
        if not as_json:
            for line in detection.to_text(found):
                say(f"{image}: {line}")
    if as_json and answers:
        print_json(answers if len(images) > 1 else answers[0])
    if len(answers) < len(images):
        raise click.exceptions.Exit(1)
