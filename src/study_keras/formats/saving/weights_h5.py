"""Weights without structure in HDF5: ``.weights.h5`` of Keras 3, and the files of Keras 2."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from study_keras import files, limits
from study_keras.formats.saving import hdf5, optimizer_state, safe_config, weights
from study_keras.startup import quiet
from study_keras.write_errors import DeferredErrors


def save_weights_h5(model: keras.Model, path: str | Path) -> Path:
    """Write the weights of ``model`` and its optimizer state to ``path``, and return the path.

    Raises:
        ValueError: ``path`` does not end in ``.weights.h5``, or the model has not been built.
        OSError: the file cannot be written.
    """
    path = files.check_suffix(path, ".weights.h5")
    with files.atomic_open(path) as file, quiet():
        model.save_weights(file)
        file.check()  # HDF5 may crash when it reads an incomplete file
        with h5py.File(file, "r+") as opened:
            hdf5.seal(opened)
    return path


@limits.reader
def load_weights_h5(model: keras.Model, path: str | Path) -> None:
    """Load the weights of a file of Keras 3 or Keras 2 into ``model``, or change nothing if they do not fit.

    Also loads the optimizer state if the file has one and it fits the model's optimizer.

    Raises:
        ValueError: the file is missing or broken, or its weights do not fit; the message names the first difference.
    """
    path = Path(path)
    if not path.exists():
        raise ValueError(f"{path}: no such file; expected weights saved as .weights.h5")
    with hdf5.open_checked(path, path) as file:
        assign(model, file)


def assign(model: keras.Model, file: h5py.File) -> None:
    """Assign the weights in an open file of either layout to ``model``.

    Raises:
        ValueError: they do not fit. The model was not changed.
    """
    group = file.get("model_weights", file)
    if "layer_names" in group.attrs or "layer_names0" in group.attrs:
        return assign_keras2(model, group)
    _compare(model, file)
    state = read_optimizer(file)  # the last part that can be wrong, before anything is changed
    before = [weights.numpy(variable) for variable in model.variables]
    with files.temporary_folder() as folder, warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # Keras only warns about weights that it skips
        copy = Path(folder, "copy.weights.h5")
        with DeferredErrors(copy) as written, h5py.File(written, "w") as target:
            for name in file:
                file.copy(file[name], target, name)
        try:
            keras.saving.load_weights(model, copy, objects_to_skip=_optimizers(model))
        except Exception as error:
            for variable, value in zip(model.variables, before, strict=True):
                variable.assign(value)
            raise ValueError(f"Keras cannot read these weights: {safe_config.error_summary(error)}") from error
    optimizer_state.restore_optimizer(model, state)
    return None


def read_optimizer(file: h5py.File) -> list[np.ndarray]:
    """Return the arrays of the optimizer in a file of Keras 3, in order.

    Raises:
        ValueError: an array stands where the file should have a group of them.
    """
    group = file.get("optimizer/vars", {})
    if isinstance(group, h5py.Dataset):
        raise ValueError("optimizer/vars is an array; expected a group of arrays")
    stored = hdf5.arrays(group)
    return [np.asarray(stored[name]) for name in sorted(stored, key=lambda name: (len(name), name))]


def assign_keras2(model: keras.Model, group: h5py.Group) -> None:
    """Assign weights in Keras 2's layout, which is also that of ``.h5`` models, to ``model``.

    Raises:
        ValueError: they do not fit. The model was not changed.
    """
    layers = weights.weighted_layers(model)
    stored = {name: _stored(group, name) for name in names(group, "layer_names")}
    stored = {name: values for name, values in stored.items() if values}
    if set(stored) != {layer.name for layer in layers} and len(stored) != len(layers):
        raise ValueError(
            f"expected weights for {len(layers)} layers ({_first_names([layer.name for layer in layers])}), "
            f"found {len(stored)} ({_first_names(list(stored))}); load them into the model that they were saved from"
        )
    in_order = iter(stored)
    matches = []
    for layer in layers:
        following = next(in_order)  # layers with other names are matched in order, as in Keras 2
        values = stored[layer.name if set(stored) == {each.name for each in layers} else following]
        variables = layer.trainable_weights + layer.non_trainable_weights
        if len(values) != len(variables):
            raise ValueError(f"layer {layer.name}: expected {len(variables)} arrays, found {len(values)}")
        matches += [
            weights.Match(layer.name, variable.name, variable, value)
            for variable, value in zip(variables, values, strict=True)
        ]
    weights.assign(model, matches)


def names(group: h5py.Group, attribute: str) -> list[str]:
    """Return a list of names; HDF5 limits an attribute's size, so a long list is stored in numbered parts."""
    if attribute in group.attrs:
        return [hdf5.text(name) for name in group.attrs[attribute]]
    parts = sorted((key for key in group.attrs if key.startswith(attribute)), key=lambda key: (len(key), key))
    return [hdf5.text(name) for part in parts for name in group.attrs[part]]


def _stored(group: h5py.Group, name: str) -> list[Any]:
    layer = group.get(name)
    if not isinstance(layer, h5py.Group):
        raise ValueError(f"layer {name} is listed in the file, but its weights are missing")
    found = [layer.get(weight) for weight in names(layer, "weight_names")]
    if not all(isinstance(value, h5py.Dataset) for value in found):
        raise ValueError(f"layer {name}: weights are listed in the file, but missing")
    return found


def _compare(model: keras.Model, file: h5py.File) -> None:
    """Compare the file with the file that Keras writes for this model."""
    weights.weighted_layers(model)
    with files.temporary_folder() as folder, quiet():
        own = Path(folder, "own.weights.h5")
        with DeferredErrors(own) as written:
            keras.saving.save_weights(model, written, objects_to_skip=_optimizers(model))
        with h5py.File(own) as expected:
            found = {_normalize(place): array for place, array in hdf5.arrays(file).items()}
            for place, array in hdf5.arrays(expected).items():
                layer = hdf5.text(expected[place].parent.attrs.get("name", place))
                stored = found.pop(_normalize(place), None)
                weights.check(layer, place, array.shape, None if stored is None else stored.shape)
    if left := [place for place in found if place.startswith("layers/")]:
        raise ValueError(f"the file has weights that the model {model.name} lacks: {_first_names(left)}")


def _normalize(place: str) -> str:
    """Return a path in the file with Keras 3's names; Keras 2 used private names for some layers."""
    return place.replace("_layer_checkpoint_dependencies/", "layers/").replace("/_", "/")


def _optimizers(model: keras.Model) -> list[Any]:
    optimizer = getattr(model, "optimizer", None)
    return [] if optimizer is None else [optimizer]


def _first_names(items: Sequence[str]) -> str:
    return ", ".join(items[:5]) + (", …" if len(items) > 5 else "")


@limits.reader
def list_weights_h5(path: str | Path) -> list[tuple[str, tuple[int, ...]]]:
    """Return name and shape of all arrays in a ``.weights.h5`` file.

    Raises:
        ValueError: the file is missing or broken.
    """
    with hdf5.open_checked(path, path) as file:
        return [(name, tuple(item.shape)) for name, item in hdf5.arrays(file).items()]
