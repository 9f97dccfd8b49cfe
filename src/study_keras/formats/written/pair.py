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
    """
    path = Path(os.path.realpath(path))  # so that a symbolic link is kept
    with files.staging_folder(path) as folder:
        source = folder / path.name
        weights = source.with_suffix(suffix)
        if path.with_suffix(suffix).is_dir():
            raise ValueError(f"{path.with_suffix(suffix)}: is a folder; the weights need this name")
        yield source, weights
        for file in (weights, source):
            files.fsync(file)
        weights.replace(path.with_suffix(suffix))
        source.replace(path)
