"""Output in a terminal: progress bars, tables of results, and digits drawn in characters."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from study_keras.data.dataset import Images
from study_keras.plain_text import one_line, printable


class TrainingProgress(keras.callbacks.Callback):
    """Shows a progress bar over all epochs in a terminal, and one line per epoch anywhere else.

    Args:
        console: to write to.
        images: per epoch.
    """

    def __init__(self, console: Console, images: int) -> None:
        super().__init__()
        self.console = console
        self.images = images
        figures = TextColumn("{task.fields[figures]}", markup=False)
        columns = (BarColumn(), TaskProgressColumn(), figures, TimeRemainingColumn())
        self.bar = _progress(console, "{task.description}", *columns)

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self.steps = self.params["steps"]
        self.task = self.bar.add_task("training", total=self.params["epochs"] * self.steps, figures="")
        self.bar.start()

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.epoch = epoch
        self.started = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        done = (batch + 1) / self.steps
        rate = done * self.images / (time.perf_counter() - self.started)
        self.bar.update(
            self.task,
            completed=self.epoch * self.steps + batch + 1,
            description=f"epoch {self.epoch + 1}/{self.params['epochs']}",
            figures=f"{_figures(logs)}  {rate:,.0f} images/s",
        )

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        seconds = time.perf_counter() - self.started
        epochs = self.params["epochs"]
        line = f"epoch {epoch + 1:{len(str(epochs))}}/{epochs}  {_figures(logs)}  "
        self.console.print(Text(f"{line}{self.images / seconds:,.0f} images/s  {seconds:.1f} s"))

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        self.bar.stop()


def print_summary(model: Any, console: Console) -> None:
    """Print the layers of a Keras model."""

    def print_lines(text: str) -> None:
        for line in text.rstrip("\n").split("\n"):
            console.print(_cell(line))

    model.summary(print_fn=print_lines)


def _progress(console: Console, *columns: ProgressColumn | str) -> Progress:
    return Progress(*columns, console=console, disable=not console.is_terminal, transient=True)


def history_table(history: dict[str, list[float]]) -> Table:
    """Return the history of a training as a table, one row per epoch."""
    table = Table("epoch", title="history", title_justify="left")
    for name in history:
        table.add_column(_cell(name))
    for epoch, row in enumerate(zip(*history.values(), strict=True), start=1):
        table.add_row(str(epoch), *(f"{value:.4f}" for value in row))
    return table


def show_progress(items: Iterable[Any], total: int, description: str) -> Iterator[Any]:
    """Iterate over ``items`` with a progress bar on standard error, if that is a terminal."""
    with _progress(
        Console(stderr=True), "{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    ) as bar:
        yield from bar.track(items, total, description=description)


def comparison_table(rows: Sequence[Mapping[str, Any]], settings: Sequence[Mapping[str, str]], seeds: int) -> Table:
    """Return the rows of ``sweep.summarize`` as a table, with the ``sweep.varied_settings`` of each row."""
    table = Table(title=f"mean and standard deviation of {seeds} seeds, on held-out images", title_justify="left")
    table.box, table.padding = None, (0, 1, 0, 0)  # fits into 80 columns
    for name in (*settings[0], "parameters", "seconds", "accuracy"):
        table.add_column(name.replace("_", " "), justify="right", no_wrap=True)
    for row, own in zip(rows, settings, strict=True):
        spread = f" ± {row['spread']:.4f}" if seeds > 1 else ""
        figures = (f"{row['parameters']:,}", f"{row['seconds']:.1f}", f"{row['accuracy']:.4f}{spread}")
        table.add_row(*map(_cell, own.values()), *figures)
    return table


@contextmanager
def show_status() -> Iterator[Callable[[str], None]]:
    """Yield a function that shows the current step and its time on standard error, if that is a terminal."""
    step = TextColumn("{task.description}", markup=False)
    with _progress(Console(stderr=True), SpinnerColumn(), step, TimeElapsedColumn()) as bar:
        task = bar.add_task("")
        yield lambda step: bar.update(task, description=printable(step))


def verify_table(results: Sequence[dict[str, Any]]) -> Table:
    """Return the results of ``formats.verify`` as a table, one row per artifact."""
    table = Table(title="the same answers everywhere", title_justify="left", caption_justify="left")
    table.box, table.padding = None, (0, 1, 0, 0)  # fits into 80 columns
    ran = [result for result in results if "error" not in result]
    classes = any(result["agree"] is not None for result in ran)
    labelled = any(result["accuracy"] is not None for result in ran)
    table.add_column("artifact", overflow="fold")
    table.add_column("runtime", no_wrap=True)
    shown = ("kB", *(("agree",) if classes else ()), "largest", "accuracy" if labelled else "mean", "ms", "")
    for name in shown:
        table.add_column(name, justify="right", no_wrap=True)
    for result in results:
        name = Path(result["artifact"]).name
        if "error" in result:
            table.add_row(_cell(one_line(f"{name}: {result['error']}")), *[""] * len(shown), "[red]BROKEN[/red]")
            continue
        figures = {
            "kB": f"{result['bytes'] / 1000:,.0f}",
            "agree": "" if result["agree"] is None else f"{result['agree']:,}",
            "largest": f"{result['max_relative_diff']:.1e}",
            "mean": f"{result['mean_relative_diff']:.1e}",
            "accuracy": "" if result["accuracy"] is None else f"{result['accuracy']:.4f}",
            "ms": f"{result['ms_per_image']:.4f}",
            "": "ok" if result["passed"] else "[red]DIFFERS[/red]",
        }
        table.add_row(_cell(name), result["runtime"], *(figures[column] for column in shown))
    if ran:
        table.caption = _verify_caption(ran[0], classes=classes, labelled=labelled)
    return table


def _verify_caption(result: Mapping[str, Any], *, classes: bool, labelled: bool) -> str:
    what = f"{result['images']:,} {'random examples' if result['random'] else 'examples'}"
    parts = [
        *(["how many get Keras' class"] if classes else []),
        f"the largest {'' if labelled else 'and the mean '}difference, relative to the largest number of the answer",
        *(["the accuracy"] if labelled else []),
        "milliseconds per example",
    ]
    return f"of {what}: {'; '.join(parts)}"


def data_tables(found: Mapping[str, Any]) -> tuple[Table, Table]:
    """Return the results of ``statistics.describe_data`` as two tables: the dataset, and its classes."""
    duplicates, ink = found["duplicates"], found["ink"]
    overview = Table("data", "", title_justify="left")
    for name, value in (
        ("training images", f"{found['training_images']:,}"),
        ("test images", f"{found['test_images']:,}"),
        ("each", f"{' x '.join(map(str, found['shape']))} {found['dtype']}"),
        ("classes", f"{len(found['classes']):,}"),
        ("rarest class", f"{found['balance']:.1%} of the commonest one's images"),
        ("duplicates", f"{duplicates['training']:,} in training, {duplicates['test']:,} in test"),
        ("test images also in training", f"{duplicates['in_both']:,}"),
        ("images with several labels", f"{found['conflicts']:,}"),
        ("pixels", f"mean {ink['mean']:.4f}, deviation {ink['deviation']:.4f}, {ink['touched']:.1%} not 0"),
        ("blank images", f"{ink['blank']:,}"),
    ):
        overview.add_row(name, value)
    classes = Table("label", "name", title_justify="left")
    for name in ("training", "test"):
        classes.add_column(name, justify="right")
    for one in found["classes"]:
        classes.add_row(str(one["label"]), _cell(one["name"]), f"{one['training']:,}", f"{one['test']:,}")
    return overview, classes


def draw_digits(images: Images, captions: list[str], console: Console) -> Text | None:
    """Draw ``(n, 28, 28)`` uint8 images side by side in half blocks, as many as fit into the terminal.

    Returns ``None`` if the output is no terminal, is too narrow, or lacks 256 colours or UTF-8.
    """
    fit = (console.width + 2) // 30
    colours = console.color_system in ("256", "truecolor")
    if not (console.is_terminal and colours and console.encoding == "utf-8" and fit):
        return None
    shown = list(zip(images, captions, strict=False))[:fit]
    picture = Text()
    for _, caption in shown:
        picture.append(f"{printable(caption):30}")
    for row in range(0, 28, 2):
        picture.append("\n")
        for image, _ in shown:
            for upper, lower in image[row : row + 2].T:  # a character shows two pixels, one above the other
                picture.append("▀", f"rgb({upper},{upper},{upper}) on rgb({lower},{lower},{lower})")
            picture.append("  ")
    return picture


def _cell(text: str) -> Text:
    """Return text from outside as it is, since rich takes a string for markup."""
    return Text(printable(text))


def _figures(logs: dict[str, Any] | None) -> str:
    return "  ".join(f"{printable(name)} {float(np.asarray(value)):.4f}" for name, value in (logs or {}).items())
