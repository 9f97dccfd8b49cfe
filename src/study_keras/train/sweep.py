"""Training every combination of some settings with several seeds, to compare mean and spread of the accuracy.

Each training runs on one processor, and trainings of the same network in one process share its compiled program. The
accuracy is that on held-out training images: settings must not be chosen on the test set.
"""

import os
import pickle
import selectors
import signal
import subprocess
import sys
import time
import traceback
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import replace
from functools import lru_cache, partial
from itertools import product
from pathlib import Path
from queue import SimpleQueue
from statistics import mean, stdev
from typing import IO, Any, cast

from study_keras import processes
from study_keras.data.dataset import class_count, load_data, split
from study_keras.train.recipes import TUTORIAL, Recipe

HELD_OUT = 1 / 6  # of MNIST's training images: 10,000
BATCH = 5  # trainings of one network per job of a process, so that it compiles once


def combinations(grid: Mapping[str, Sequence[Any]]) -> list[Recipe]:
    """Return a recipe for every combination of the values in ``grid``; other settings are the tutorial's."""
    return [replace(TUTORIAL, **dict(zip(grid, values, strict=True))) for values in product(*grid.values())]


def compare(
    recipes: Sequence[Recipe], seeds: int = 3, data: Path | None = None, at_once: int | None = None
) -> Iterator[dict[str, Any]]:
    """Train each of ``recipes`` with the seeds 1, 2, ... and yield the result of each training when it is done.

    Args:
        recipes: of dense networks only.
        seeds: the number of trainings per recipe.
        data: as ``load_data`` takes it.
        at_once: how many at a time; by default one per processor.

    Yields:
        ``number``, the index in ``recipes``; ``seed``; ``parameters``; ``seconds`` of the training with
        compilation; ``accuracy`` on the held-out sixth of the training images, in [0, 1].

    Raises:
        ValueError: a setting is out of range, or the data cannot be read.
    """
    processors = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    at_once = at_once or len(processors)
    fair = -(-len(recipes) * seeds // at_once)  # no process is idle when there are few recipes and many seeds
    batch = min(fair, BATCH)
    parts = [range(first, min(first + batch, seeds + 1)) for first in range(1, seeds + 1, batch)]
    jobs = deque((number, one, part, data) for number, one in enumerate(recipes) for part in parts)
    with ExitStack() as stack:
        workers = [
            stack.enter_context(_worker(processors[number % len(processors)]))
            for number in range(min(at_once, len(jobs)))
        ]
        yield from _run(jobs, workers)


def _worker(processor: int) -> AbstractContextManager[subprocess.Popen[bytes]]:
    """Start a process that trains on one processor."""
    code = f"from study_keras.train import sweep; sweep.work({processor})"
    command = [sys.executable, "-c", code]
    return processes.child(command, env=processes.environment(), stdout=subprocess.PIPE)


def _run(jobs: deque[Any], workers: Sequence[subprocess.Popen[bytes]]) -> Iterator[dict[str, Any]]:
    """Hand ``jobs`` to the workers, each a new one when it is done, and yield the results."""
    with selectors.DefaultSelector() as waiting:
        for worker in workers:
            _send(worker, jobs.popleft())
            waiting.register(cast(IO[bytes], worker.stdout), selectors.EVENT_READ, worker)
        while waiting.get_map():
            for key, _ in waiting.select():
                yield from _receive(key.data)
                if jobs:
                    _send(key.data, jobs.popleft())
                else:
                    waiting.unregister(key.fileobj)


def _send(worker: subprocess.Popen[bytes], job: Any) -> None:
    with suppress(BrokenPipeError):  # `_receive` says why
        pickle.dump(job, cast(IO[bytes], worker.stdin))
        cast(IO[bytes], worker.stdin).flush()


def _receive(worker: subprocess.Popen[bytes]) -> list[dict[str, Any]]:
    """Return the results of a job, or raise the error that it ended with."""
    try:
        reply = pickle.load(cast(IO[bytes], worker.stdout))
    except (EOFError, pickle.UnpicklingError):
        status = worker.wait()
        how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        raise ValueError(
            f"a process that trains {how}, perhaps because memory ran out; try again, with fewer units at a time"
        ) from None
    if isinstance(reply, Exception):
        raise reply
    return reply


def work(processor: int) -> None:
    """Train what standard input asks for, in a process of its own, and write the results to standard output."""
    if hasattr(os, "sched_setaffinity"):  # before JAX counts the processors: small matrices are not worth dividing
        os.sched_setaffinity(0, {processor})
    jobs, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no reply
    asked: SimpleQueue[Any] = SimpleQueue()
    processes.end_with_parent(partial(_read_job, jobs, asked))
    from study_keras.startup import import_keras

    import_keras(with_tensorflow=False)
    while True:
        try:
            reply: Any = _train(*asked.get())
        except Exception as error:
            error.add_note(traceback.format_exc())
            reply = error
        pickle.dump(reply, replies)
        replies.flush()


def varied_settings(recipe: Recipe, grid: Mapping[str, Sequence[Any]]) -> dict[str, str]:
    """Return the settings of ``recipe`` that have several values in the ``grid``, as text by name."""
    names = [name for name, values in grid.items() if len(values) > 1] or list(grid)
    values = {name: getattr(recipe, name) for name in names}
    return {name: ",".join(map(str, value)) if name == "units" else str(value) for name, value in values.items()}


def summarize(recipes: Sequence[Recipe], results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return a row for each of ``recipes``, sorted by accuracy: its number, parameters, and means over the seeds.

    ``accuracy`` and ``seconds`` are means, ``spread`` is the standard deviation of the accuracy over the seeds (0 for
    one seed), ``lowest`` and ``highest`` are its extremes.
    """
    rows = []
    for number in range(len(recipes)):
        own = [result for result in results if result["number"] == number]
        accuracies = [result["accuracy"] for result in own]
        rows.append(
            {
                "number": number,
                "parameters": own[0]["parameters"],
                "seconds": mean(result["seconds"] for result in own),
                "accuracy": mean(accuracies),
                "spread": stdev(accuracies) if len(own) > 1 else 0.0,
                "lowest": min(accuracies),
                "highest": max(accuracies),
            }
        )
    return sorted(rows, key=lambda row: -row["accuracy"])


def _read_job(jobs: IO[bytes], asked: SimpleQueue[Any]) -> bool:
    asked.put(pickle.load(jobs))
    return True


def _train(number: int, recipe: Recipe, seeds: Sequence[int], data: Path | None) -> list[dict[str, Any]]:
    import keras

    from study_keras.report import evaluation
    from study_keras.train import fit, models

    (images, labels), held_out, classes = _load(data)
    model, initial = _network(recipe, classes)
    results = []
    for seed in seeds:
        started = time.perf_counter()
        keras.utils.set_random_seed(seed)
        model.set_weights(models.build(recipe, classes).get_weights())
        for variable, value in zip(model.optimizer.variables, initial, strict=True):
            variable.assign(value)
        fit.train(model, images, labels, seed=seed, epochs=recipe.epochs, batch_size=recipe.batch_size)
        results.append({"number": number, "seed": seed, "parameters": model.count_params()})
        results[-1]["seconds"] = time.perf_counter() - started
        results[-1]["accuracy"] = evaluation.evaluate(model, *held_out)["accuracy"]
    return results


@lru_cache
def _network(recipe: Recipe, classes: int) -> tuple[Any, list[Any]]:
    """Return a model for all trainings of a recipe, which is compiled once, and its initial optimizer state."""
    from study_keras.train import models

    model = models.build(recipe, classes)
    models.compile(model, recipe.optimizer)
    model.optimizer.build(model.trainable_variables)
    return model, [variable.numpy() for variable in model.optimizer.variables]


@lru_cache
def _load(path: Path | None) -> Any:
    """Return the training part, the held-out part, and the number of classes."""
    dataset = load_data(path)
    training, held_out = split(*dataset[0], HELD_OUT)
    return training, held_out, class_count(dataset)
