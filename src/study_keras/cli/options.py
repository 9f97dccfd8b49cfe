"""Options that several verbs share, and what they default to."""

from pathlib import Path
from typing import Any

import click


class Units(click.ParamType[Any]):
    """``512,128``: the widths of the hidden layers."""

    name = "N[,N…]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        try:
            units = tuple(int(part) for part in str(value).split(","))
        except ValueError:
            units = (0,)
        if min(units) < 1:
            self.fail(
                f"received {value!r}, expected whole numbers of at least 1, such as 128 or 512,128",
                param,
                ctx,
            )
        return units


OUTPUT = click.option(
    "--output", type=click.Path(path_type=Path), metavar="DIR", help="Where to write.  [default: output]"
)
DATA = click.option(
    "--data",
    type=click.Path(exists=True, path_type=Path),
    metavar="PATH",
    help="An .npz as Keras writes it, or a folder of IDX files, plain or .gz, of .npy or of shards.  [default: MNIST]",
)
CALIBRATION = 500  # training images that int8 is fitted to
JSON = click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON, and nothing else.")
