"""What is told of a training, beside its model and inside an unfinished one. Needs no Keras."""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from study_keras import files

UNFINISHED = "hello_mnist.unfinished.keras"
RECORD = "how_it_was_made.json"  # an entry inside UNFINISHED


def save_record(record: Mapping[str, Any], model_path: str | Path) -> Path:
    """Write ``record`` beside the model, as ``NAME.json``, and return its path."""
    path = Path(model_path).with_suffix(".json")
    with files.atomic_write(path) as temporary:
        temporary.write_text(json.dumps(record, indent=1) + "\n")
    return path


def load_record(model_path: str | Path) -> dict[str, Any] | None:
    """Return the record beside a model, or ``None`` where there is none that can be read."""
    try:
        record = json.loads(Path(model_path).with_suffix(".json").read_text())
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and "settings" in record else None


def class_names(model_path: str | Path | None) -> list[str] | None:
    """Return what the record beside a model says that its classes are called, or None where it says nothing."""
    record = load_record(model_path) if model_path else None
    names = (record or {}).get("classes")
    known = isinstance(names, list) and names and all(isinstance(name, str) and name for name in names)
    return names if known else None


def carry_record(source: str | Path, target: str | Path) -> None:
    """Let the record beside a model that knows its classes' names stand beside its copy too; no other file is lost."""
    record, place = load_record(source), Path(target).with_suffix(".json")
    same = place.resolve() == Path(source).with_suffix(".json").resolve()
    if record and class_names(source) and not same and (load_record(target) or not place.exists()):
        save_record(record, target)


def unfinished_record(folder: Path) -> dict[str, Any]:
    """Return the record, with the ``history`` so far, of the unfinished training in ``folder``.

    Raises:
        ValueError: there is none, or it cannot be read.
    """
    path = folder / UNFINISHED
    if not path.exists():
        raise ValueError(f"{folder}: nothing to resume here; expected the file {UNFINISHED} of an interrupted training")
    try:
        with zipfile.ZipFile(path) as archive:
            return json.loads(archive.read(RECORD))
    except (KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: not an unfinished training: {error}") from error
