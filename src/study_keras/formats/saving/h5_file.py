"""``.h5`` files of Keras 3 and Keras 2: structure, weights and optimizer in one HDF5 file."""

from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from study_keras import files, limits, plain_text
from study_keras.formats.keras_internals import save_hdf5
from study_keras.formats.saving import hdf5, optimizer_state, safe_config, weights_h5
from study_keras.startup import quiet


def save_h5(model: keras.Model, path: str | Path) -> Path:
    """Write the entire ``model`` to ``path``, atomically, and return the path.

    Raises:
        ValueError: ``path`` does not end in ``.h5``.
        OSError: the file cannot be written.
    """
    path = Path(path)
    if path.suffix not in (".h5", ".hdf5") or path.name.endswith(".weights.h5"):
        raise ValueError(f"{path}: expected a name that ends in .h5, but not in .weights.h5")
    settings = getattr(getattr(model, "_compile_config", None), "config", {})
    saved = dict(settings)
    try:
        with files.atomic_open(path) as file, h5py.File(file, "w") as opened, quiet():
            save_hdf5(model, opened)
            file.check()  # HDF5 may crash when it reads an incomplete file
            hdf5.seal(opened)
    finally:
        settings.update(saved)  # Keras 3.15 removes the optimizer, which the next .keras would lack
    return path


@limits.reader
def load_h5(path: str | Path, custom_objects: dict[str, Any] | None = None) -> keras.Model:
    """Load a model from an ``.h5`` file of Keras 3 or Keras 2.

    Raises:
        ValueError: the file is missing or broken, or needs an object that is neither in Keras nor in
            ``custom_objects``.
    """
    path = Path(path)
    if not path.exists():
        raise ValueError(f"{path}: no such file; expected a model saved as .h5")
    with hdf5.open_checked(path, path) as file:
        if "model_config" not in file.attrs or "model_weights" not in file:
            raise ValueError("not a whole model; if it contains weights, load them into a model with load_weights")
        config = plain_text.parse_json(hdf5.text(file.attrs["model_config"]))
        version = hdf5.text(file.attrs["keras_version"]) if "keras_version" in file.attrs else None
        model = safe_config.build_model(config, custom_objects, version, hdf5.stored_bytes(file))
        weights_h5.assign_keras2(model, file["model_weights"])
        if "training_config" in file.attrs:
            compile_config = plain_text.parse_json(hdf5.text(file.attrs["training_config"]))
            safe_config.compile_model(model, compile_config, custom_objects)
            optimizer_state.restore_optimizer(model, _optimizer_state(file))
    return model


def _optimizer_state(file: h5py.File) -> list[np.ndarray]:
    """Return the optimizer's arrays in Keras 3's order: the step, then all moments of one weight after another.

    Optimizers before Keras 2.11 stored all first moments, then all second moments ("Adam/dense/kernel/m:0").
    """
    group = file.get("optimizer_weights")
    names = weights_h5.names(group, "weight_names") if group is not None else []
    weights = [name.rsplit("/", 1)[0] for name in names[1:]]
    if names and all(name.endswith(("/m:0", "/v:0", "/vhat:0")) for name in names[1:]):
        order = {weight: position for position, weight in reversed(list(enumerate(weights)))}
        names[1:] = sorted(names[1:], key=lambda name: order[name.rsplit("/", 1)[0]])
    stored = [group.get(name) for name in names]
    return [np.asarray(array) for array in stored if isinstance(array, h5py.Dataset)]
