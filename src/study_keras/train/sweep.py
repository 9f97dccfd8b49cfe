"""Training every combination of some settings with several seeds, to compare mean and spread of the accuracy.

Each training runs on one processor, and trainings of the same network in one process share its compiled program. The
accuracy is that on held-out training images: settings must not be chosen on the test set.
"""

import multiprocessing
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from functools import lru_cache
from itertools import product
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from study_keras.data.dataset import class_count, load_data, split
from study_keras.train.recipes import TUTORIAL, Recipe

HELD_OUT = 1 / 6  # of MNIST's training images: 10,000
BATCH = 5  # trainings of one network per job of a process, so that it compiles once


def combinations(grid: Mapping[str, Sequence[Any]]) -> list[Recipe]:
    """Return a recipe for every combination of the values in ``grid``; other settings are the tutorial's."""
    return [replace(TUTORIAL, **dict(zip(grid, values, strict=True))) for values in product(*grid.values())]


def compare(
    recipes: Sequence[Recipe], seeds: int = 3, data: Path | None = None, processes: int | None = None
) -> Iterator[dict[str, Any]]:
    """Train each of ``recipes`` with the seeds 1, 2, ... and yield the result of each training when it is done.

    Args:
        recipes: of dense networks only.
        seeds: the number of trainings per recipe.
        data: as ``load_data`` takes it.
        processes: how many at a time; by default one per processor.

    Yields:
        ``number``, the index in ``recipes``; ``seed``; ``parameters``; ``seconds`` of the training with
        compilation; ``accuracy`` on the held-out sixth of the training images, in [0, 1].

    Raises:
        ValueError: a setting is out of range, or the data cannot be read.
    """
    processors = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    processes = processes or len(processors)
    fair = -(-len(recipes) * seeds // processes)  # no process is idle when there are few recipes and many seeds
    batch = min(fair, BATCH)
    parts = [range(first, min(first + batch, seeds + 1)) for first in range(1, seeds + 1, batch)]
    context = multiprocessing.get_context("spawn")
    free = context.Queue()
    for number in range(processes):
        free.put(processors[number % len(processors)])
    with ProcessPoolExecutor(processes, context, _start_worker, (free,)) as pool:
        jobs = [pool.submit(_train, number, one, part, data) for number, one in enumerate(recipes) for part in parts]
        try:
            for job in as_completed(jobs):
                yield from job.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


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


def _start_worker(free: Any) -> None:
    """Use one processor only, set before JAX counts them: small matrices are not worth dividing."""
    processor = free.get()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {processor})
    from study_keras.startup import import_keras

    import_keras(with_tensorflow=False)


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
