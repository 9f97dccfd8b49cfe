"""Where a run writes, and how a file or a folder is written whole or not at all."""

import ctypes
import fcntl
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


def output_dir() -> Path:
    """Return the folder that a run writes to, made if it is missing.

    It is ``output/`` of the checkout that this package lies in, or, where the package is installed from a
    wheel, ``output/`` in the current folder.
    """
    checkout = Path(__file__).resolve().parents[2]
    base = checkout if (checkout / "pyproject.toml").is_file() else Path.cwd()
    return writable_dir(base / "output")


def writable_dir(path: str | Path) -> Path:
    """Return ``path`` as a folder that can be written to, made if it is missing.

    Call it before the work whose result goes there: an hour of training must not end at a read-only disk.

    Raises:
        OSError: the folder cannot be made, or nothing can be written in it.
    """
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            return path
    except OSError as error:
        reason = f"cannot write here ({error.strerror}); choose another folder"
        raise OSError(error.errno, reason, str(path)) from error


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Yield a name to write a file to, and rename it to ``path`` when the block ends well.

    Whoever reads ``path`` sees the former file or the new one, never a part. The name yielded has the
    suffixes of ``path``, since Keras picks the format by them.

    Raises:
        OSError: the file cannot be written. What stood at ``path`` is untouched.
    """
    path = Path(os.path.realpath(path))  # a link stays a link
    with staging(path) as folder:
        yield folder / path.name
        sync(folder / path.name)
        (folder / path.name).replace(path)


@contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Yield the name of a folder to make and fill, and put it at ``path`` when the block ends well.

    A former folder at ``path`` is swapped out in one step where the system can do that. Elsewhere it stands
    aside for an instant; a process killed in that instant leaves it to ``recover``.

    Raises:
        OSError: the folder cannot be written. What stood at ``path`` is untouched.
    """
    path = Path(os.path.realpath(path))
    with staging(path) as folder:
        new = folder / path.name
        yield new
        for file in new.rglob("*"):
            sync(file)
        if not path.exists():
            new.rename(path)
        elif not _exchange(new, path):
            path.rename(folder / "former")
            new.rename(path)


@contextmanager
def staging(path: Path) -> Iterator[Path]:
    """Yield a new folder beside ``path`` in which its successor is prepared; remove it at the end.

    Raises:
        OSError: nothing can be written beside ``path``.
    """
    try:
        recover(path)
        folder, lock = _locked_folder(path)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            lock.close()
    except OSError as error:
        reason = f"cannot be written ({error.strerror or error}); what stood there is untouched"
        raise OSError(error.errno, reason, str(path)) from error


def _locked_folder(path: Path) -> tuple[Path, IO[str]]:
    """Make a folder beside ``path``, locked while this process lives: by that others know it is in use."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent))
        with suppress(FileNotFoundError):  # another process cleared the folder up before it was locked
            lock = (folder / "lock").open("w")
            with suppress(OSError):  # a file system without locks; there nobody clears up either
                fcntl.flock(lock, fcntl.LOCK_EX)
            if (folder / "lock").exists():
                return folder, lock
            lock.close()


def recover(path: Path) -> None:
    """Clear up what killed processes left beside ``path``, and put a folder that stood aside back."""
    pattern = re.compile(re.escape(f".{path.name}.") + r"[a-z0-9_]{8}\.tmp")
    for folder in path.parent.iterdir() if path.parent.is_dir() else ():
        if not pattern.fullmatch(folder.name):
            continue
        with suppress(OSError):
            folder.rmdir()  # its process died before it could lock the folder
        with suppress(OSError), (folder / "lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises while the writer lives
            if (folder / "former").exists() and not path.exists():
                (folder / "former").rename(path)
            shutil.rmtree(folder, ignore_errors=True)


def sync(path: Path) -> None:
    """Have the system write ``path`` to the disk now, before a rename makes it count."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _exchange(one: Path, other: Path) -> bool:
    """Let two folders change places in one step; return False where the system or the disk cannot."""
    libc = ctypes.CDLL(None)
    names = os.fsencode(one), os.fsencode(other)
    if sys.platform == "darwin" and hasattr(libc, "renamex_np"):
        return libc.renamex_np(*names, 2) == 0  # RENAME_SWAP of <sys/stdio.h>
    if hasattr(libc, "renameat2"):
        here = -100  # AT_FDCWD of <fcntl.h>
        return libc.renameat2(here, names[0], here, names[1], 2) == 0  # RENAME_EXCHANGE of <linux/fs.h>
    return False
