"""Functions that several commands share: paths, loading a model, printing results and errors."""

import difflib
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from study_keras import jax_cache, startup
from study_keras.plain_text import one_line, printable, to_json


def import_keras(*, with_tensorflow: bool = True) -> Any:
    """Import Keras as ``startup`` does, with the programs that JAX compiled before, and without what no verb needs."""
    jax_cache.enable()
    return startup.import_keras(with_tensorflow=with_tensorflow, with_matplotlib=False)


def output_folder(folder: Path | None) -> Path:
    """Return ``folder``, or the default output folder, and create it."""
    from study_keras import files

    return files.output_dir() if folder is None else files.ensure_writable_dir(folder)


def hold(folder: Path, name: str) -> Path:
    """Let no other command write the files ``name`` in ``folder`` until this one ends, and return the folder.

    Raises:
        ValueError: another command is writing them.
    """
    from study_keras import files

    try:
        click.get_current_context().with_resource(files.lock(folder / f".{name}.lock"))
    except BlockingIOError:
        text = f"another training is writing {name}.* here; wait until it ends, or choose another folder with --output"
        raise ValueError(f"{folder}: {text}") from None
    return folder


def load_full_model(path: Path) -> Any:
    """Load a model with its weights, or a SavedModel as a function; refuse a file with only a part of a model."""
    from study_keras import formats

    found = formats.detect(path)
    if found.name != "saved_model" and not {"structure", "weights"} <= set(found.keeps):
        raise ValueError(f"{path}: contains only {' and '.join(found.keeps)}; expected a whole model, such as .keras")
    return formats.load(path)


@contextmanager
def prefix_errors(path: Path) -> Iterator[None]:
    """Prefix a ValueError about the content of a file with its path."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def display_path(path: Path) -> str:
    """Return ``path`` quoted for the shell, relative if it is below the current folder."""
    return _quoted(path.resolve())


def _quoted(path: Path) -> str:
    return printable(shlex.quote(str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)))


def typed_command() -> str:
    """Return the command as it was typed."""
    arguments = sys.argv[1:]
    if "--supervised" in arguments:  # remove what `launcher.launch` added, except for the number of processes
        index = arguments.index("--supervised")
        arguments = arguments[:index] + arguments[index + 3 : index + 5]
    return shlex.join(["hello-mnist", *arguments])


def command_name() -> str:
    """Return how to call this command: by name, or by its path if it is not on the PATH."""
    if shutil.which("hello-mnist"):
        return "hello-mnist"
    if Path(sys.argv[0]).name == "__main__.py":
        # Not resolved: in a virtual environment it is a link to a Python without the library.
        return f"{_quoted(Path(sys.executable))} -m study_keras.cli"
    return _quoted(Path(sys.argv[0]).absolute())


def result_table(result: dict[str, Any]) -> Any:
    from rich.table import Table

    table = Table("test", "", title_justify="left")
    table.add_row("images", f"{result['images']:,}")
    table.add_row("loss", f"{result['loss']:.4f}")
    table.add_row("accuracy", f"{result['accuracy']:.4f}")
    table.add_row("mistakes", f"{len(result['mistakes']):,}")
    return table


def say(line: str, *, err: bool = False) -> None:
    """Print one line, in which names from outside cannot be escape sequences."""
    click.echo(printable(line), err=err)


def print_json(figures: Any) -> None:
    """Print figures as JSON, without the ``probabilities`` of all images."""
    if isinstance(figures, dict):
        figures = {key: value for key, value in figures.items() if key != "probabilities"}
    click.echo(to_json(figures))


def verify_artifacts(
    model: Any,
    paths: Sequence[Path],
    inputs: Any,
    labels: Any,
    *,
    as_json: bool = False,
    leave_out: bool = False,
    everywhere: bool = False,
) -> bool:
    """Verify and print each artifact; return whether all passed.

    Args:
        inputs: as the model takes them, a list of arrays if it has several inputs; None for random ones.
        labels: the true classes, or None.
        leave_out: whether to skip artifacts whose runtime is not installed.
        everywhere: whether each is run in all runtimes that read it.
    """
    from rich.console import Console

    from study_keras.formats.verify import verify_all
    from study_keras.report import terminal

    with terminal.show_status() as watch:
        results = verify_all(model, paths, inputs, labels, watch, everywhere=everywhere)
    if leave_out:
        for result in results:
            if result.get("missing"):
                say(f"{Path(result['artifact']).name} is left out: {result['error']}", err=True)
        results = [result for result in results if not result.get("missing")]
    if as_json:
        print_json(results)
    else:
        Console().print(terminal.verify_table(results))
    return all(result["passed"] for result in results)


def print_error(message: str, code: int) -> int:
    """Print ``message`` as one line on standard error, and return ``code``."""
    click.echo(f"hello-mnist: {one_line(message)}", err=True)
    return code


def check_name(name: str, option: str, module: Any) -> None:
    """Check that the Keras ``module``, activations or optimizers, has ``name``."""
    try:
        module.get(name)
    except (ValueError, TypeError):
        known = [public.lower() for public in dir(module) if not public.startswith("_")]
        similar = difflib.get_close_matches(name.lower(), known, n=1)
        meant = similar[0] if similar else f"one of Keras' {module.__name__.split('.')[-1]}"
        raise click.BadParameter(f"Keras knows no {name!r}; did you mean {meant}?", param_hint=option) from None
