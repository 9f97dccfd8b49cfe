"""The command ``evaluate``."""

from pathlib import Path

import click

from study_keras.cli.options import DATA, EXISTING, JSON
from study_keras.cli.shared import import_keras, prefix_errors, print_json, result_table


@click.command()
@click.argument("model", type=EXISTING)
@DATA
@JSON
def evaluate(model: Path, data: Path | None, as_json: bool) -> None:
    """Measure a model on the test images.

    MODEL is a file of any format that holds a whole model; it runs in its own runtime.

    Example: hello-mnist evaluate output/hello_mnist.keras
    """
    import_keras()
    from study_keras.data import dataset as mnist_data
    from study_keras.report import evaluation
    from study_keras.vision.classifier import load_network

    (_, _), (images, labels) = mnist_data.load_data(data)
    network = load_network(model)
    with prefix_errors(model):
        result = evaluation.evaluate(network, images, labels)
    if as_json:
        return print_json({"model": str(model), **result})
    from rich.console import Console

    Console().print(result_table(result))
    return None
