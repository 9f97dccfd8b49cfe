"""A TensorFlow SavedModel: a folder that runs without Keras."""

from collections.abc import Callable
from pathlib import Path

import keras

from study_keras import files
from study_keras.formats.proof.prove import Proof, prove_export
from study_keras.runtimes.saved_model import SUMS, digests
from study_keras.startup import quiet


def save_saved_model(model: keras.Model, path: str | Path, prove: bool | Callable[[Proof], None] = True) -> Path:
    """Write ``model`` for inference as a SavedModel folder at ``path`` and return the path.

    Args:
        prove: whether the folder is compared with Keras before it gets its name; a function is called with the
            ``Proof``.

    Raises:
        ValueError: ``path`` is a file or a folder that is not a SavedModel, or the outputs differ from Keras'.
        OSError: the folder cannot be written. A folder that was there is unchanged.
    """
    path = Path(path)
    files.recover(path)
    if path.exists() and not (path / "saved_model.pb").is_file() and (path.is_file() or any(path.iterdir())):
        raise ValueError(f"{path}: something else exists there; expected a free name or a SavedModel to replace")
    with files.atomic_folder(path) as folder, quiet():
        model.export(folder, format="tf_saved_model", verbose=False)
        (folder / SUMS).write_text("".join(f"{digest}  {name}\n" for name, digest in digests(folder)))
        prove_export(prove, model, folder)
    return path
