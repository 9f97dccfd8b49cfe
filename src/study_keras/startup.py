"""Keras on the backend that the user chose, without the notes that TensorFlow writes while it starts."""

import gc
import importlib.abc
import importlib.machinery
import importlib.util
import logging
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any


def import_keras(*, with_tensorflow: bool = True) -> Any:
    """Import Keras: on the backend in ``KERAS_BACKEND``, otherwise on JAX.

    Args:
        with_tensorflow: whether this process may import TensorFlow for what Keras on JAX itself does not need. It
            would at every seed and every save, to ask whether an object is one of TensorFlow's: half of a short
            training's seconds.
    """
    os.environ.setdefault("KERAS_BACKEND", "jax")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "tensorflow" not in sys.modules and not any(isinstance(finder, _QuietTensorFlow) for finder in sys.meta_path):
        sys.meta_path.insert(0, _QuietTensorFlow())
    if not with_tensorflow and os.environ["KERAS_BACKEND"] == "jax":
        sys.modules.setdefault("tensorflow", None)  # type: ignore[arg-type]  # from now on it cannot be imported
    with _uncollected():
        import absl.logging
        import keras

    absl.logging.set_verbosity(absl.logging.ERROR)  # Keras calls .h5 "legacy" at every save and load
    return keras


@contextmanager
def _uncollected() -> Iterator[None]:
    """Do not look for garbage while modules are imported, nor later among what they made: a fifth of the seconds."""
    loaded, on = "keras" in sys.modules, gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if not loaded:
            gc.freeze()
        if on:
            gc.enable()


@contextmanager
def silent(number: int) -> Iterator[None]:
    """Drop what C++ libraries write to standard output (1) or error (2), where no setting of theirs can stop them."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(number)
    try:
        with open(os.devnull, "w") as nowhere:  # noqa: PTH123
            os.dup2(nowhere.fileno(), number)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(kept, number)
        os.close(kept)


class _QuietTensorFlow(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports TensorFlow, whoever asks for it, without its note on oneDNN, which nothing stops on some processors."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != "tensorflow":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec and spec.loader:
            self.real, spec.loader = spec.loader, self
        return spec

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self.real.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__:
            module.__spec__.loader = self.real
        with silent(2), _uncollected():
            self.real.exec_module(module)


@contextmanager
def quiet() -> Iterator[None]:
    """Silence the warnings of Keras and TensorFlow about each other, such as that ``.h5`` is a legacy format."""
    import absl.logging

    loggers = [absl.logging.get_absl_logger(), logging.getLogger("tensorflow")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
