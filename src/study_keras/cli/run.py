"""The command ``run``."""

from pathlib import Path
from typing import Any

import click

from study_keras.cli.options import CALIBRATION, OUTPUT
from study_keras.cli.shared import (
    command_name,
    display_path,
    hold,
    import_keras,
    output_folder,
    result_table,
    say,
    typed_command,
    verify_artifacts,
)
from study_keras.cli.train import train_and_test


@click.command()
@OUTPUT
def run(output: Path | None) -> None:
    """Train the tutorial's network, test it and export every format.

    Formats whose optional packages are missing are left out; `hello-mnist formats` names these. Also writes a report
    and a page to draw on. Each exported file is run in its own runtime and compared with Keras on the 10,000 test
    images; a difference is exit code 1.

    Example: hello-mnist run
    """
    import_keras()
    from rich.console import Console

    from study_keras.data.dataset import load_data
    from study_keras.report import evaluation, terminal
    from study_keras.report.html import write_report
    from study_keras.runtimes.program import allow_code
    from study_keras.train import artifacts, recipes

    folder = hold(output_folder(output), "hello_mnist")
    dataset = load_data()
    model, path, metadata, result = train_and_test(dataset, recipes.TUTORIAL, folder)
    console = Console()
    terminal.print_summary(model, console)
    console.print(terminal.history_table(metadata["history"]), result_table(result), sep="\n")
    picture = _show_mistakes(dataset[1], result["probabilities"], folder, console)
    details = {**metadata, "name": path.name, "command": typed_command()}
    page = write_report(folder / "hello_mnist_report.html", model, dataset, result, details)
    click.echo("exporting the model to every format and running each file in its runtime ...", err=True)
    paths = artifacts.save_all(model, path, evaluation.to_model_inputs(model, dataset[0][0][:CALIBRATION]))
    inputs = evaluation.to_model_inputs(model, dataset[1][0])
    with allow_code():  # the programs were written just now
        passed = verify_artifacts(model, paths, inputs, dataset[1][1], leave_out=True, everywhere=True)
    command, drawing = command_name(), _write_drawing_page(model, folder)
    click.echo(f"""Model:         {display_path(path)}
Mistakes:      {display_path(picture)}
Report:        {display_path(page)}
Drawing page:  {display_path(drawing) if drawing else "(the page needs Node: see above)"}
Try next:      {command} serve     (the page in a browser, with photos and a better network)
               {command} train --units 512 --activation sigmoid --validation 0.1
               {command} evaluate {display_path(path)}
               {command} --help""")
    if not passed:
        raise click.exceptions.Exit(1)


def _show_mistakes(test: Any, probabilities: Any, folder: Path, console: Any) -> Path:
    """Print the worst mistakes, and save a picture of them."""
    from study_keras.report import plots, terminal

    images, labels = test
    worst = plots.mistakes_by_confidence(labels, probabilities)[:8]
    captions = [f"{labels[index]} read as {probabilities[index].argmax()}" for index in worst]
    if drawn := terminal.draw_digits(images[worst], captions, console):
        console.print(drawn)
    return plots.save(plots.mistakes(images, labels, probabilities), folder / "hello_mnist_mistakes.png")


def _write_drawing_page(model: Any, folder: Path) -> Path | None:
    """Write the page that reads drawn digits; if it cannot be built, print why."""
    from study_keras.serve import single_file

    try:
        return single_file.write_page(
            model, folder / "hello_mnist.html", prove=False
        )  # its TF.js model was verified above
    except FileNotFoundError as error:
        say(f"hello_mnist.html is left out: {error}", err=True)
        return None
