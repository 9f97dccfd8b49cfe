"""Verify that artifacts give the outputs of their model: all run on the same examples, each in its own runtime."""

import glob
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from study_keras import formats, limits
from study_keras.formats.keras_runner import batch_size, keras_runner
from study_keras.formats.proof.agreement import accuracy, agreement
from study_keras.formats.proof.artifact import open_artifact
from study_keras.formats.proof.differences import THRESHOLDS, differences, gaps, mean_difference
from study_keras.formats.proof.input_values import tensor_shapes
from study_keras.formats.proof.random_inputs import random_inputs
from study_keras.formats.proof.rounding import allowed
from study_keras.runtimes.runner import Arrays, Runner

SECONDS = 60  # for all artifacts together, where the examples are random
FEWEST, MOST = 16, 1000  # random examples
MEMORY = 2**28  # bytes of random examples
BATCH = 1000
BATCH_MEMORY = 2**27  # bytes that the largest tensor of a batch may take
DOUBTFUL = 16  # examples, those that differ most, for which Keras computes how much of it is rounding

Place = tuple[Path, str | None]  # an artifact, and the runtime that it is run in; None for its first


@dataclass(frozen=True)
class Task:
    """The inputs for every artifact, one array per input, and the outputs of Keras."""

    model: Any
    arrays: Arrays
    expected: Arrays
    labels: np.ndarray | None
    batch: int  # examples at once
    random: bool


def verify(model: Any, artifact: str | Path, images: Any, labels: Any = None) -> dict[str, Any]:
    """Run ``artifact`` in its own runtime and compare its outputs with those of ``model``.

    Weights are loaded into a copy of the model first; a structure gets the model's weights.

    Args:
        model: a Keras model, or a SavedModel as a function.
        artifact: whatever ``formats.save`` writes.
        images: as the model takes them, ``(n, ...)``; a list of arrays where it has several inputs.
        labels: ``(n,)`` the true classes, for the accuracy.

    Returns:
        ``artifact``; ``runtime`` (TF.js runs in Node, on wasm); ``bytes``; ``images``: n; ``random``: whether they
        are random; ``agree``: for how many the predicted class is that of Keras, or one within ``TIE`` of it, None
        where the outputs are not classes; ``max_abs_diff`` and ``mean_abs_diff`` of the outputs; ``max_relative_diff``
        and ``mean_relative_diff``: by the ``sizes`` of the answers; ``accuracy`` of the artifact, None without labels;
        ``ms_per_image``: in large batches after a first one, without loading; ``passed``: within ``THRESHOLDS``, or
        as close as rounding allows.

    Raises:
        ValueError: the artifact is missing or broken, or takes or gives other shapes than the model.
        FileNotFoundError: Node or its packages, for a TF.js model, are not installed.
    """
    return _row(artifact, _open(artifact, model), _task(model, _arrays(images), labels, None, random=False))


@limits.reader
def _open(path: str | Path, model: Any, runtime: str | None = None) -> Runner:
    """Open an artifact that may be from outside."""
    formats.try_file(path, formats.detect(path))
    return open_artifact(path, model, runtime)


def verify_all(
    model: Any,
    artifacts: Sequence[str | Path],
    inputs: Any = None,
    labels: Any = None,
    watch: Callable[[str], None] = lambda step: None,
    *,
    everywhere: bool = False,
) -> list[dict[str, Any]]:
    """Verify several artifacts on the same examples.

    Args:
        inputs: as the ``images`` of ``verify``; None for 16 to 1000 random ones, as many as fit in about a minute.
        labels: ``(n,)`` the true classes.
        watch: receives the name of each step when it starts.
        everywhere: whether each artifact is run in all runtimes that read it, as ``Format.also`` lists them.

    Returns:
        What ``verify`` returns for each artifact and runtime; ``artifact``, ``error`` and ``passed``: False for a
        broken one, and ``missing``: True as well for one whose runtime is not installed.

    Raises:
        ValueError: the examples are not the model's, or none can be drawn for it.
    """
    opened: dict[Place, Runner | Exception] = {}
    for path, runtime in _places(artifacts, everywhere):
        watch(f"opening {path.name}")
        try:
            opened[path, runtime] = _open(path, model, runtime)
        except (ValueError, OSError) as error:
            opened[path, runtime] = error
    batch, random = None, inputs is None
    if inputs is None:
        inputs, batch = _random(model, opened, watch, time.perf_counter() + SECONDS)
    arrays = _arrays(inputs)
    watch(f"Keras: {len(arrays[0]):,} examples")
    task = _task(model, arrays, labels, batch, random=random)
    rows = []
    for (path, _), runner in opened.items():
        watch(f"{path.name}: {len(arrays[0]):,} examples")
        rows.append(_row_or_error(path, runner, task))
    return rows


def _places(artifacts: Sequence[str | Path], everywhere: bool) -> Iterator[Place]:
    for path in map(Path, artifacts):
        yield path, None
        if everywhere and path.exists():
            for runtime in formats.detect(path).also:
                yield path, runtime


def _row_or_error(path: Path, runner: Runner | Exception, task: Task) -> dict[str, Any]:
    try:
        if isinstance(runner, Exception):
            raise runner
        return _row(path, runner, task)
    except FileNotFoundError as error:
        return {"artifact": str(path), "error": _message(error), "missing": True, "passed": False}
    except (ValueError, OSError) as error:
        return {"artifact": str(path), "error": _message(error), "passed": False}


def _arrays(images: Any) -> Arrays:
    return [np.asarray(array) for array in (images if isinstance(images, list | tuple) else [images])]


