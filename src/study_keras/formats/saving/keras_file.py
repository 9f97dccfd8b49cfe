"""The ``.keras`` file of Keras 3 and Keras 2: structure, weights and optimizer in one ZIP archive."""

import io
import json
import tempfile
import warnings
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Any

import keras

from study_keras import files
from study_keras.formats.saving import hdf5, structure, training, weights_h5
from study_keras.formats.saving.h5_file import load_h5
from study_keras.startup import quiet

_WEIGHTS = "model.weights.h5"


def save_keras(model: keras.Model, path: str | Path) -> Path:
    """Write all of ``model`` to ``path``, whole or not at all, and return the path.

    Raises:
        ValueError: ``path`` does not end in ``.keras``.
        OSError: the file cannot be written.
    """
    path = Path(path)
    if path.suffix != ".keras":
        raise ValueError(f"{path}: expected a name that ends in .keras")
    with files.atomic_write(path) as temporary, quiet():
        model.save(temporary)
    return path


def load_keras(path: str | Path, custom_objects: dict[str, Any] | None = None) -> keras.Model:
    """Read a whole model from a ``.keras`` file of Keras 3 or Keras 2; before 2.12 that was HDF5.

    Raises:
        ValueError: the file is missing or broken, or names what is not of Keras nor in ``custom_objects``.
    """
    path = Path(path)
    if hdf5.is_hdf5(path):
        return load_h5(path, custom_objects)
    try:
        members = _members(path)
        config = structure.parse(members.pop("config.json"))
        config = config if isinstance(config, dict) else {}
        compile_config = config.pop("compile_config", None)
        version = _version(members)
        model = _load(structure.checked(config, custom_objects, version), members, custom_objects)
        if compile_config:
            structure.compile_as(model, compile_config, custom_objects)
            with hdf5.open_checked(io.BytesIO(members[_WEIGHTS]), _WEIGHTS) as file:
                training.restore_optimizer(model, weights_h5.optimizer_state(file))
        return model
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: cannot be read as a Keras model: {error}") from error


def load_weights_keras(model: keras.Model, path: str | Path) -> None:
    """Put the weights in a ``.keras`` file into ``model``; change nothing if they do not fit.

    Raises:
        ValueError: the file is missing or broken, or the model is another one; the message says where.
    """
    if hdf5.is_hdf5(path):
        return weights_h5.load_weights_h5(model, path)
    try:
        weights = _members(Path(path))[_WEIGHTS]
        with hdf5.open_checked(io.BytesIO(weights), _WEIGHTS) as file:
            weights_h5.put(model, file)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error
    return None


def _version(members: dict[str, bytes]) -> Any:
    """Return the version of the Keras that wrote the archive, or None where it does not say."""
    metadata = structure.parse(members.get("metadata.json", b"null"))
    return metadata.get("keras_version") if isinstance(metadata, dict) else None


def _members(path: Path) -> dict[str, bytes]:
    """Return what the archive holds by name, each part checked against its checksum.

    Raises:
        ValueError: it is no archive of a model, is damaged, leads out of itself, or is packed to burst.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            found = [entry.filename for entry in entries]
            if len(set(found)) != len(found):
                raise ValueError("two parts have the same name")
            for entry in entries:
                _check_entry(entry)
            members = {entry.filename: archive.read(entry) for entry in entries if not entry.is_dir()}
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, zlib.error) as error:
        raise ValueError(f"not a whole ZIP archive: {error}") from error
    if missing := {"config.json", _WEIGHTS} - members.keys():
        raise ValueError(f"no {sorted(missing)[0]} in the archive")
    return members


def _check_entry(entry: zipfile.ZipInfo) -> None:
    name = PurePosixPath(entry.filename)
    if name.is_absolute() or ".." in name.parts or "\\" in entry.filename or ":" in entry.filename:
        raise ValueError(f"the part {entry.filename!r} would be written outside of the archive's folder")
    if entry.external_attr >> 16 & 0o170000 == 0o120000:
        raise ValueError(f"the part {entry.filename!r} is a symbolic link")
    if entry.file_size > 1000 * entry.compress_size or entry.file_size > 100 * entry.compress_size + (1 << 28):
        raise ValueError(f"the part {entry.filename!r} unpacks to {entry.file_size:,} bytes; refused as a trap")


def _load(config: Any, members: dict[str, bytes], custom_objects: dict[str, Any] | None) -> keras.Model:
    """Hand Keras an archive of its own making, with nothing in it that has not been checked."""
    with hdf5.open_checked(io.BytesIO(members[_WEIGHTS]), _WEIGHTS):
        pass
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # Keras only warns of what it leaves out
        clean = Path(folder, "clean.keras")
        with zipfile.ZipFile(clean, "w") as archive:
            for name, content in {**members, "config.json": json.dumps(config).encode()}.items():
                archive.writestr(name, content)
        try:
            model = keras.saving.load_model(clean, custom_objects, compile=False, safe_mode=True)
        except Exception as error:
            raise ValueError(structure.reason(error)) from error
    if not isinstance(model, keras.Model):
        raise ValueError(f"expected a model, found {type(model).__name__}")
    return model
