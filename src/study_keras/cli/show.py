"""The command ``show``."""

from pathlib import Path

import click

from study_keras.cli.options import PATH
from study_keras.cli.shared import import_keras
from study_keras.plain_text import printable


@click.command()
@click.argument("model", type=PATH)
def show(model: Path) -> None:
    """Show the layers or the weights in a model file.

    MODEL is a whole model, a structure, weights or a SavedModel, of Keras 3 or Keras 2.

    Example: hello-mnist show output/hello_mnist.keras
    """
    import_keras()
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from study_keras import formats
    from study_keras.formats.convert import stored_weights
    from study_keras.report import terminal

    console = Console()
    if "structure" in formats.detect(model).keeps:
        return terminal.print_summary(formats.load(model), console)
    table = Table("weight", "shape", title=Text(printable(model)), title_justify="left")
    for name, shape in stored_weights(model):
        table.add_row(Text(printable(name)), str(shape))
    return console.print(table)
