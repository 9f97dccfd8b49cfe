"""How a model was made: its settings, data, versions and history; and how an interrupted training goes on."""

import hashlib
import importlib
import json
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

from study_keras import files, formats
from study_keras.data.dataset import Dataset, class_count, training_count
from study_keras.data.lazy_array import PIECE, rows
from study_keras.train import fit, models
from study_keras.train.metadata import RECORD, UNFINISHED, save_record, unfinished_record
from study_keras.train.recipes import Recipe, to_settings


def describe(dataset: Dataset, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what decides how a training ends: settings, data and versions.

    Args:
        settings: plain values by name, as the user gave them.

    Returns:
        ``settings``, ``data`` (the number of images and the SHA-256 of all arrays' bytes), ``backend``,
        ``versions``, ready for JSON.
    """
    digest = hashlib.sha256()
    for part in dataset:
        for array in part:
            for start in range(0, len(array), PIECE):
                digest.update(np.ascontiguousarray(rows(array, start, start + PIECE)).data)
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
    """Say in what two descriptions differ that changes the result, a line each; versions may differ."""
    pairs = [(name, then["settings"].get(name), value) for name, value in now["settings"].items()]
    pairs.append(("the data's SHA-256", then["data"]["sha256"], now["data"]["sha256"]))
    pairs.append(("the backend", then["backend"], now["backend"]))
    return [f"{name} was {former}, now {value}" for name, former, value in pairs if former != value]


def train_and_save(
    dataset: Dataset,
    recipe: Recipe,
    folder: Path,
    *,
    made: Mapping[str, Any] | None = None,
    unfinished: tuple[keras.Model, Mapping[str, Any]] | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> tuple[keras.Model, Path, dict[str, Any]]:
    """Train the network of ``recipe`` and save it with its metadata as ``folder/hello_mnist.*``.

    A killed training loses the current epoch only: ``load_unfinished`` returns the rest.

    Args:
        recipe: with a seed.
        made: further metadata, such as the command.
        unfinished: of ``load_unfinished``, to go on with; otherwise the training begins anew.

    Returns:
        The model, the path of its ``.keras`` file, and the record, which ``hello_mnist.json`` beside it holds: with
        ``fit_seconds``, of the training, compiling included, and ``history``.

    Raises:
        ValueError: the unfinished training had other settings, data or backend; the text says which.
        OSError: the folder cannot be written to.
    """
    record = {**(made or {}), **describe(dataset, to_settings(recipe))}
    fit.set_seed(recipe.seed or 0)
    history: Mapping[str, list[float]] = {}
    if unfinished is None:
        model = models.build(recipe, class_count(dataset))
        images = training_count(len(dataset[0][0]), recipe.validation)
        schedule = {name: getattr(recipe, name) for name in ("rate", "average", "betas")}
        steps = recipe.epochs * -(-images // recipe.batch_size)
        models.compile(model, recipe.optimizer, recipe.one_hot, steps=steps, **schedule)
    else:
        model, former = unfinished
        if different := differences(record, former):
            raise ValueError(f"cannot resume: the settings differ: {'; '.join(different)}")
        history = former["history"]
    keep = KeepUnfinished(folder / UNFINISHED, record, history)
    started = time.perf_counter()
    fit.train(
        model,
        *dataset[0],
        **{name: getattr(recipe, name) for name in ("epochs", "batch_size", "validation", "seed")},
        augment=asdict(recipe.augment) if recipe.augment else None,
        first_epoch=len(history.get("loss", ())),
        callbacks=[keep, *callbacks],
    )
    record |= {"fit_seconds": time.perf_counter() - started, "history": keep.history}
    path = formats.save_keras(model, folder / "hello_mnist.keras")
    save_record(record, path)
    (folder / UNFINISHED).unlink()
    return model, path, record


class KeepUnfinished(keras.callbacks.Callback):
    """Keep what an interrupted training needs to go on in one file, replaced after every epoch.

    The file is a ``.keras`` file, weights and optimizer included, with the record as one more entry: a single
    file cannot disagree with itself, whenever the process is killed.

    Args:
        path: ends in ``.keras``.
        record: of ``describe``; the history so far is added to it.
        history: of the epochs before the first one.
    """

    def __init__(self, path: Path, record: Mapping[str, Any], history: Mapping[str, list[float]]) -> None:
        super().__init__()
        self.path = path
        self.record = record
        self.history = {name: list(values) for name, values in history.items()}

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        if not self.history:
            self._save()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(float(value))
        self._save()

    def _save(self) -> None:
        with files.atomic_write(self.path) as temporary:
            self.model.save(temporary)
            with zipfile.ZipFile(temporary, "a") as archive:
                archive.writestr(RECORD, json.dumps({**self.record, "history": self.history}))


def load_unfinished(folder: Path) -> tuple[keras.Model, dict[str, Any]]:
    """Return the model and the record, with the ``history`` so far, of the unfinished training in ``folder``.

    Raises:
        ValueError: there is none, or it cannot be read.
    """
    record = unfinished_record(folder)
    return formats.load_keras(folder / UNFINISHED), record
