"""The output folder, and atomic writes of files and folders."""

import ctypes
import fcntl
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO

from study_keras.stopping import on_stop
from study_keras.write_errors import TEMPORARY, TEMPORARY_FILES, DeferredErrors, write_errors


def output_dir() -> Path:
    """Return the default output folder, and create it if it is missing.

    It is ``output/`` of the checkout that contains this package, or ``output/`` in the current folder if the package
    is installed from a wheel.
    """
    checkout = Path(__file__).resolve().parents[2]
    base = checkout if (checkout / "pyproject.toml").is_file() else Path.cwd()
    return ensure_writable_dir(base / "output")


def ensure_writable_dir(path: str | Path) -> Path:
    """Return ``path`` as a writable folder, and create it if it is missing.

    Call it before long work, so that an hour of training does not end at a read-only disk.

    Raises:
        OSError: the folder cannot be created or written to.
    """
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            return path
    except OSError as error:
        reason = f"cannot write here ({error.strerror}); choose another folder"
        raise OSError(error.errno, reason, str(path)) from error


def check_suffix(path: str | Path, *suffixes: str) -> Path:
    """Return ``path`` as a ``Path``.

    Raises:
        ValueError: its name does not end in one of ``suffixes``.
    """
    if not str(path).endswith(suffixes):
        raise ValueError(f"{path}: expected a name that ends in {' or '.join(suffixes)}")
    return Path(path)


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path to write a file to, and rename it to ``path`` when the block succeeds.

    Readers of ``path`` see the old file or the new one, never a part of it. The temporary name has the suffixes of
    ``path``, since Keras selects the format by them.

    Raises:
        OSError: the file cannot be written. The old file at ``path`` is unchanged.
    """
    path = Path(os.path.realpath(path))  # so that a symbolic link is kept
    with staging_folder(path) as folder:
        yield folder / path.name
        fsync(folder / path.name)
        (folder / path.name).replace(path)


@contextmanager
def atomic_files(*paths: str | Path) -> Iterator[list[Path]]:
    """Yield a temporary path for each of several files in one folder, and rename them when the block succeeds.

    Whoever is killed in between leaves no file at the first path, rather than one beside the others of another write.

    Raises:
        OSError: a file cannot be written. The old files are unchanged.
    """
    targets = [Path(os.path.realpath(path)) for path in paths]
    with staging_folder(targets[0]) as folder:
        written = [folder / Path(path).name for path in paths]
        yield written
        for file in written:
            fsync(file)
        _replace_all(written, targets)


def _replace_all(written: list[Path], targets: list[Path]) -> None:
    """Put new files in the place of old ones, all or none."""
    done = list[tuple[Path, Path]]()
    former = [(path, file.with_name(f"former.{file.name}")) for file, path in zip(written, targets, strict=True)]
    moves = [move for move in former if move[0].exists()] + list(zip(written, targets, strict=True))[::-1]
    try:
        for file, path in moves:
            file.replace(path)
            done.append((file, path))
    except OSError:
        for file, path in reversed(done):
            path.replace(file)
        raise


@contextmanager
def atomic_open(path: str | Path) -> Iterator[DeferredErrors]:
    """Yield a file to write to, for libraries that do not survive a failed write; otherwise as ``atomic_write``."""
    with atomic_write(path) as temporary, DeferredErrors(temporary) as file:
        yield file


def write(path: str | Path, content: str | bytes) -> Path:
    """Write ``content``, text as UTF-8, to ``path`` atomically, and return the path."""
    with atomic_write(path) as temporary:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)
    return Path(path)


@contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Yield the path of a folder to create and fill, and move it to ``path`` when the block succeeds.

    An existing folder at ``path`` is exchanged atomically if the system supports that. Otherwise it is moved away
    first; if the process is killed between the two moves, ``recover`` moves it back.

    Raises:
        OSError: the folder cannot be written. The old folder at ``path`` is unchanged.
    """
    path = Path(os.path.realpath(path))
    with staging_folder(path) as folder:
        new = folder / path.name
        yield new
        for file in new.rglob("*"):
            fsync(file)
        if not path.exists():
            new.rename(path)
        elif not _exchange(new, path):
            path.rename(folder / "former")
            new.rename(path)


