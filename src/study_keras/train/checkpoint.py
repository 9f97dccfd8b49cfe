"""Training that saves its model with metadata, and can be resumed after any epoch."""

import hashlib
import importlib
import platform
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np

from study_keras import files, formats, plain_text
from study_keras.data.dataset import Dataset, class_count, training_count
from study_keras.data.lazy_array import CHUNK_ROWS, read_rows
from study_keras.formats.keras_internals import save_zip
from study_keras.train import fit, models, ridge
from study_keras.train.metadata import ENTRY, UNFINISHED, load_unfinished_metadata, save_metadata
from study_keras.train.recipes import Recipe, to_settings

Unfinished = tuple[keras.Model, Mapping[str, Any]]  # the model and its metadata


def describe_training(dataset: Dataset, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return everything that determines the result of a training: settings, data and versions.

    Args:
        settings: plain values by name, as the user gave them.

    Returns:
        ``settings``, ``data`` (the number of images and the SHA-256 of all arrays' bytes), ``backend``,
        ``versions``, ready for JSON.
    """
    digest = hashlib.sha256()
    for array in (array for part in dataset for array in part):
        for start in range(0, len(array), CHUNK_ROWS):
            digest.update(np.ascontiguousarray(read_rows(array, start, start + CHUNK_ROWS)).data)
    backend = keras.backend.backend()
    versions = {"hello-mnist": version("hello-mnist"), "keras": keras.__version__, "numpy": np.__version__}
    versions[backend] = importlib.import_module(backend).__version__
    (x_train, _), (x_test, _) = dataset
    return {
        "settings": dict(settings),
        "data": {"training_images": len(x_train), "test_images": len(x_test), "sha256": digest.hexdigest()},
        "backend": backend,
        "versions": {"python": platform.python_version(), **versions},
    }


def differences(now: Mapping[str, Any], then: Mapping[str, Any]) -> list[str]:
    """Return a line for each difference of two descriptions that changes the result; versions may differ."""
    pairs = [(name, then["settings"].get(name), value) for name, value in now["settings"].items()]
    pairs.append(("the data's SHA-256", then["data"]["sha256"], now["data"]["sha256"]))
    pairs.append(("the backend", then["backend"], now["backend"]))
    return [f"{name} was {former}, now {value}" for name, former, value in pairs if former != value]


def train_and_save(
    dataset: Dataset,
    recipe: Recipe,
    folder: Path,
    *,
    metadata: Mapping[str, Any] | None = None,
    unfinished: Unfinished | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> tuple[keras.Model, Path, dict[str, Any]]:
    """Train the network of ``recipe`` and save it with its metadata as ``folder/hello_mnist.*``.

    If the process is killed, only the current epoch is lost; ``load_unfinished`` returns the rest.

    Args:
        recipe: with a seed.
        metadata: additional metadata, such as the command.
        unfinished: from ``load_unfinished``, to resume.

    Returns:
        The model, its path, and the metadata in ``hello_mnist.json`` beside it, including ``history`` and
        ``fit_seconds``, the time of the training with compilation.

    Raises:
        ValueError: the unfinished training had other settings, data or backend; the message says which.
        OSError: the folder cannot be written to.
    """
    metadata = {**(metadata or {}), **describe_training(dataset, to_settings(recipe))}
    fit.set_seed(recipe.seed or 0)
    model, history = _resume(unfinished, metadata) if unfinished else (_build_compiled(dataset, recipe), {})
    backup = SaveUnfinished(folder / UNFINISHED, metadata, history)
    started = time.perf_counter()
    settings: dict[str, Any] = {"batch_size": recipe.batch_size, "validation": recipe.validation}
    settings |= {"first_epoch": len(history.get("loss", ())), "callbacks": [backup, *callbacks]}
    if recipe.network == "ridge":
        ridge.fit(model, *dataset[0], **settings)
    else:
        settings |= {"augment": asdict(recipe.augment) if recipe.augment else None}
        fit.train(model, *dataset[0], **settings, epochs=recipe.epochs, seed=recipe.seed)
    metadata |= {"fit_seconds": time.perf_counter() - started, "history": backup.history}
    path = formats.save_keras(model, folder / "hello_mnist.keras")
    save_metadata(metadata, path)
    (folder / UNFINISHED).unlink()
    return model, path, metadata


def _build_compiled(dataset: Dataset, recipe: Recipe) -> keras.Model:
    model = models.build(recipe, class_count(dataset))
    images = training_count(len(dataset[0][0]), recipe.validation)
    schedule = {name: getattr(recipe, name) for name in ("rate", "average", "betas")}
    steps = recipe.epochs * -(-images // recipe.batch_size)
    models.compile(model, recipe.optimizer, recipe.one_hot, steps=steps, **schedule)
    return model


def _resume(unfinished: Unfinished, metadata: Mapping[str, Any]) -> tuple[keras.Model, Mapping[str, list[float]]]:
    model, former = unfinished
    if different := differences(metadata, former):
        raise ValueError(f"cannot resume: the settings differ: {'; '.join(different)}")
    return model, former["history"]


class SaveUnfinished(keras.callbacks.Callback):
    """Save everything needed to resume the training in one file, replaced after every epoch.

    It is a ``.keras`` file with weights and optimizer, and the metadata as an additional entry: a single file is
    consistent whenever the process is killed.

    Args:
        path: ends in ``.keras``.
        metadata: of ``describe_training``; the history so far is added to it.
        history: of the epochs before the first one.
    """

    def __init__(self, path: Path, metadata: Mapping[str, Any], history: Mapping[str, list[float]]) -> None:
        super().__init__()
        self.path = path
        self.metadata = metadata
        self.history = {name: list(values) for name, values in history.items()}

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        if not self.history:
            self._save()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(float(value))
        self._save()

    def _save(self) -> None:
        with files.atomic_open(self.path) as file:
            save_zip(self.model, file)
            with zipfile.ZipFile(file, "a") as archive:
                archive.writestr(ENTRY, plain_text.to_json({**self.metadata, "history": self.history}))


def load_unfinished(folder: Path) -> tuple[keras.Model, dict[str, Any]]:
    """Return the model and the metadata, with the ``history`` so far, of the unfinished training in ``folder``.

    Raises:
        ValueError: there is none, or it cannot be read.
    """
    metadata = load_unfinished_metadata(folder)
    return formats.load_keras(folder / UNFINISHED), metadata
