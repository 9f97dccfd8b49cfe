"""The command ``compare``."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from study_keras.cli.options import DATA, JSON, OUTPUT, Units
from study_keras.cli.shared import check_name, display_path, hold, import_keras, output_folder, print_json, say

Function = TypeVar("Function", bound=Callable[..., Any])


class SeveralValues(click.Command):
    """A command whose repeatable options take several values at once: ``--units 32 128 512``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        several = {name for option in self.params if getattr(option, "multiple", False) for name in option.opts}
        expanded: list[str] = []
        current = None
        for argument in args:
            if argument.startswith("--"):
                current = argument if argument in several else None
                expanded += [] if current else [argument]
            else:
                expanded += [current, argument] if current else [argument]
        return super().parse_args(ctx, expanded)


def several(name: str, kind: Any, default: Any, text: str) -> Callable[[Function], Function]:
    return click.option(name, type=kind, multiple=True, default=[default], metavar="VALUE...", help=text)


@click.command(cls=SeveralValues)
@several("--units", Units(), "128", "Units of the hidden layers; 512,128 are two layers.")
@several("--activation", str, "relu", "Activations of the hidden layers, by Keras' names.")
@several("--dropout", click.FloatRange(0, 1, max_open=True), 0.2, "Dropout rates.")
@several("--optimizer", str, "adam", "Optimizers, by Keras' names.")
@several("--batch-size", click.IntRange(1), 32, "Images per step.")
@several("--epochs", click.IntRange(1), 5, "Numbers of epochs.")
@click.option("--seeds", type=click.IntRange(1), default=3, help="Seeds per combination.")
@DATA
@OUTPUT
@JSON
def compare(*, seeds: int, data: Path | None, output: Path | None, as_json: bool, **grid: tuple[Any, ...]) -> None:
    """Train combinations of settings and rank them by accuracy.

    Each combination is trained with several seeds and measured on a held-out sixth of the training images. The table
    shows the mean and the spread over the seeds. Writes DIR/hello_mnist_compare.png.

    Example: hello-mnist compare --units 32 128 512 --activation relu sigmoid --dropout 0 0.2 0.5
    """
    keras = import_keras(with_tensorflow=False)
    for name in grid["activation"]:
        check_name(name, "--activation", keras.activations)
    for name in grid["optimizer"]:
        check_name(name, "--optimizer", keras.optimizers)
    from rich.console import Console

    from study_keras.report import plots, terminal
    from study_keras.train import sweep
    from study_keras.train.recipes import to_settings

    folder = hold(output_folder(output), "hello_mnist_compare")
    recipes = sweep.combinations(grid)
    trainings = sweep.compare(recipes, seeds, data)
    results = list(terminal.show_progress(trainings, len(recipes) * seeds, "trainings"))
    rows = sweep.summarize(recipes, results)
    settings = [sweep.varied_settings(recipes[row["number"]], grid) for row in rows]
    labels = [", ".join(f"{name} {value}" for name, value in own.items()) for own in settings]
    picture = plots.save(plots.comparison(rows, labels), folder / "hello_mnist_compare.png")
    if as_json:
        print_json([{**row, "settings": to_settings(recipes[row["number"]])} for row in rows])
        return
    Console().print(terminal.comparison_table(rows, settings, seeds))
    say(f"As a picture: {display_path(picture)}")
