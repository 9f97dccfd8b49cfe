"""A model's structure as JSON: Keras 3 writes it, and that of Keras 2 is read as well."""

from pathlib import Path
from typing import Any

import keras

from study_keras import files
from study_keras.formats.saving import structure
from study_keras.startup import quiet


def save_json(model: keras.Model, path: str | Path) -> Path:
    """Write the structure of ``model``, without its weights, to ``path`` and return the path.

    Raises:
        ValueError: ``path`` does not end in ``.json``.
        OSError: the file cannot be written.
    """
    path = Path(path)
    if path.suffix != ".json":
        raise ValueError(f"{path}: expected a name that ends in .json")
    with files.atomic_write(path) as temporary, quiet():
        temporary.write_text(model.to_json(indent=2) + "\n", encoding="utf-8")
    return path


def load_json(path: str | Path, custom_objects: dict[str, Any] | None = None) -> keras.Model:
    """Build the model whose structure ``path`` holds; its weights are fresh.

    Raises:
        ValueError: the file is missing, broken, or names what is not of Keras nor in ``custom_objects``.
    """
    path = Path(path)
    try:
        return structure.build(structure.parse(path.read_bytes()), custom_objects)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: cannot be read as a model's structure: {error}") from error


def is_tfjs(path: str | Path) -> bool:
    """Say whether a JSON file is that of a TF.js model, which names its weights beside the topology."""
    try:
        found = structure.parse(Path(path).read_bytes())
    except (OSError, ValueError):
        return False  # whoever loads it says what is wrong
    return isinstance(found, dict) and {"modelTopology", "weightsManifest"} <= found.keys()
