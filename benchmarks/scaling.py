"""Training with 1, 2 and 4 processes: milliseconds per step, and the cost of adding up the gradients.

    python benchmarks/scaling.py --rounds 3

Dense networks of three widths are trained with three batch sizes by one process on one core (on Linux only), by one
on all cores, and by 2 and 4, alternately. Measured is the second epoch of `study_keras.train.fit`, and separately an
all-reduce of float32 arrays with the shapes of the network's weights plus two scalars, as in a step. The output is the
median over the rounds, and the estimate of a simple model for two machines of one core: half of that core's step plus
an all-reduce. All processes use the loopback interface, which is faster than a network between two machines.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from study_keras.train import launcher

WIDTHS = (128, 512, 2048)
BATCHES = (32, 256, 2048)
WAYS = {"1 on one core": 1, "1": 1, "2": 2, "4": 4}  # the number of processes
REPEATS = 30


def steps_of(batch):
    """Return the steps of an epoch: enough for a stable time, but not too slow."""
    return max(8, min(128, 8192 // batch))


def work(way, number, address):
    """Run as process ``number`` of a way; print the seconds of a step and of an all-reduce of each network as JSON."""
    count = WAYS[way]
    if way.endswith("core") and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    from study_keras.startup import import_keras

    os.environ["KERAS_BACKEND"] = "jax"
    keras = import_keras(with_tensorflow=False)
    if count > 1:
        launcher.join_processes(address, count, number)
        launcher.broadcast(0)
    import numpy as np

    from study_keras import mnist
    from study_keras.train import fit, models

    class Clock(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.started = time.perf_counter()

        def on_epoch_end(self, epoch, logs=None):
            self.seconds = time.perf_counter() - self.started

    (images, labels), _ = mnist.load_data()
    steps, sums = {}, {}
    for width in WIDTHS:
        for batch in BATCHES:
            model = models.mlp((width,))
            models.compile(model)
            total = batch * steps_of(batch)
            x, y = (np.resize(part, (total, *part.shape[1:])) for part in (images, labels))
            clock = Clock()
            fit.train(model, x, y, epochs=2, batch_size=batch, seed=1, callbacks=[clock])
            steps[f"{width} {batch}"] = clock.seconds / steps_of(batch)
        sums[width] = all_reduce([*(variable.shape for variable in model.trainable_variables), (), ()])
    if not number:
        print(json.dumps({"steps": steps, "sums": sums}))


def all_reduce(shapes):
    """Return the seconds of an all-reduce of float32 arrays."""
    import jax
    import numpy as np
    from jax.sharding import NamedSharding, PartitionSpec

    from study_keras.train import sharding

    if not (mesh := sharding.mesh()):
        return 0.0
    rows, everywhere = (NamedSharding(mesh, PartitionSpec(*axes)) for axes in ([sharding.AXIS], []))
    mine = [
        jax.make_array_from_callback((mesh.size, *shape), rows, lambda _, shape=shape: np.ones((1, *shape), np.float32))
        for shape in shapes
    ]
    add = jax.jit(lambda arrays: [array.sum(0) for array in arrays], out_shardings=everywhere)
    jax.block_until_ready(add(mine))
    found = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        jax.block_until_ready(add(mine))
        found.append(time.perf_counter() - started)
    return median(found)


def measure(way):
    """Run the processes of a way; return the output of the first one."""
    command = [sys.executable, __file__, "--worker", way, launcher.free_address()]
    workers = [
        subprocess.Popen(
            [*command, str(number)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL if number else subprocess.PIPE
        )
        for number in range(WAYS[way])
    ]
    printed = workers[0].stdout.read()
    for worker in workers:
        worker.stdin.close()  # ends the process
        worker.wait()
    return json.loads(printed.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="measurements of each (default: 3)")
    parser.add_argument("--json", type=Path, metavar="PATH", help="where the figures go (default: output/scaling.json)")
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        way, address, number = options.worker
        work(way, int(number), address)
        return
    from rich.console import Console
    from rich.table import Table

    from study_keras import files

    results = {way: [] for way in WAYS}
    for number in range(options.rounds):
        for way in list(WAYS)[number % len(WAYS) :] + list(WAYS)[: number % len(WAYS)]:
            print(f"round {number + 1} of {options.rounds}: {way}", file=sys.stderr)
            results[way].append(measure(way))
    path = options.json or files.output_dir() / "scaling.json"
    files.write(path, json.dumps(results, indent=1) + "\n")

    table = Table(box=None, padding=(0, 1, 0, 0))
    for heading in ("weights", "batch", "one core", "1", "2", "4", "model: 2", "all-reduce: 2", "4"):
        table.add_column(heading, justify="right")
    for width in WIDTHS:
        weights = 784 * width + width + width * 10 + 10
        sums = {way: median(one["sums"][str(width)] for one in results[way]) for way in WAYS}
        for batch in BATCHES:
            steps = {way: median(one["steps"][f"{width} {batch}"] for one in results[way]) for way in WAYS}
            cells = [*steps.values(), steps["1 on one core"] / 2 + sums["2"], sums["2"], sums["4"]]
            table.add_row(f"{weights:,}", str(batch), *(f"{cell * 1e3:.2f}" for cell in cells))
    console = Console(width=100)
    console.print(table)
    load = os.getloadavg()[0]
    console.print(f"milliseconds; {options.rounds} rounds, {os.cpu_count()} processors, load {load:.1f}")
    console.print(f"All figures: {path}")


if __name__ == "__main__":
    main()
