"""``.keras`` files of Keras 3 and Keras 2: structure, weights and optimizer in one ZIP archive."""

import io
import json
import warnings
import zipfile
from pathlib import Path
from typing import Any

import keras

from study_keras import files, limits, plain_text, zip_archive
from study_keras.formats.keras_internals import save_zip
from study_keras.formats.saving import hdf5, optimizer_state, safe_config, weights_h5
from study_keras.formats.saving.h5_file import load_h5
from study_keras.startup import quiet

_WEIGHTS = "model.weights.h5"


def save_keras(model: keras.Model, path: str | Path) -> Path:
    """Write the entire ``model`` to ``path``, atomically, and return the path.

    Raises:
        ValueError: ``path`` does not end in ``.keras``.
        OSError: the file cannot be written.
    """
    path = files.check_suffix(path, ".keras")
    with files.atomic_open(path) as file, quiet():
        save_zip(model, file)
    return path


@limits.reader
def load_keras(path: str | Path, custom_objects: dict[str, Any] | None = None) -> keras.Model:
    """Load a model from a ``.keras`` file of Keras 3 or Keras 2, which before 2.12 was HDF5.

    Raises:
        ValueError: the file is missing or broken, or needs an object that is neither in Keras nor in
            ``custom_objects``.
    """
    path = Path(path)
    if hdf5.is_hdf5(path):
        return load_h5(path, custom_objects)
    try:
        members = _members(path)
        config = plain_text.parse_json(members.pop("config.json"))
        config = config if isinstance(config, dict) else {}
        compile_config = config.pop("compile_config", None)
        version = _version(members)
        model = _load(safe_config.check_config(config, custom_objects, version), members, custom_objects)
        if compile_config:
            safe_config.compile_model(model, compile_config, custom_objects)
            with hdf5.open_checked(io.BytesIO(members[_WEIGHTS]), _WEIGHTS) as file:
                optimizer_state.restore_optimizer(model, weights_h5.read_optimizer(file))
        return model
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: cannot be read as a Keras model: {error}") from error


@limits.reader
def load_weights_keras(model: keras.Model, path: str | Path) -> None:
    """Load the weights in a ``.keras`` file into ``model``, or change nothing if they do not fit.

    Raises:
        ValueError: the file is missing or broken, or its weights do not fit; the message names the first difference.
    """
    if hdf5.is_hdf5(path):
        return weights_h5.load_weights_h5(model, path)
    try:
        weights = _members(Path(path))[_WEIGHTS]
        with hdf5.open_checked(io.BytesIO(weights), _WEIGHTS) as file:
            weights_h5.assign(model, file)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error
    return None


def _version(members: dict[str, bytes]) -> Any:
    """Return the version of Keras that wrote the archive, or None if it is not recorded."""
    metadata = plain_text.parse_json(members.get("metadata.json", b"null"))
    return metadata.get("keras_version") if isinstance(metadata, dict) else None


def _members(path: Path) -> dict[str, bytes]:
    """Return the contents of the archive by name, after checking names, sizes and checksums.

    Raises:
        ValueError: it is not the archive of a model, is damaged, has unsafe paths, or is a zip bomb.
    """
    with zip_archive.open_zip(path) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        members = {entry.filename: zip_archive.read_entry(archive, entry) for entry in entries}
    if missing := {"config.json", _WEIGHTS} - members.keys():
        raise ValueError(f"no {sorted(missing)[0]} in the archive")
    return members


def _load(config: Any, members: dict[str, bytes], custom_objects: dict[str, Any] | None) -> keras.Model:
    """Let Keras load a new archive that contains only checked entries."""
    with hdf5.open_checked(io.BytesIO(members[_WEIGHTS]), _WEIGHTS) as file:
        stored = hdf5.stored_bytes(file)
    with files.temporary_folder() as folder, warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # Keras only warns about weights that it skips
        clean = Path(folder, "clean.keras")
        with zipfile.ZipFile(clean, "w") as archive:
            for name, content in {**members, "config.json": json.dumps(config).encode()}.items():
                archive.writestr(name, content)
        try:
            with safe_config.checked_weights(stored):
                model = keras.saving.load_model(clean, custom_objects, compile=False, safe_mode=True)
        except Exception as error:
            raise ValueError(safe_config.error_summary(error)) from error
    if not isinstance(model, keras.Model):
        raise ValueError(f"expected a model, found {type(model).__name__}")
    return model
