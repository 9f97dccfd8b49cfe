"""The command ``hello-mnist``. This module imports almost nothing, so that Ctrl-C is handled from the start."""

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return the exit code: 0, 1 for a failure, 2 for a usage error.

    A signal ends it with the exit code 128 + its number, 130 for Ctrl-C.

    Args:
        arguments: by default those of the command line. With arguments given, as in a test, signals and standard
            streams are left as they are.
    """
    if arguments is None:
        from study_keras import stopping

        stopping.open_closed_streams()
        stopping.handle_signals()
    from study_keras.cli import commands

    code = commands.run_command(arguments)
    if arguments is None:
        stopping.ignore_signals()
    return code
