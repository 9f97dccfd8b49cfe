"""The names of a dataset's classes."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Any

from study_keras import limits, plain_text
from study_keras.data.readers import idx

MAX_LENGTH = 1_000  # characters of a name

# Source: the tables in Fashion-MNIST's and KMNIST's READMEs, and EMNIST's mapping files.
FASHION = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
KUZUSHIJI = ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]
MERGED = [*digits, *ascii_uppercase, *"abdefghnqrt"]  # the other small letters share a class with their capitals
EMNIST = {
    "emnist-letters-": [*ascii_lowercase],  # small and capital letters in one class
    "emnist-balanced-": MERGED,
    "emnist-bymerge-": MERGED,
    "emnist-byclass-": [*digits, *ascii_uppercase, *ascii_lowercase],
}
# Fashion-MNIST's and KMNIST's files have the same names as MNIST's. MD5 sums of the training labels as published, and
# of Fashion-MNIST's also unpacked.
LABELS = {
    "25c81989df183df01b3e8a0aad5dffbe": FASHION,
    "9018921c3c673c538a1fc5bad174d6f9": FASHION,
    "e144d726b3acfaa3e44228e80efcd344": KUZUSHIJI,
}
NAMES_BY_KEYWORD = {"fashion": FASHION, "kmnist": KUZUSHIJI, "kuzushiji": KUZUSHIJI}


def find_class_names(path: str | Path | None, count: int) -> list[str] | None:
    """Return the names of a dataset's classes, in the order of their labels, or None if its classes are digits.

    They are read from ``classes.txt``, one name a line, in the dataset's folder; from ``NAME.classes.txt`` beside
    ``NAME.npz``; or from ``PREFIX-classes.txt`` beside the files of one dataset among several. Without such a file
    EMNIST is recognized by its file names, Fashion-MNIST and KMNIST by the checksum of their labels or by the name of
    the folder or file.

    Args:
        path: as ``load_data`` takes it.
        count: the number of classes.

    Raises:
        ValueError: the file has too few names, or one that ``check_names`` refuses.
    """
    if path is None:
        return None
    path = Path(path)
    prefix = None if path.is_dir() else idx.prefix_of(path)
    if path.is_dir():
        file = path / "classes.txt"
    else:
        file = path.with_suffix(".classes.txt") if prefix is None else path.with_name(f"{prefix}classes.txt")
    if file.exists():
        return _read(file, count)
    known = _recognize(path, prefix)
    return known if known and count <= len(known) else None


def class_name(label: int, names: Sequence[str] | None) -> str:
    """Return the name of a class in printable characters, or its number if it has no name."""
    return plain_text.printable(names[label]) if names and label < len(names) else str(label)


def check_names(names: Any, place: Callable[[int], str]) -> list[str]:
    """Return the names of classes, from a file of somebody else.

    Args:
        names: a value from JSON, or the lines of a file.
        place: returns where the name with an index stands, for the error message.

    Raises:
        ValueError: they are not a list of 1 to ``limits.MAX_CLASSES`` different names, or one of them is not a text of
            1 to ``MAX_LENGTH`` printable characters. The message begins with the place.
    """
    if not isinstance(names, list) or not 1 <= len(names) <= limits.MAX_CLASSES:
        found = f"{len(names):,} names" if isinstance(names, list) else plain_text.shorten(names)
        raise ValueError(f"classes are {found}; expected a list of 1 to {limits.MAX_CLASSES:,} names")
    first: dict[str, int] = {}
    for number, name in enumerate(names):
        if reason := _fault(name):
            raise ValueError(f"{place(number)} {reason}; expected the name of a class")
        if first.setdefault(name, number) != number:
            raise ValueError(f"{place(number)} and {place(first[name])} have the same name, {plain_text.shorten(name)}")
    return names


def _fault(name: Any) -> str:
    """Return why a value cannot be the name of a class, or "" if it can."""
    if not isinstance(name, str):
        return f"is {plain_text.shorten(name)}"
    if not name.strip():
        return "is empty"
    if len(name) > MAX_LENGTH:
        return f"has {len(name):,} characters, more than {MAX_LENGTH:,}"
    strange = next((one for one in name if not plain_text.is_printable(one)), "")
    return f"contains the character {plain_text.printable(strange)}" if strange else ""


def _read(path: Path, count: int) -> list[str]:
    text = _decoded(path).rstrip().replace("\r\n", "\n").replace("\r", "\n")
    try:
        names = check_names([line.strip() for line in text.split("\n")], lambda index: f"line {index + 1}")
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    if len(names) < count:
        raise ValueError(f"{path}: has {len(names)} names but the data has {count} classes; expected as many lines")
    return names


def _decoded(path: Path) -> str:
    content = limits.read_bytes(path, limits.MAX_RECORD_BYTES)
    try:
        return plain_text.decode(content)
    except ValueError as error:
        raise ValueError(f"{path}: {error}; expected the name of a class in each line") from error


def _recognize(path: Path, prefix: str | None) -> list[str] | None:
    if path.is_dir():
        files, text = idx.label_files(path), path.resolve().name
    else:
        files = [] if prefix is None else idx.label_files(path.parent, prefix)
        text = path.name if prefix is None else path.resolve().parent.name
    for file in files:
        file_prefix = idx.prefix_of(file) or ""
        if file_prefix.startswith(("emnist", "qmnist")):
            return EMNIST.get(file_prefix)
        if known := LABELS.get(hashlib.md5(limits.read_bytes(file, 2**24), usedforsecurity=False).hexdigest()):
            return known
        text += f" {file_prefix}"
    return next((names for keyword, names in NAMES_BY_KEYWORD.items() if keyword in text.lower()), None)
