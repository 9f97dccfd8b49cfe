"""The command ``report``."""

from pathlib import Path

import click

from study_keras.cli.options import DATA, EXISTING, OUTPUT
from study_keras.cli.shared import (
    display_path,
    import_keras,
    load_full_model,
    output_folder,
    prefix_errors,
    say,
    typed_command,
)


@click.command()
@click.argument("model", type=EXISTING)
@DATA
@OUTPUT
def report(model: Path, data: Path | None, output: Path | None) -> None:
    """Write an HTML report about a model.

    One file with its layers, training history, test figures, mistakes and pictures.

    Example: hello-mnist report output/hello_mnist.keras
    """
    import_keras()
    from study_keras.data import class_names
    from study_keras.data import dataset as mnist_data
    from study_keras.report import evaluation
    from study_keras.report.html import write_report
    from study_keras.train import metadata

    folder = output_folder(output)
    dataset = mnist_data.load_data(data)
    loaded = load_full_model(model)
    details = {**(metadata.load_metadata(model) or {}), "name": model.name, "command": typed_command()}
    if found := class_names.find_class_names(data, mnist_data.class_count(dataset)):
        details["classes"] = found
    with prefix_errors(model):
        result = evaluation.evaluate(loaded, *dataset[1])
        page = write_report(folder / f"{model.stem}_report.html", loaded, dataset, result, details)
    say(f"The report: {display_path(page)}")
