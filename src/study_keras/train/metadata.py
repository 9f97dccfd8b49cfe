"""Training metadata: a JSON file beside the model, and an entry in the file of an unfinished training. No Keras."""

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from study_keras import files, limits, plain_text, zip_archive
from study_keras.train.recipes import from_settings, is_number

UNFINISHED = "hello_mnist.unfinished.keras"
ENTRY = "how_it_was_made.json"  # inside UNFINISHED


def save_metadata(metadata: Mapping[str, Any], model_path: str | Path) -> Path:
    """Write ``metadata`` beside the model, as ``NAME.json``, and return its path."""
    return files.write(_path(model_path), plain_text.to_json(metadata, indent=1) + "\n")


def load_metadata(model_path: str | Path) -> dict[str, Any] | None:
    """Return the metadata beside a model, or ``None`` if there is none.

    A JSON object without ``settings``, such as the structure of a model, is no metadata.

    Raises:
        ValueError: ``NAME.json`` is not a JSON object, or a field of the metadata is not as ``save_metadata`` wrote it.
    """
    path = _path(model_path)
    if path == Path(model_path) or not path.exists():
        return None
    try:
        metadata = plain_text.parse_json(limits.read_bytes(path, limits.MAX_RECORD_BYTES))
        if not isinstance(metadata, dict):
            raise ValueError(f"{plain_text.shorten(metadata)} is not an object")
        if "settings" in metadata:
            _check(metadata)
    except (OSError, ValueError) as error:
        text = str(error).removeprefix(f"{path}: ")
        expected = f"expected what hello-mnist wrote beside {Path(model_path).name}: move the file away"
        raise ValueError(f"{path}: {text}; {expected}") from error
    return _with_floats(metadata) if "settings" in metadata else None


def load_class_names(model_path: str | Path | None) -> list[str] | None:
    """Return the class names in the metadata beside a model, or ``None`` if there are none.

    Raises:
        ValueError: as ``load_metadata``.
    """
    return ((load_metadata(model_path) if model_path else None) or {}).get("classes")


def copy_metadata(source: str | Path, target: str | Path) -> None:
    """Copy metadata with class names from one model to another; never overwrite a file that is not metadata.

    Raises:
        ValueError: the metadata of the ``source`` cannot be read.
    """
    metadata, path = load_metadata(source), _path(target)
    same = path.resolve() == _path(source).resolve() or path == Path(target)
    if metadata and metadata.get("classes") and not same and (not path.exists() or _is_metadata(target)):
        save_metadata(metadata, target)


@limits.reader
def load_unfinished_metadata(folder: Path) -> dict[str, Any]:
    """Return the metadata, with the ``history`` so far, of the unfinished training in ``folder``.

    Raises:
        ValueError: there is none, or it cannot be read.
    """
    path = folder / UNFINISHED
    if not path.exists():
        raise ValueError(f"{folder}: nothing to resume here; expected the file {UNFINISHED} of an interrupted training")
    try:
        metadata = plain_text.parse_json(_read_entry(path))
        _check_unfinished(metadata)
    except ValueError as error:
        raise ValueError(f"{path}: not an unfinished training: {error}; expected one that was interrupted") from error
    return _with_floats(metadata)


def _path(model_path: str | Path) -> Path:
    return Path(model_path).with_suffix(".json")


def _is_metadata(model_path: str | Path) -> bool:
    with suppress(ValueError):
        return load_metadata(model_path) is not None
    return False


def _read_entry(path: Path) -> bytes:
    with zip_archive.open_zip(path) as archive:
        entry = next((each for each in archive.infolist() if each.filename == ENTRY), None)
        if entry is None:
            raise ValueError(f"no {ENTRY} in the archive")
        if entry.file_size > limits.MAX_RECORD_BYTES:
            raise ValueError(f"{ENTRY} has {entry.file_size:,} bytes; expected at most {limits.MAX_RECORD_BYTES:,}")
        return zip_archive.read_entry(archive, entry)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and "\0" not in value


def _is_path(value: Any) -> bool:
    return value is None or (_is_text(value) and value != "")


_VALID: dict[str, tuple[Callable[[Any], bool], str]] = {
    "settings": (lambda value: isinstance(value, dict), "an object"),
    "data": (lambda value: isinstance(value, dict), "an object"),
    "versions": (lambda value: isinstance(value, dict), "an object"),
    "history": (lambda value: isinstance(value, dict), "an object"),
    "backend": (_is_text, "text"),
    "trained_by": (_is_text, "text"),
    "data_path": (_is_path, "a path or null"),
    "fit_seconds": (lambda value: value is None or is_number(value, 0), "seconds"),
}


def _check(metadata: Mapping[str, Any]) -> None:
    """Refuse metadata with a field of another type or out of its range, and name the field."""
    for name, (valid, expected) in _VALID.items():
        if name in metadata and not valid(metadata[name]):
            raise ValueError(f"{name} is {plain_text.shorten(metadata[name])}, not {expected}")
    if not _is_text(metadata.get("data", {}).get("sha256", "")):
        raise ValueError(f"data.sha256 is {plain_text.shorten(metadata['data']['sha256'])}, not text")
    if "classes" in metadata:
        from study_keras.data.class_names import check_names  # needs NumPy, which `hello-mnist --help` does not load

        check_names(metadata["classes"], "classes[{}]".format)
    _check_history(metadata.get("history", {}))


def _check_history(history: Mapping[str, Any]) -> None:
    for key, values in history.items():
        name = key[:40]
        if not isinstance(values, list):
            raise ValueError(f"history.{name} is {plain_text.shorten(values)}, not a list")
        for epoch, value in enumerate(values):
            if not (value is None or is_number(value, -1e300, 1e300)):
                raise ValueError(f"history.{name}[{epoch}] is {plain_text.shorten(value)}, not a number")
    if len({len(values) for values in history.values()}) > 1:
        raise ValueError("history has lists of different lengths")


def _with_floats(metadata: dict[str, Any]) -> dict[str, Any]:
    """Return metadata with NaN in the history where JSON has ``null``."""
    history = metadata.get("history")
    if history is None:
        return metadata
    floats = {name: [math.nan if value is None else float(value) for value in row] for name, row in history.items()}
    return {**metadata, "history": floats}


def _check_unfinished(metadata: Any) -> None:
    """Refuse metadata that ``checkpoint`` did not write, and name the field."""
    if not isinstance(metadata, dict):
        raise ValueError(f"{ENTRY} is {plain_text.shorten(metadata)}, not an object")
    for name in ("settings", "data", "backend", "history"):
        if name not in metadata:
            raise ValueError(f"{name} is missing")
    _check(metadata)
    if "sha256" not in metadata["data"]:
        raise ValueError("data.sha256 is missing")
    if metadata["history"] and "loss" not in metadata["history"]:
        raise ValueError("history.loss is missing")
    from_settings(metadata["settings"])
