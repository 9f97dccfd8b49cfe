"""The command ``data``."""

from pathlib import Path

import click

from study_keras.cli.options import EXISTING, JSON, PATH
from study_keras.cli.shared import display_path, import_keras, print_json, say


@click.command()
@click.argument("path", required=False, type=EXISTING)
@click.option(
    "--output", type=PATH, metavar="FILE", help="Where the samples go.  [default: output/hello_mnist_data.png]"
)
@JSON
def data(path: Path | None, output: Path | None, as_json: bool) -> None:
    """Show the classes, balance and duplicates of a dataset.

    Also shows contradicting labels, the amount of ink, and samples of each class, which are saved as a picture. PATH
    is what --data of the other commands takes; the default is MNIST.

    Example: hello-mnist data path/to/fashion-mnist
    """
    from rich.console import Console

    from study_keras import files
    from study_keras.data import class_names, statistics
    from study_keras.data import dataset as mnist_data

    if output is not None and output.suffix != ".png":
        raise click.BadParameter(f"received {output}, expected a name that ends in .png", param_hint="--output")
    output = files.output_dir() / "hello_mnist_data.png" if output is None else output
    files.ensure_writable_dir(output.parent)
    import_keras()  # needed by the plots
    from study_keras.report import plots, terminal

    dataset = mnist_data.load_data(path)
    names = class_names.find_class_names(path, mnist_data.class_count(dataset))
    found = statistics.describe_data(dataset, names)
    (images, labels), _ = dataset
    picture = plots.save(plots.samples(images, labels, names), output)
    if as_json:
        return print_json({"data": str(path) if path else None, "samples": str(picture), **found})
    console = Console()
    console.print(*terminal.data_tables(found), sep="\n")
    present = [one for one in found["classes"] if one["training"]]
    first = [int((labels == one["label"]).argmax()) for one in present]
    if drawn := terminal.draw_digits(images[first], [one["name"] for one in present], console):
        console.print(drawn)
    return say(f"Samples of each class: {display_path(picture)}")
