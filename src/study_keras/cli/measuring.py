"""The verbs that measure a model: ``evaluate`` and ``report``."""

from pathlib import Path

import click

from study_keras.cli.options import DATA, JSON, OUTPUT
from study_keras.cli.shared import named, near, output_folder, print_json, result_table, typed, whole_model
from study_keras.startup import import_keras


@click.command()
@click.argument("model", type=click.Path(exists=True, path_type=Path))
@DATA
@JSON
def evaluate(model: Path, data: Path | None, as_json: bool) -> None:
    """Measure MODEL on the test images.

    Example: hello-mnist evaluate output/hello_mnist.keras
    """
    import_keras()
    from study_keras.data import dataset as mnist_data
    from study_keras.report import evaluation

    (_, _), (images, labels) = mnist_data.load_data(data)
    loaded = whole_model(model)
    with named(model):
        result = evaluation.evaluate(loaded, images, labels)
    if as_json:
        return print_json({"model": str(model), **result})
    from rich.console import Console

    Console().print(result_table(result))
    return None


@click.command()
@click.argument("model", type=click.Path(exists=True, path_type=Path))
@DATA
@OUTPUT
def report(model: Path, data: Path | None, output: Path | None) -> None:
    """Write one HTML file with all about MODEL: its table, training, test, mistakes and pictures.

    Example: hello-mnist report output/hello_mnist.keras
    """
    import_keras()
    from study_keras.data import dataset as mnist_data
    from study_keras.data import names
    from study_keras.report import evaluation
    from study_keras.report.html import write_report
    from study_keras.train import records

    folder = output_folder(output)
    dataset = mnist_data.load_data(data)
    loaded = whole_model(model)
    made = {**(records.load_record(model) or {}), "name": model.name, "command": typed()}
    if found := names.class_names(data, mnist_data.class_count(dataset)):
        made["classes"] = found
    with named(model):
        result = evaluation.evaluate(loaded, *dataset[1])
        page = write_report(folder / f"{model.stem}_report.html", loaded, dataset, result, made)
    click.echo(f"The report: {near(page)}")
