"""The command ``run``."""

from pathlib import Path
from typing import Any

import click

from study_keras.cli.options import CALIBRATION, OUTPUT
from study_keras.cli.shared import command_name, near, output_folder, result_table, typed, verify_artifacts
from study_keras.cli.train import train_and_test
from study_keras.startup import import_keras


@click.command()
@OUTPUT
def run(output: Path | None) -> None:
    """Train the tutorial's network, test it and export every format.

    Also writes a report and a page to draw on. Each exported file is run in its own runtime and compared with Keras on
    the 10,000 test images; a difference is exit code 1.

    Example: hello-mnist run
    """
    import_keras()
    from rich.console import Console

    from study_keras.data.dataset import load_data
    from study_keras.report import evaluation, plots, terminal
    from study_keras.report.html import write_report
    from study_keras.train import artifacts, recipes

    console = Console()
    folder = output_folder(output)
    dataset = load_data()
    model, path, record, result = train_and_test(dataset, recipes.TUTORIAL, folder)
    model.summary(print_fn=lambda text: console.print(text, highlight=False))
    console.print(terminal.history_table(record["history"]))
    console.print(result_table(result))

    images, labels = dataset[1]
    probabilities = result["probabilities"]
    picture = plots.save(plots.mistakes(images, labels, probabilities), folder / "hello_mnist_mistakes.png")
    worst = plots.mistakes_by_confidence(labels, probabilities)[:8]
    captions = [f"{labels[index]} read as {probabilities[index].argmax()}" for index in worst]
    if drawn := terminal.digits(images[worst], captions, console):
        console.print(drawn)
    made = {**record, "name": path.name, "command": typed()}
    page = write_report(folder / "hello_mnist_report.html", model, dataset, result, made)
    click.echo("exporting the model to every format and running each file in its runtime ...", err=True)
    typical = evaluation.inputs(model, dataset[0][0][:CALIBRATION])
    paths = artifacts.save_all(model, path, typical)
    passed = verify_artifacts(model, paths, evaluation.inputs(model, images), labels, leave_out=True)
    command = command_name()
    drawing = _drawing_page(model, folder)
    click.echo(f"""The model:          {near(path)}
Its worst mistakes: {near(picture)}
All about it:       {near(page)}
Draw for it:        {near(drawing) if drawing else "(the page needs Node: see above)"}
Try next:           {command} serve     (the page in a browser, with photos and a better network)
                    {command} train --units 512 --activation sigmoid --validation 0.1
                    {command} evaluate {near(path)}
                    {command} --help""")
    if not passed:
        raise click.exceptions.Exit(1)


def _drawing_page(model: Any, folder: Path) -> Path | None:
    """Write the page that reads drawn digits; where it cannot be built, say why."""
    from study_keras.serve import single_file

    try:
        return single_file.write_page(model, folder / "hello_mnist.html", prove=False)  # its TF.js model was verified
    except FileNotFoundError as error:
        click.echo(f"hello_mnist.html is left out: {error}", err=True)
        return None
