"""What a second and a fourth process bring: milliseconds a step, and what adding up the gradients costs of it.

    python benchmarks/scaling.py --rounds 3

Dense networks of three widths train at three batch sizes, by 1, 2 and 4 processes that take turns. Where Linux lets us
choose, each process keeps to one core, which it shares where there are too few: so one process is a machine of one
core, and two are two such machines with a very fast network. Measured is the second epoch of
`study_keras.mnist.training`, and beside it the all-reduce alone, of as many float32 as the network has weights. Printed
are medians over the rounds, and for two processes what the plain model says: half of one process' step, and an
all-reduce.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

WIDTHS = (128, 512, 2048)
BATCHES = (32, 256, 2048)
COUNTS = (1, 2, 4)
REPEATS = 30


def steps_of(batch):
    """Return how many steps an epoch has: enough to be measured, few enough to be waited for."""
    return max(8, min(128, 8192 // batch))


def work(count, number, address):
    """Be process ``number`` of ``count``; print as JSON the seconds of a step and of an all-reduce for each network."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[number % len(cores)]})
    from study_keras.startup import import_keras

    os.environ["KERAS_BACKEND"] = "jax"
    keras = import_keras(with_tensorflow=False)
    from study_keras.cli import processes

    if count > 1:
        processes.join_others(address, count, number)
        processes.agree(0)
    import numpy as np

    from study_keras import mnist
    from study_keras.mnist import models, training

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
            training.train(model, x, y, epochs=2, batch_size=batch, seed=1, callbacks=[clock])
            steps[f"{width} {batch}"] = clock.seconds / steps_of(batch)
        sums[width] = all_reduce(model.count_params())
    if not number:
        print(json.dumps({"steps": steps, "sums": sums}))


def all_reduce(size):
    """Return the seconds in which ``size`` float32 of all processes are added up in each of them."""
    import jax
    import numpy as np
    from jax.sharding import NamedSharding, PartitionSpec

    from study_keras.mnist import devices

    if not (mesh := devices.mesh()):
        return 0.0
    rows = NamedSharding(mesh, PartitionSpec(devices.AXIS))
    mine = jax.make_array_from_callback((mesh.size, size), rows, lambda index: np.ones((1, size), np.float32))
    add = jax.jit(lambda array: array.sum(0), out_shardings=NamedSharding(mesh, PartitionSpec()))
    add(mine).block_until_ready()
    found = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        add(mine).block_until_ready()
        found.append(time.perf_counter() - started)
    return median(found)


def measure(count):
    """Let ``count`` processes train; return what the first of them printed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, __file__, "--worker", str(count), address]
    workers = [
        subprocess.Popen(
            [*command, str(number)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL if number else subprocess.PIPE
        )
        for number in range(count)
    ]
    printed = workers[0].stdout.read()
    for worker in workers:
        worker.stdin.close()  # a process whose standard input ends, ends
        worker.wait()
    return json.loads(printed.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="how often each is measured (default: 3)")
    parser.add_argument("--json", type=Path, metavar="PATH", help="where the figures go (default: output/scaling.json)")
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        count, address, number = options.worker
        work(int(count), int(number), address)
        return
    from rich.console import Console
    from rich.table import Table

    from study_keras import files

    results = {count: [] for count in COUNTS}
    for round_number in range(options.rounds):
        for count in COUNTS[round_number % 3 :] + COUNTS[: round_number % 3]:
            print(f"round {round_number + 1} of {options.rounds}: {count} processes", file=sys.stderr)
            results[count].append(measure(count))
    path = options.json or files.output_dir() / "scaling.json"
    with files.atomic_write(path) as temporary:
        temporary.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")

    table = Table(box=None, padding=(0, 1, 0, 0))
    for heading in ("weights", "batch", "1: ms", "2: ms", "faster", "model", "all-reduce", "4: ms", "all-reduce"):
        table.add_column(heading, justify="right")
    for width in WIDTHS:
        weights = 784 * width + width + width * 10 + 10
        sums = {count: median(one["sums"][str(width)] for one in results[count]) for count in COUNTS}
        for batch in BATCHES:
            step = {count: median(one["steps"][f"{width} {batch}"] for one in results[count]) for count in COUNTS}
            cells = [step[1], step[2], step[1] / step[2] / 1e3, step[1] / 2 + sums[2], sums[2], step[4], sums[4]]
            texts = [f"{cell * 1e3:.2f}" for cell in cells]
            texts[2] += " x"
            table.add_row(f"{weights:,}", str(batch), *texts)
    console = Console(width=100)
    console.print(table)
    console.print(f"{options.rounds} rounds, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    console.print(f"All figures: {path}")


if __name__ == "__main__":
    main()
