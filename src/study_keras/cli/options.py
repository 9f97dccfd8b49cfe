"""Options that several commands share."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from study_keras.train.launcher import Group

PATH, EXISTING = click.Path(path_type=Path), click.Path(exists=True, path_type=Path)


class Units(click.ParamType[Any]):
    """``512,128``: the units of the hidden layers."""

    name = "N[,N…]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        try:
            units = tuple(int(part) for part in str(value).split(","))
        except ValueError:
            units = (0,)
        if min(units) < 1:
            self.fail(f"received {value!r}, expected whole numbers of at least 1, such as 128 or 512,128", param, ctx)
        return units


OUTPUT = click.option("--output", type=PATH, metavar="DIR", help="Output folder.  [default: output]")
DATA = click.option(
    "--data",
    type=EXISTING,
    metavar="PATH",
    help="Dataset: an .npz file as Keras writes it, or a folder of IDX, .npy or shard files.  [default: MNIST]",
)
CALIBRATION = 500  # training images that int8 is calibrated on
JSON = click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON only.")


def processes_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for several processes, with Keras' variables as defaults, and pass them as one ``group``."""

    @functools.wraps(function)
    def with_group(*args: Any, **given: Any) -> Any:
        processes, join, process_id, supervised = (given.pop(name) for name in PROCESSES)
        join = join.split(",", maxsplit=1)[0] if join else None  # Keras' variable may list all addresses
        return function(*args, group=Group(processes, join, process_id, supervised), **given)

    for add in (
        click.option("--supervised", is_flag=True, hidden=True),
        click.option(
            "--process-id",
            type=click.IntRange(0),
            envvar="KERAS_DISTRIBUTION_PROCESS_ID",
            metavar="K",
            help="Number of this process, from 0, with --join.",
        ),
        click.option(
            "--join",
            envvar="KERAS_DISTRIBUTION_JOB_ADDRESSES",
            metavar="ADDRESS:PORT",
            help="Train with processes on other hosts; process 0 listens at this address and saves the model.",
        ),
        click.option(
            "--processes",
            type=click.IntRange(1),
            envvar="KERAS_DISTRIBUTION_NUM_PROCESSES",
            metavar="N",
            help="Split each batch among N processes; without --join all run on this host.",
        ),
    ):
        with_group = add(with_group)
    return with_group


PROCESSES = ("processes", "join", "process_id", "supervised")
