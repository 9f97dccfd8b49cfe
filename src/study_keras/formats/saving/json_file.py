"""A model's structure as JSON, written as Keras 3 does; the JSON of Keras 2 is read too."""

from pathlib import Path
from typing import Any

import keras

from study_keras import files, limits, plain_text
from study_keras.formats.saving import safe_config
from study_keras.startup import quiet


def save_json(model: keras.Model, path: str | Path) -> Path:
    """Write the structure of ``model``, without its weights, to ``path`` and return the path.

    Raises:
        ValueError: ``path`` does not end in ``.json``.
        OSError: the file cannot be written.
    """
    path = files.check_suffix(path, ".json")
    with quiet():
        return files.write(path, model.to_json(indent=2) + "\n")


@limits.reader
def load_json(path: str | Path, custom_objects: dict[str, Any] | None = None) -> keras.Model:
    """Build a model with new weights from the structure in ``path``.

    Raises:
        ValueError: the file is missing or broken, or needs an object that is neither in Keras nor in
            ``custom_objects``.
    """
    path = Path(path)
    try:
        return safe_config.build_model(
            plain_text.parse_json(limits.read_bytes(path, limits.MAX_JSON_BYTES)), custom_objects
        )
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: cannot be read as a model's structure: {error}") from error
