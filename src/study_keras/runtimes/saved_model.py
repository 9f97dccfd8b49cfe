"""TensorFlow, for SavedModel folders."""

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from study_keras import files, limits
from study_keras.runtimes import checkpoint_sizes
from study_keras.runtimes.graph_gate import check_saved_model
from study_keras.runtimes.runner import Arrays, Runner, TensorSpec
from study_keras.startup import quiet

SECONDS = 60.0  # for one call
SUMS = "SHA256SUMS"  # `sha256sum --check SHA256SUMS` understands it


def open(path: str | Path) -> Runner:  # noqa: A001
    """Load a SavedModel folder.

    Raises:
        ValueError: as ``load_saved_model``.
    """
    function = load_saved_model(path)

    def call(arrays: Arrays) -> Arrays:
        import tensorflow as tf

        return [np.asarray(output) for output in tf.nest.flatten(function(arrays[0] if len(arrays) == 1 else arrays))]

    fixed = next((spec.shape[0] for spec in function.inputs if spec.shape), None)
    return Runner("TensorFlow", Path(path), call, function.inputs, function.outputs, batch_size=fixed)


@limits.reader
def load_saved_model(path: str | Path, seconds: float = SECONDS) -> "SavedFunction":
    """Return what a SavedModel computes as a function from arrays to an array, on any backend of Keras.

    Keras 3 makes no model of it again: there are operations in the folder, and no layers.

    Args:
        path: of the folder.
        seconds: how long one call may take, in which a graph may run loops.

    Raises:
        ValueError: the folder is missing or broken, or its graph reaches for files, Python or other machines.
    """
    loaded = open_saved_model(path)
    try:
        if hasattr(loaded, "serve"):
            return SavedFunction(loaded, loaded.serve.concrete_functions[0], seconds)
        return SavedFunction(loaded, loaded.signatures["serving_default"], seconds)
    except (AttributeError, IndexError, KeyError) as error:
        raise ValueError(f"{path}: cannot be read as a SavedModel: it has no signature serving_default") from error


def open_saved_model(path: str | Path) -> Any:
    """Return the object that TensorFlow makes of a SavedModel folder, once its graph is known to be harmless.

    Raises:
        ValueError: as ``load_saved_model``.
    """
    import tensorflow as tf

    path = Path(path)
    files.recover(path)
    try:
        limits.take(limits.check_folder(path), "the folder")
        _check_sums(path)
        check_saved_model(path)
        if (path / "variables" / "variables.index").exists():  # a model without weights has none
            checkpoint_sizes.check(path / "variables" / "variables")
        with quiet():
            return tf.saved_model.load(str(path))
    except Exception as error:  # TensorFlow raises errors of many classes
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise ValueError(f"{path}: cannot be read as a SavedModel: {reason}") from error


class SavedFunction:
    """A function from arrays to an array, or to several; it also answers to ``predict``, as a model does.

    Attributes:
        inputs: name, shape and dtype of each input, in the order of a list of arrays.
        input_shape, output_shape: ``(None, ...)`` of the only input and output; a list of shapes where there are
            several, None where the graph does not tell.
    """

    def __init__(self, loaded: Any, function: Any, seconds: float = SECONDS) -> None:
        import tensorflow as tf

        self._loaded = loaded  # TensorFlow frees the weights together with this object
        self._function, self._seconds = function, seconds
        self._specs = function.structured_input_signature
        specs = tf.nest.flatten(self._specs)
        self.inputs = [TensorSpec(spec.name, _shape(spec), spec.dtype.name) for spec in specs]
        outputs = tf.nest.flatten(function.structured_outputs)
        self.outputs = [TensorSpec(None, _shape(spec), spec.dtype.name) for spec in outputs]
        self.input_shape = _only([spec.shape for spec in self.inputs])
        self.output_shape = _only([spec.shape for spec in self.outputs])

    def __call__(self, inputs: Any) -> Any:
        """Return the outputs for an array, or for a list or dict of arrays, as the model takes them.

        Raises:
            ValueError: it takes longer than the seconds that it may take.
        """
        import tensorflow as tf

        flat = zip(tf.nest.flatten(self._specs), tf.nest.flatten(inputs), strict=True)
        arrays = [tf.constant(np.asarray(value, spec.dtype.as_numpy_dtype)) for spec, value in flat]
        positional, named = tf.nest.pack_sequence_as(self._specs, arrays)
        outputs = tf.nest.map_structure(lambda output: output.numpy(), self._run(positional, named))
        if isinstance(outputs, dict) and len(outputs) == 1:  # a signature of Keras 2 names its output
            return next(iter(outputs.values()))
        return outputs

    def _run(self, positional: Any, named: Any) -> Any:
        import tensorflow as tf
        from tensorflow.python.eager.cancellation import (
            CancellationManager,
        )  # not public, and the only way to end a run

        manager = CancellationManager()
        timer = threading.Timer(self._seconds, manager.start_cancel)
        timer.daemon = True
        timer.start()
        try:
            return manager.get_cancelable_function(self._function)(*positional, **named)
        except tf.errors.CancelledError as error:
            raise ValueError(f"the SavedModel ran longer than {self._seconds:g} s; it was stopped") from error
        finally:
            timer.cancel()

    def predict(self, inputs: Any, batch_size: int = 32, verbose: Any = 0) -> Any:
        """Return the outputs for arrays of any length, ``batch_size`` rows at a time."""
        import tensorflow as tf

        flat = tf.nest.flatten(inputs)
        starts = range(0, max(1, len(flat[0])), batch_size)
        parts = [self(tf.nest.map_structure(lambda array: array[at : at + batch_size], inputs)) for at in starts]  # noqa: B023
        return tf.nest.map_structure(lambda *pieces: np.concatenate(pieces), *parts)


def _shape(spec: Any) -> tuple[int | None, ...] | None:
    return None if spec.shape.rank is None else tuple(spec.shape)


def _only(shapes: list[Any]) -> Any:
    return shapes[0] if len(shapes) == 1 else shapes


def digests(folder: Path) -> Iterator[tuple[str, str]]:
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.name != SUMS:
            yield file.relative_to(folder).as_posix(), hashlib.sha256(file.read_bytes()).hexdigest()


def _check_sums(folder: Path) -> None:
    """Refuse a folder that differs from the sums in it; one without sums comes from elsewhere."""
    if not (folder / SUMS).is_file():
        return
    lines = (folder / SUMS).read_text(encoding="utf-8", errors="replace").splitlines()
    expected = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    found = dict(digests(folder))
    if wrong := sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name)):
        raise ValueError(f"{wrong[0]} differs from what was saved; use another copy of the folder")
