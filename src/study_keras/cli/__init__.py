"""The command ``hello-mnist``: each subcommand parses its options, calls the library and prints.

Heavy imports are inside the subcommands, so that ``--help`` is fast.
"""

import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any

import click

from study_keras.cli import compare, convert, data, evaluate, predict, report, run, serve, show, train, verify
from study_keras.cli.shared import complain

GROUPS: dict[str, list[click.Command]] = {
    "Train": [run.run, train.train, compare.compare],
    "Look": [data.data, evaluate.evaluate, report.report, show.show],
    "Convert": [convert.convert, verify.verify],
    "Read": [predict.predict, serve.serve],
}


class GroupedHelp(click.Group):
    """A group whose help lists the commands by subject, each with one whole line."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, commands in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(command.name or "", command.get_short_help_str(limit=90)) for command in commands])


@click.command(
    cls=GroupedHelp,
    commands=[command for commands in GROUPS.values() for command in commands],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="hello-mnist")
def cli() -> None:
    """Train Keras networks on MNIST, convert Keras models to other formats, and read handwritten digits.

    The environment variable KERAS_BACKEND selects the backend: jax (default) or tensorflow.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return the exit code: 0, 1 for a failed job, 2 for a wrong call, 130 for Ctrl-C.

    A user's mistake is one line on stderr, never a traceback; so is a warning.
    """
    with warnings.catch_warnings():
        as_usual = warnings.showwarning

        def in_one_line(message: Warning | str, category: type[Warning], *where: Any) -> None:
            if category is UserWarning:
                complain(str(message), 0)
            else:
                as_usual(message, category, *where)

        warnings.showwarning = in_one_line  # type: ignore[assignment]  # `where` is handed on as it comes
        return _run(arguments)


def _run(arguments: Sequence[str] | None) -> int:
    try:
        return cli.main(arguments, "hello-mnist", standalone_mode=False) or 0  # click gives back what Exit holds
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "hello-mnist"
        return complain(f"{error.format_message().rstrip('.')}; see {command} --help", error.exit_code)
    except click.ClickException as error:
        return complain(error.format_message(), error.exit_code)
    except click.Abort as abort:  # click's form of Ctrl-C
        return complain(str(abort.__cause__ or "") or "stopped", 130)
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        return complain(f"{error.filename}: {error.strerror}" if error.filename else str(error), 1)
    except ValueError as error:
        return complain(str(error), 1)
