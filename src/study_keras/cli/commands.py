"""The subcommands of ``hello-mnist``: each parses its options, calls the library and prints.

Heavy imports are inside the subcommands, so that ``--help`` is fast.
"""

import errno
import io
import os
import sys
import tempfile
import traceback
import warnings
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from study_keras.cli import (
    compare,
    convert,
    data,
    evaluate,
    formats,
    lesson,
    predict,
    report,
    run,
    serve,
    show,
    train,
    verify,
)
from study_keras.cli.shared import print_error

GROUPS: dict[str, list[click.Command]] = {
    "Learn": [lesson.lesson],
    "Train": [run.run, train.train, compare.compare],
    "Look": [data.data, evaluate.evaluate, report.report, show.show],
    "Convert": [convert.convert, verify.verify, formats.formats],
    "Read": [predict.predict, serve.serve],
}


OUTPUT_ERRORS = (errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


class GroupedHelp(click.Group):
    """A group whose help lists the commands by subject, with one line each."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, commands in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(command.name or "", command.get_short_help_str(limit=90)) for command in commands])


@click.command(
    cls=GroupedHelp,
    commands=[command for commands in GROUPS.values() for command in commands],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100, "show_default": True},
)
@click.version_option(package_name="hello-mnist")
def cli() -> None:
    """Train Keras networks on MNIST, convert Keras models to other formats, and read handwritten digits.

    The environment variable KERAS_BACKEND selects the backend: jax (default) or tensorflow.
    """


def run_command(arguments: Sequence[str] | None) -> int:
    """Run the command and return the exit code, as ``cli.main``.

    Prints a user's error, or a warning, as one line on standard error, never as a traceback.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as standard error has it: a terminal may lack a character
    with warnings.catch_warnings():
        show_default = warnings.showwarning

        def show_in_one_line(message: Warning | str, category: type[Warning], *location: Any) -> None:
            if category is UserWarning:
                print_error(str(message), 0)
            else:
                show_default(message, category, *location)

        warnings.showwarning = show_in_one_line  # type: ignore[assignment]  # `location` is passed on unchanged
        return _flush(_run(arguments))


def _flush(code: int) -> int:
    """Write what standard output still holds, and return the exit code."""
    try:
        sys.stdout.flush()
        return code
    except OSError as error:
        return _lose_output(error)


def _lose_output(error: OSError) -> int:
    """Say that standard output cannot be written, discard the rest of it, and return the exit code."""
    if not isinstance(error, BrokenPipeError):  # the reader, such as `head`, has closed the pipe
        print_error(f"standard output: cannot be written ({error.strerror}); send it elsewhere", 0)
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


def _run(arguments: Sequence[str] | None) -> int:
    try:
        return cli.main(arguments, "hello-mnist", standalone_mode=False) or 0  # click returns the code of Exit
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "hello-mnist"
        return print_error(f"{error.format_message().rstrip('.')}; see {command} --help", error.exit_code)
    except click.ClickException as error:
        return print_error(error.format_message(), error.exit_code)
    except click.Abort as abort:  # click's form of Ctrl-C
        return print_error(str(abort.__cause__ or "") or "stopped", 130)
    except OSError as error:
        if error.errno in OUTPUT_ERRORS and not error.filename:
            return _lose_output(error)
        return print_error(f"{error.filename}: {error.strerror}" if error.filename else str(error), 1)
    except ValueError as error:
        return print_error(str(error), 1)
    except MemoryError:
        return print_error("out of memory; expected a smaller input, or a machine with more memory", 1)
    except Exception as error:
        return _report(error)


def _report(error: Exception) -> int:
    """Save the traceback of an unexpected error, say in one line how to report it, and return the exit code."""
    from study_keras import files

    text = f"hello-mnist {version('hello-mnist')}, Python {sys.version}\n{sys.argv}\n"
    text += "".join(traceback.format_exception(error))
    text = text.encode(errors="backslashreplace").decode()
    path = Path(tempfile.gettempdir(), f"hello-mnist-{os.urandom(4).hex()}.log")
    try:
        where = f"with the file {files.write(path, text)}"
    except OSError as failed:
        where = f"with this message: {str(error) or 'none'} (its log {path} {failed.strerror})"
    print_error(f"{type(error).__name__}, a bug in hello-mnist; please report it {where}", 0)
    return os.EX_SOFTWARE
