"""What a failed write says, and how a library is kept from failing badly at it."""

import errno
import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FILE = "cannot be written ({why}); the old content is unchanged; {advice}"
TEMPORARY_FILES = "no room for temporary files ({why}); free some space there, or set TMPDIR to another folder"
LOGS = "cannot be written ({why}); {advice}; then go on with --resume"
TEMPORARY = "hello-mnist-"  # how the names of temporary folders begin
ADVICE = {
    errno.ENOSPC: "free some space there, or choose another folder",
    errno.EDQUOT: "free some space there, or choose another folder",
    errno.EFBIG: "raise the limit of a file's size, or choose another folder",
    errno.EIO: "check the disk, or choose a folder on another one",
}


def write_error(number: int, reason: str, path: str) -> OSError:
    """Return an ``OSError`` whose reason is complete, so that ``write_errors`` changes nothing about it."""
    error = OSError(number, reason, path)  # of the class for its number, such as PermissionError
    error.__dict__["complete"] = True
    return error


@contextmanager
def write_errors(path: str | Path, *, only_full: bool = False, reason: str = FILE) -> Iterator[None]:
    """Raise the block's errors of writing, those of TensorFlow and HDF5 too, as an ``OSError`` about ``path``.

    Args:
        path: what is to be written, whatever the name of the temporary file.
        only_full: whether the block also reads: then only errors that a write alone can have. ``path`` is the folder.
        reason: the message, with ``{why}`` and ``{advice}`` in it.

    Raises:
        OSError: the block could not write.
    """
    try:
        yield
    except Exception as error:
        number = _errno(error)
        if not _is_about(error, number, path, only_full):
            raise
        raise write_error(number or 0, _reason(error, number, only_full, reason), str(path)) from error


def _is_about(error: Exception, number: int | None, path: str | Path, temporary: bool) -> bool:
    """Return whether an error of a block that writes is one of writing, and does not name another file already."""
    if _is_complete(error):
        own = f"{path}/{TEMPORARY}" if temporary else f"/.{Path(path).name}."
        return own in str(getattr(error, "filename", ""))
    return number in FULL if temporary else isinstance(error, OSError) or number is not None


def _is_complete(error: Exception) -> bool:
    return "complete" in error.__dict__


def _reason(error: Exception, number: int | None, temporary: bool, reason: str) -> str:
    if isinstance(error, OSError) and _is_complete(error) and not temporary:  # of this file under its temporary name
        return str(error.strerror)
    why = os.strerror(number) if number else str(error)
    advice = ADVICE.get(number or 0, "choose another folder")
    return reason.format(why=why, advice=advice)


def _errno(error: Exception) -> int | None:
    """Return the system's number of an error, also of one that a library only quotes in its own error."""
    if isinstance(error, OSError) and error.errno:
        return error.errno
    if re.search(r"\d+ requested and \d+ written", str(error)):  # NumPy
        return errno.ENOSPC
    known = (*ADVICE, errno.EACCES, errno.EROFS)
    return next((number for number in known if os.strerror(number) in str(error)), None)


class DeferredErrors(io.BytesIO):
    """A file whose first failed write is raised at the end; what is written after it is lost.

    HDF5 crashes after a failed write, and ``zipfile`` complains of it once more when it is collected. Keras demands a
    ``BytesIO``, but the bytes are in the file.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.name = str(path)
        self.error: OSError | None = None
        self._file = path.open("w+b", buffering=0)

    def __str__(self) -> str:  # Keras looks at the suffix
        return self.name

    def __enter__(self) -> "DeferredErrors":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            self._file.close()
        except OSError as failed:
            self.error = self.error or failed
        if self.error and (kind is None or issubclass(kind, Exception)):
            raise self.error from None

    def check(self) -> None:
        """Raise the first error now, before what was written is read again.

        Raises:
            OSError: a write has failed.
        """
        if self.error:
            raise self.error

    def write(self, data: Any) -> int:
        left = memoryview(data).cast("B")
        size = len(left)
        try:
            while left and not self.error:
                left = left[self._file.write(left) :]
        except OSError as error:
            self.error = error
        self._file.seek(len(left), os.SEEK_CUR)  # as if all had been written
        return size

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        count = self._file.readinto(view)
        return count if not self.error else view.nbytes

    def read(self, size: int | None = -1) -> bytes:
        return self._file.read(-1 if size is None else size)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def truncate(self, size: int | None = None) -> int:
        try:
            return self._file.truncate(size)
        except OSError as error:
            self.error = self.error or error
            return self.tell() if size is None else size

    def getvalue(self) -> bytes:
        raise io.UnsupportedOperation("the content is in the file")
