"""ZIP archives whose entries are checked before any of them is unpacked."""

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from study_keras import limits

MAX_DIRECTORY_BYTES = 4 * 2**20  # of the list of entries, about 60 bytes each
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # LZMA may ask for 4 GB of memory to unpack a byte


@contextmanager
def open_zip(path: str | Path) -> Iterator[zipfile.ZipFile]:
    """Open an archive for reading. Within the block, errors about its content become a ValueError.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not a regular file or not a complete archive; an entry is encrypted, compressed by another
            method than deflate, twice there, a link, or has a path that leads outside of the archive.
    """
    try:
        with limits.open_file(path) as file:
            _check_directory(file)
            with zipfile.ZipFile(file) as archive:
                names = archive.namelist()
                if len(set(names)) != len(names):
                    raise ValueError("two entries have the same name")
                for entry in archive.infolist():
                    _check_entry(entry)
                yield archive
    # zipfile raises all of these for broken archives
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, zlib.error, struct.error) as error:
        raise ValueError(f"not a complete ZIP archive: {error or 'it ends too early'}") from error


def read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Unpack an entry, and count its size against the total of this load.

    Raises:
        ValueError: it is too large, or shorter than the archive says.
    """
    limits.take(entry.file_size, f"the entry {entry.filename!r}")
    with archive.open(entry) as file:
        content = file.read(entry.file_size)  # without a size, zipfile unpacks more than the entry declares
    if len(content) != entry.file_size:
        raise ValueError(f"the entry {entry.filename!r} has {len(content):,} bytes, expected {entry.file_size:,}")
    return content


def _check_directory(file: BinaryIO) -> None:
    """Refuse a list of entries that would take much memory, before zipfile reads all of it."""
    size = file.seek(0, 2)
    file.seek(max(0, size - 22 - 2**16))  # the record at the end has 22 bytes, and a comment of at most 65,535
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    directory = struct.unpack("<I", tail[at + 12 : at + 16])[0] if 0 <= at <= len(tail) - 22 else 0
    if directory > MAX_DIRECTORY_BYTES:
        raise ValueError(f"the list of entries has {directory:,} bytes; expected at most {MAX_DIRECTORY_BYTES:,}")


def _check_entry(entry: zipfile.ZipInfo) -> None:
    path = PurePosixPath(entry.filename)
    if path.is_absolute() or ".." in path.parts or "\\" in entry.filename or ":" in entry.filename:
        raise ValueError(f"the path of the entry {entry.filename!r} leads outside the archive")
    if stat.S_ISLNK(entry.external_attr >> 16):  # the mode of a Unix system
        raise ValueError(f"the entry {entry.filename!r} is a symbolic link")
    if entry.flag_bits & 1:
        raise ValueError(f"the entry {entry.filename!r} is encrypted")
    if entry.compress_type not in METHODS:
        raise ValueError(f"the entry {entry.filename!r} has the compression method {entry.compress_type}, not deflate")
    if entry.file_size > 1000 * entry.compress_size + 2**20 or entry.file_size > 100 * entry.compress_size + 2**28:
        raise ValueError(f"the entry {entry.filename!r} unpacks to {entry.file_size:,} bytes; refused as a zip bomb")
