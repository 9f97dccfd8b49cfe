"""What several verbs do alike: name folders and files, load a model, print figures and complaints."""

import json
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click


def output_folder(folder: Path | None) -> Path:
    from study_keras import files

    return files.output_dir() if folder is None else files.writable_dir(folder)


def whole_model(path: Path) -> Any:
    """Load a model with its weights, or a SavedModel as a function; refuse a file that holds only a part of one."""
    from study_keras import formats

    found = formats.detect(path)
    if found.name != "saved_model" and not {"structure", "weights"} <= set(found.keeps):
        raise ValueError(f"{path}: contains only {' and '.join(found.keeps)}; expected a whole model, such as .keras")
    return formats.load(path)


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Put the file's name before an error about its content."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def near(path: Path) -> str:
    """Return ``path`` ready to be typed, relative where it lies below the current folder."""
    path = path.resolve()
    return shlex.quote(str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path))


def typed() -> str:
    """Return the command as it was typed."""
    arguments = sys.argv[1:]
    if "--supervised" in arguments:  # what `processes.start_all` added, all but the number of processes
        place = arguments.index("--supervised")
        arguments = arguments[:place] + arguments[place + 3 : place + 5]
    return shlex.join(["hello-mnist", *arguments])


def command_name() -> str:
    """Return what to type for this command: its name, or its path where the shell does not know the name."""
    if shutil.which("hello-mnist"):
        return "hello-mnist"
    if Path(sys.argv[0]).name == "__main__.py":
        return f"{near(Path(sys.executable))} -m study_keras.cli"
    return near(Path(sys.argv[0]))


def result_table(result: dict[str, Any]) -> Any:
    from rich.table import Table

    table = Table("test", "", title_justify="left")
    table.add_row("images", f"{result['images']:,}")
    table.add_row("loss", f"{result['loss']:.4f}")
    table.add_row("accuracy", f"{result['accuracy']:.4f}")
    table.add_row("mistakes", f"{len(result['mistakes']):,}")
    return table


def print_json(figures: dict[str, Any]) -> None:
    click.echo(json.dumps({key: value for key, value in figures.items() if key != "probabilities"}))


def verify_artifacts(
    model: Any, paths: Sequence[Path], inputs: Any, labels: Any, *, as_json: bool = False, leave_out: bool = False
) -> bool:
    """Verify and print each artifact; return whether all passed. What has no runtime here may be left out.

    Args:
        inputs: as the model takes them, a list of arrays where it has several; None for random ones.
        labels: the true classes, or None.
    """
    from rich.console import Console

    from study_keras.formats.verify import verify_all
    from study_keras.report import terminal

    with terminal.steps() as watch:
        results = verify_all(model, paths, inputs, labels, watch)
    if leave_out:
        for result in (result for result in results if result.get("missing")):
            click.echo(f"{Path(result['artifact']).name} is left out: {result['error']}", err=True)
        results = [result for result in results if not result.get("missing")]
    if as_json:
        click.echo(json.dumps(results))
    else:
        Console().print(terminal.verify_table(results))
    return all(result["passed"] for result in results)


def complain(message: str, code: int) -> int:
    click.echo("hello-mnist: " + " ".join(message.split()), err=True)
    return code
