"""Training metadata: a JSON file beside the model, and an entry in the file of an unfinished training. No Keras."""

import json
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from study_keras import files
from study_keras.train.recipes import from_settings

UNFINISHED = "hello_mnist.unfinished.keras"
ENTRY = "how_it_was_made.json"  # inside UNFINISHED
MAX_BYTES = 2**24


def save_metadata(metadata: Mapping[str, Any], model_path: str | Path) -> Path:
    """Write ``metadata`` beside the model, as ``NAME.json``, and return its path."""
    return files.write(Path(model_path).with_suffix(".json"), json.dumps(metadata, indent=1) + "\n")


def load_metadata(model_path: str | Path) -> dict[str, Any] | None:
    """Return the metadata beside a model, or ``None`` if there is none or it cannot be read."""
    try:
        metadata = json.loads(Path(model_path).with_suffix(".json").read_text())
    except (OSError, ValueError):
        return None
    return metadata if isinstance(metadata, dict) and "settings" in metadata else None


def load_class_names(model_path: str | Path | None) -> list[str] | None:
    """Return the class names in the metadata beside a model, or ``None`` if there are none."""
    names = ((load_metadata(model_path) if model_path else None) or {}).get("classes")
    valid = isinstance(names, list) and names and all(isinstance(name, str) and name for name in names)
    return names if valid else None


def copy_metadata(source: str | Path, target: str | Path) -> None:
    """Copy metadata with class names from one model to another; never overwrite a file that is not metadata."""
    metadata, path = load_metadata(source), Path(target).with_suffix(".json")
    same = path.resolve() == Path(source).with_suffix(".json").resolve()
    if metadata and load_class_names(source) and not same and (load_metadata(target) or not path.exists()):
        save_metadata(metadata, target)


def load_unfinished_metadata(folder: Path) -> dict[str, Any]:
    """Return the metadata, with the ``history`` so far, of the unfinished training in ``folder``.

    Raises:
        ValueError: there is none, or it cannot be read.
    """
    path = folder / UNFINISHED
    if not path.exists():
        raise ValueError(f"{folder}: nothing to resume here; expected the file {UNFINISHED} of an interrupted training")
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(ENTRY).file_size > MAX_BYTES:
                raise ValueError(f"{ENTRY} is larger than {MAX_BYTES:,} bytes")
            metadata = json.loads(archive.read(ENTRY))
        _check_unfinished(metadata)
    except (
        KeyError,
        ValueError,
        RecursionError,
        OSError,
        NotImplementedError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise ValueError(f"{path}: not an unfinished training: {error}; expected one that was interrupted") from error
    return metadata


def _check_unfinished(metadata: Any) -> None:
    """Refuse metadata that ``checkpoint`` did not write, and name the field."""
    if not isinstance(metadata, dict):
        raise ValueError(f"{ENTRY} is {type(metadata).__name__}, not an object")
    for name, kind in {"settings": dict, "data": dict, "backend": str, "history": dict}.items():
        if not isinstance(metadata.get(name), kind):
            raise ValueError(f"{name} is {metadata.get(name)!r}, not {kind.__name__}")
    if not isinstance(metadata["data"].get("sha256"), str):
        raise ValueError(f"data.sha256 is {metadata['data'].get('sha256')!r}, not str")
    if not isinstance(metadata.get("data_path"), str | None):
        raise ValueError(f"data_path is {metadata['data_path']!r}, neither str nor null")
    for name, values in metadata["history"].items():
        if not isinstance(values, list) or not all(isinstance(value, int | float) for value in values):
            raise ValueError(f"history.{name} is {values!r}, not a list of numbers")
    if len({len(values) for values in metadata["history"].values()}) > 1:
        raise ValueError("history has lists of different lengths")
    from_settings(metadata["settings"])
