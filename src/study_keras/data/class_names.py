"""What the classes of a data set are called."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from string import ascii_lowercase, ascii_uppercase, digits

from study_keras.data.readers import idx

# Source: the tables in Fashion-MNIST's and KMNIST's READMEs, and EMNIST's mapping files.
FASHION = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
KUZUSHIJI = ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]
MERGED = [*digits, *ascii_uppercase, *"abdefghnqrt"]  # the other small letters look like their capitals
EMNIST = {
    "emnist-letters-": [*ascii_lowercase],  # small and capital letters in one class
    "emnist-balanced-": MERGED,
    "emnist-bymerge-": MERGED,
    "emnist-byclass-": [*digits, *ascii_uppercase, *ascii_lowercase],
}
# Fashion-MNIST's and KMNIST's files have MNIST's own names. The MD5 sums of the training labels as published; of
# Fashion-MNIST's also unpacked.
LABELS = {
    "25c81989df183df01b3e8a0aad5dffbe": FASHION,
    "9018921c3c673c538a1fc5bad174d6f9": FASHION,
    "e144d726b3acfaa3e44228e80efcd344": KUZUSHIJI,
}
PARTS_OF_NAMES = {"fashion": FASHION, "kmnist": KUZUSHIJI, "kuzushiji": KUZUSHIJI}


def class_names(path: str | Path | None, count: int) -> list[str] | None:
    """Return the names of a data set's classes, in the order of their labels; None where they are its digits.

    They stand in ``classes.txt``, one a line, in the data's folder; ``NAME.classes.txt`` beside ``NAME.npz``; or
    ``PREFIX-classes.txt`` beside the files of one set among several. Without such a file EMNIST is known by its
    files' names, Fashion-MNIST and KMNIST by the checksum of their labels or by a folder or file that is called so.

    Args:
        path: as ``data.load_data`` takes it.
        count: how many classes the data has.

    Raises:
        ValueError: the file names too few classes or leaves a line empty.
    """
    if path is None:
        return None
    path = Path(path)
    prefix = None if path.is_dir() else idx.prefix_of(path)
    if path.is_dir() or prefix is not None:
        folder = path if path.is_dir() else path.parent
        own = folder / f"{prefix or ''}classes.txt"
    else:
        own = path.with_suffix(".classes.txt")
    if own.exists():
        return _read(own, count)
    known = _known(path, prefix)
    return known if known and count <= len(known) else None


def name_of(label: int, names: Sequence[str] | None) -> str:
    """Return what a class is called: by its number where it has no name."""
    return names[label] if names and label < len(names) else str(label)


def _read(path: Path, count: int) -> list[str]:
    try:
        names = [line.strip() for line in path.read_text(encoding="utf-8").rstrip().splitlines()]
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not text in UTF-8; expected the name of a class in each line") from error
    if "" in names:
        raise ValueError(f"{path}: line {names.index('') + 1} is empty; expected the name of a class in each line")
    if len(names) < count:
        raise ValueError(f"{path}: names {len(names)} classes; the data has {count}, expected as many lines")
    return names


def _known(path: Path, prefix: str | None) -> list[str] | None:
    if path.is_dir():
        files, called = idx.label_files(path), path.resolve().name
    else:
        files = [] if prefix is None else idx.label_files(path.parent, prefix)
        called = path.name if prefix is None else path.resolve().parent.name
    for file in files:
        begins = idx.prefix_of(file) or ""
        if begins.startswith(("emnist", "qmnist")):
            return EMNIST.get(begins)
        if known := LABELS.get(hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()):
            return known
        called += f" {begins}"
    return next((names for part, names in PARTS_OF_NAMES.items() if part in called.lower()), None)
