"""Import Keras on the chosen backend, without TensorFlow's startup messages."""

import gc
import importlib.abc
import importlib.machinery
import importlib.util
import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any


def import_keras(*, with_tensorflow: bool = True, with_matplotlib: bool = True) -> Any:
    """Import Keras on the backend in ``KERAS_BACKEND``, JAX by default.

    Args:
        with_tensorflow: whether Keras on JAX may import TensorFlow. It does so at every seed and every save, only to
            check whether an object is TensorFlow's, which takes half of the time of a short training.
        with_matplotlib: whether Keras may import matplotlib, for ``keras.visualization`` only.
    """
    os.environ.setdefault("KERAS_BACKEND", "jax")
    hide_tensorflow_messages()
    if not with_tensorflow and os.environ["KERAS_BACKEND"] == "jax":
        sys.modules.setdefault("tensorflow", None)  # type: ignore[arg-type]  # makes its import fail
    # Keras on JAX imports it, and it imports scipy, for what no verb of ours uses.
    _import_by("jax.experimental.sparse.linalg", importlib.util.LazyLoader)
    without = set() if with_matplotlib else {"matplotlib"} - sys.modules.keys()
    sys.modules.update(dict.fromkeys(without))  # type: ignore[arg-type]  # None makes an import fail
    try:
        with _without_gc():
            import absl.logging
            import keras
    finally:
        for name in without:
            del sys.modules[name]

    absl.logging.set_verbosity(absl.logging.ERROR)  # Keras calls .h5 "legacy" at every save and load
    return keras


def hide_tensorflow_messages() -> None:
    """Hide what TensorFlow reports about itself and the processor, now and when it is imported later.

    The lessons call this before they import Keras, which imports TensorFlow on every backend.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    _import_by("tensorflow", _QuietTensorFlow)


@contextmanager
def _without_gc() -> Iterator[None]:
    """Disable garbage collection during imports, and exclude the imported objects from it: saves 20 % of the time."""
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
def silence_output(descriptor: int) -> Iterator[None]:
    """Discard what C++ libraries write to standard output (1) or error (2), if they have no setting for it."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(descriptor)
    try:
        with open(os.devnull, "w") as null:  # noqa: PTH123
            os.dup2(null.fileno(), descriptor)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(saved, descriptor)
        os.close(saved)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds one module as ever, but gives it another loader; once."""

    def __init__(self, name: str, wrap: Callable[[Any], importlib.abc.Loader]) -> None:
        self.name, self.wrap = name, wrap

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != self.name:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec and spec.loader:
            spec.loader = self.wrap(spec.loader)
        return spec


def _import_by(name: str, wrap: Callable[[Any], importlib.abc.Loader]) -> None:
    """Import a module by another loader as soon as it is imported, if it is not yet."""
    if name not in sys.modules and not any(
        isinstance(finder, _Finder) and finder.name == name for finder in sys.meta_path
    ):
        sys.meta_path.insert(0, _Finder(name, wrap))


class _QuietTensorFlow(importlib.abc.Loader):
    """Imports TensorFlow without its message about oneDNN, which has no setting on some processors."""

    def __init__(self, real: Any) -> None:
        self.real = real

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self.real.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__:
            module.__spec__.loader = self.real
        with silence_output(2), _without_gc():
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