def _message(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def _random(
    model: Any, opened: dict[Place, Runner | Exception], watch: Callable[[str], None], until: float
) -> tuple[Arrays, int | None]:
    """Return random examples, as many as all runtimes finish ``until`` then, estimated from a first batch.

    Also the batch size, None for the largest that fits: another one would be compiled again.
    """
    watch(f"Keras: a first batch of {FEWEST}")
    first = random_inputs(model, FEWEST)
    asked = len(first[0])
    batch = min(_examples_at_once(model, first), asked)
    runs = [keras_runner(model, "Keras", compiled=True), *(one for one in opened.values() if isinstance(one, Runner))]
    seconds = 0.0
    for artifact in runs:
        watch(f"{Path(artifact.path).name}: a first batch of {FEWEST}")
        times = 2 if artifact.runtime in ("Keras", "TensorFlow") else 1  # the first time these compile
        try:
            seconds += [artifact.run(first, batch).seconds for _ in range(times)][-1] / asked
        except (ValueError, OSError):
            continue  # reported later, in its row
    size = sum(array.nbytes for array in first) / asked
    count = min((until - time.perf_counter()) / max(seconds, 1e-9), MEMORY / max(1, size))
    if count >= MOST:
        return random_inputs(model, MOST), None
    return random_inputs(model, max(FEWEST, int(count) // FEWEST * FEWEST)), batch


def _task(model: Any, arrays: Arrays, labels: Any, batch: int | None, *, random: bool) -> Task:
    if len({len(array) for array in arrays}) != 1 or not len(arrays[0]):
        raise ValueError(f"images of {[array.shape for array in arrays]}; expected the same number, at least one")
    fixed = batch_size(model)
    if fixed and len(arrays[0]) % fixed:
        raise ValueError(f"{len(arrays[0])} examples for the fixed batch size {fixed}; expected a multiple of it")
    batch = fixed or batch or _examples_at_once(model, arrays)
    try:
        expected = keras_runner(model, compiled=True).run(arrays, batch).outputs
    except ValueError as error:
        shapes = [f"{array.dtype} of {array.shape}" for array in arrays]
        raise ValueError(
            f"the model cannot run inputs of {', '.join(shapes)}: {_message(error).splitlines()[0]}"
        ) from error
    return Task(model, arrays, expected, None if labels is None else np.asarray(labels), batch, random)


def _row(path: str | Path, runner: Runner, task: Task) -> dict[str, Any]:
    count = len(task.arrays[0])
    if not runner.call_timed and not task.random:  # some time themselves; for random examples a first batch has run
        runner.run([array[: task.batch] for array in task.arrays], task.batch)  # the first run compiles
    answers, seconds = runner.run(task.arrays, task.batch)
    given, wanted = ([array.shape for array in arrays] for arrays in (answers, task.expected))
    if given != wanted:
        raise ValueError(f"{path}: gives {given}, the model gives {wanted}; was it exported from a different model?")
    found = [differences(*pair, count) for pair in zip(task.expected, answers, strict=True)]
    agree = agreement(task.expected, answers, count, labelled=task.labels is not None)
    apart = np.concatenate([gaps(*pair, count).ravel() for pair in zip(task.expected, answers, strict=True)])
    return {
        "artifact": str(path),
        "runtime": runner.runtime,
        "bytes": _size(Path(path)),
        "images": count,
        "random": task.random,
        "agree": agree,
        "max_abs_diff": float(apart.max(initial=0)),
        "mean_abs_diff": float(apart.mean()),
        "max_relative_diff": max(float(rows.max(initial=0)) for rows in found),
        "mean_relative_diff": mean_difference(task.expected, answers, count),
        "accuracy": None if task.labels is None else accuracy(answers[0], task.labels),
        "ms_per_image": 1000 * seconds / count,
        "passed": _passes(task, runner.stored, found, agree),
    }


def _passes(task: Task, stored: str, found: Arrays, agree: int | None) -> bool:
    """Tell whether the differences, and of classes their agreement, are within the thresholds."""
    fraction, limit = THRESHOLDS[stored]
    count = len(task.arrays[0])
    if agree is not None and not task.random:
        if agree < fraction * count:
            return False
        if limit is None:
            return True
    worst = np.max(found, axis=0)
    doubtful = np.argsort(-worst)[: max(DOUBTFUL, batch_size(task.model) or 0)]
    if worst[doubtful[0]] <= (limit or 0.0):
        return True
    arrays = [array[doubtful] for array in task.arrays]
    most = allowed(task.model, stored, arrays)
    return all(bool((rows[doubtful] <= passing).all()) for rows, passing in zip(found, most, strict=True))


def _examples_at_once(model: Any, arrays: Arrays) -> int:
    """Return how many examples like ``arrays`` fit in a batch: fewer where the model's tensors are large."""
    longest = max((size for array in arrays for size in array.shape[1:]), default=1)
    shapes = [[size or longest for size in shape[1:]] for shape in tensor_shapes(model)]
    inside = max((math.prod(shape) for shape in shapes), default=0)
    given = sum(array[0].size for array in arrays) * (1 if shapes else 64)  # what goes on inside is not known
    return max(1, min(BATCH, BATCH_MEMORY // (4 * max(inside, given, 1))))


def _size(path: Path) -> int:
    """Return the bytes of a file, of all files in a folder, or of the files of a checkpoint."""
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    if path.is_file():
        beside = path.with_suffix(".bin")  # the weights of an OpenVINO model
        return path.stat().st_size + (beside.stat().st_size if path.suffix == ".xml" and beside.is_file() else 0)
    name = glob.escape(path.name)
    return sum(file.stat().st_size for part in ("index", "data-*") for file in path.parent.glob(f"{name}.{part}"))
