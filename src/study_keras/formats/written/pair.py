"""A program and its weights, two files that get their names together."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from study_keras import files


@contextmanager
def write_pair(path: str | Path, suffix: str) -> Iterator[tuple[Path, Path]]:
    """Yield temporary paths for ``path`` and the file with ``suffix`` beside it, and name both when the block succeeds.

    Raises:
        OSError: a file cannot be written. Both old files are unchanged.
        ValueError: a folder has the name of the weights.
    """
    path = Path(os.path.realpath(path))  # a symbolic link is kept, and the weights lie beside the program itself
    beside = path.with_suffix(suffix)
    if beside.is_dir():
        raise ValueError(f"{beside}: is a folder; the weights need this name")
    with files.atomic_files(path, beside) as (source, weights):
        yield source, weights