@contextmanager
def staging_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside ``path``, and remove it at the end.

    Raises:
        OSError: the folder of ``path`` cannot be written to, also where the block raised TensorFlow's own error.
    """
    with write_errors(path):
        recover(path)
        with _removed_folder(path.parent, f".{path.name}.", ".tmp") as folder, _lock(folder):
            yield folder


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yield a folder for temporary files in the system's place for them, and remove it at the end.

    Raises:
        OSError: there is no room for them.
    """
    place = Path(tempfile.gettempdir())
    with write_errors(place, only_full=True, reason=TEMPORARY_FILES), _removed_folder(place, TEMPORARY) as folder:
        yield folder


@contextmanager
def _removed_folder(parent: Path, prefix: str, suffix: str = "") -> Iterator[Path]:
    """Yield a new folder, and remove it after the block, also if a signal ends the command."""
    folder = parent / f"{prefix}{os.urandom(4).hex()}{suffix}"  # named before it exists, so it cannot be forgotten
    remove = partial(shutil.rmtree, folder, ignore_errors=True)
    with on_stop(remove):
        try:
            folder.mkdir(0o700)
            yield folder
        finally:
            remove()


def _lock(folder: Path) -> IO[str]:
    """Return a locked file in the folder, which marks it as in use until this process ends."""
    while True:
        folder.mkdir(0o700, exist_ok=True)
        with suppress(FileNotFoundError):  # another process removed the folder before it was locked
            lock = (folder / "lock").open("w")
            with suppress(OSError):  # a file system without locks, where ``recover`` does nothing either
                fcntl.flock(lock, fcntl.LOCK_EX)
            if (folder / "lock").exists():
                return lock
            lock.close()


def recover(path: Path) -> None:
    """Remove the temporary folders that killed processes left beside ``path``, and restore a folder moved away."""
    pattern = re.compile(re.escape(f".{path.name}.") + r"[a-z0-9_]{8}\.tmp")
    for folder in path.parent.iterdir() if path.parent.is_dir() else ():
        if not pattern.fullmatch(folder.name):
            continue
        with suppress(OSError):
            folder.rmdir()  # its process was killed before it locked the folder
        with suppress(OSError), (folder / "lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises while the writer is running
            if (folder / "former").exists() and not path.exists():
                (folder / "former").rename(path)
            shutil.rmtree(folder, ignore_errors=True)


def fsync(path: Path) -> None:
    """Flush ``path`` to the disk, so that a rename never publishes an incomplete file."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders atomically; return False if the system or the file system does not support it."""
    libc = ctypes.CDLL(None)
    names = os.fsencode(one), os.fsencode(other)
    if sys.platform == "darwin" and hasattr(libc, "renamex_np"):
        return libc.renamex_np(*names, 2) == 0  # RENAME_SWAP of <sys/stdio.h>
    if hasattr(libc, "renameat2"):
        here = -100  # AT_FDCWD of <fcntl.h>
        return libc.renameat2(here, names[0], here, names[1], 2) == 0  # RENAME_EXCHANGE of <linux/fs.h>
    return False


@contextmanager
def lock(path: str | Path) -> Iterator[None]:
    """Hold a lock file for the length of the block, or until the process ends, however that happens.

    On a file system without locks it holds nothing.

    Raises:
        BlockingIOError: another process holds it.
        OSError: the file cannot be created.
    """
    descriptor = _open_lock(Path(path))
    try:
        yield
    finally:
        with suppress(OSError):
            Path(path).unlink()  # before it is closed, so that nobody locks a file that is removed
        os.close(descriptor)


def _open_lock(path: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise
        except OSError:  # a file system without locks
            return descriptor
        with suppress(FileNotFoundError):  # its last holder removed it in between
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        os.close(descriptor)
