"""The cost of more data: seconds for 60,000 images, peak memory, and reading from the disk compared with memory.

    python benchmarks/growth.py --rounds 3

Each training is one epoch of the tutorial's network with batch size 128, `hello-mnist train` in a subprocess. The
images are MNIST's, repeated and shifted by up to two pixels, in a temporary folder: in one .npz, which is loaded into
memory, in one .npy, or in shards of 60,000, which stay on the disk. The seconds are those of the training with
compilation; the peak is that of the process. The forms of one size alternate. Every training first reads all data for
the checksum in its metadata, so data that fits into the page cache is read from there.
"""

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import numpy as np
from rich.console import Console
from rich.table import Table

from study_keras import files, mnist

UNIT = 60_000
BATCH = 128
SIZES = {60_000: ("npz", "npy"), 300_000: ("npz", "npy"), 1_200_000: ("npz", "npy", "shards"), 3_840_000: ("shards",)}
FORMS = {"npz": "memory (.npz)", "npy": "disk (.npy)", "shards": "disk (shards)"}


def unit(number):
    """Return the training images with one of 25 shifts by ``number``; 0 is no shift."""
    (images, labels), _ = mnist.load_data()
    return np.roll(images, ((number + 2) % 5 - 2, (number // 5 + 2) % 5 - 2), axis=(1, 2)), labels


def write(path, count, form):
    """Write ``count`` training images and MNIST's test images to ``path`` in one of FORMS, 60,000 at a time."""
    path.mkdir()
    _, (x_test, y_test) = mnist.load_data()
    units = [unit(number) for number in range(min(25, count // UNIT))]
    if form == "npz":
        parts = [units[number % 25] for number in range(count // UNIT)]
        x_train, y_train = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        np.savez(path / "data.npz", x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
        return
    np.save(path / "x_test.npy", x_test)
    np.save(path / "y_test.npy", y_test)
    shapes = {"x": (count, 28, 28), "y": (count,)}
    arrays = {
        name: np.lib.format.open_memmap(path / f"{name}_train.npy", "w+", np.uint8, shape)
        for name, shape in (shapes.items() if form == "npy" else ())
    }
    for number in range(count // UNIT):
        for name, array in zip("xy", units[number % 25], strict=True):
            if form == "npy":
                arrays[name][number * UNIT : (number + 1) * UNIT] = array
            else:
                np.save(path / f"{name}_train-{number:05}.npy", array)


def train(data, output):
    """Train one epoch in a subprocess; return the seconds of the training and the peak memory in bytes."""
    command = [sys.executable, "-m", "study_keras.cli", "train", "--data", data, "--output", output, "--json"]
    command += ["--epochs", "1", "--batch-size", str(BATCH), "--seed", "1"]
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        stdout, stderr = process.stdout.read(), process.stderr.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(stderr.decode().strip().splitlines()[-1])
    unit_bytes = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss
    found = json.loads(stdout)
    return {"seconds": found["fit_seconds"], "peak": used.ru_maxrss * unit_bytes, "accuracy": found["accuracy"]}


def measure(count, forms, rounds, folder):
    """Return the results of each form for ``count`` images."""
    paths = {form: folder / f"{count}_{form}" for form in forms}
    for form, path in paths.items():  # in a subprocess: a child's peak includes the memory of its parent at the fork
        writer = multiprocessing.get_context("spawn").Process(target=write, args=(path, count, form))
        writer.start()
        writer.join()
    paths = {form: path / "data.npz" if form == "npz" else path for form, path in paths.items()}
    results = {form: [] for form in forms}
    for number in range(rounds):
        for form in forms if number % 2 == 0 else forms[::-1]:
            print(f"{count:,} images, {FORMS[form]}, round {number + 1} of {rounds}", file=sys.stderr)
            results[form].append(train(paths[form], folder / "output"))
    return results


def table_of(results):
    table = Table(box=None, padding=(0, 1, 0, 0))
    table.add_column("images from", no_wrap=True)
    for heading in ("images", "fit s", "s for 60,000", "speed", "peak MB", "accuracy"):
        table.add_column(heading, justify="right")
    for count, forms in results.items():
        memory = forms.get("npz")
        for form, rounds in forms.items():
            seconds = median(one["seconds"] for one in rounds)
            ratios = [one["seconds"] / other["seconds"] for one, other in zip(memory or (), rounds, strict=False)]
            table.add_row(
                FORMS[form],
                f"{count:,}",
                f"{seconds:.2f}",
                f"{seconds * UNIT / count:.3f}",
                f"{median(ratios):.2f} x" if ratios else "",
                f"{max(one['peak'] for one in rounds) / 1e6:,.0f}",
                f"{median(one['accuracy'] for one in rounds):.4f}",
            )
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="trainings of each (default: 3)")
    parser.add_argument("--sizes", type=int, nargs="+", choices=SIZES, default=list(SIZES), metavar="N", help="images")
    parser.add_argument("--json", type=Path, metavar="PATH", help="where the figures go (default: output/growth.json)")
    options = parser.parse_args()
    results = {}
    for count in options.sizes:
        with tempfile.TemporaryDirectory(prefix="hello-mnist-growth-") as folder:
            results[count] = measure(count, SIZES[count], options.rounds, Path(folder))
    path = options.json or files.output_dir() / "growth.json"
    files.write(path, json.dumps(results, indent=1) + "\n")
    console = Console()
    console.print(table_of(results))
    console.print(
        f"{options.rounds} rounds, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}; speed: of memory"
    )
    console.print(f"All figures: {path}")


if __name__ == "__main__":
    main()
