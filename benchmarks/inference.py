"""Images per second of each file that ``hello-mnist run`` writes, in its runtime.

    make bench, or: python benchmarks/inference.py

The tutorial's network after one epoch, on the 10,000 test images in batches of 1000. The files alternate for several
rounds; the output is the median, the range, and the median of each round's ratio to the ``.keras`` file. The time, as
in ``hello-mnist verify``, excludes loading and the first batch, which compiles.
"""

import os
import sys
import tempfile
from pathlib import Path
from statistics import median

from study_keras.startup import import_keras

keras = import_keras()

from rich.console import Console
from rich.table import Table

from study_keras import formats
from study_keras.data import dataset
from study_keras.formats.verify import verify
from study_keras.report import evaluation
from study_keras.train import artifacts, models

ROUNDS = 5


def measure(folder):
    """Return the runtime of each artifact, and its images per second in each round."""
    (x_train, y_train), (x_test, y_test) = dataset.load_data()
    model = models.mlp()
    models.compile(model)
    model.fit(dataset.scale(x_train), y_train, batch_size=128, verbose=0)
    path = formats.save(model, folder / "hello_mnist.keras")
    images = evaluation.to_model_inputs(model, x_test)
    paths = artifacts.save_all(model, path, images[:500])
    runtimes, rates = {}, {path.name: [] for path in paths}
    for _ in range(ROUNDS):
        for path in paths:
            try:
                result = verify(model, path, images, y_test)
            except FileNotFoundError as error:  # Node is not installed
                runtimes[path.name] = str(error)
                continue
            runtimes[path.name] = result["runtime"]
            rates[path.name].append(1000 / result["ms_per_image"])
    return runtimes, rates


def main():
    with tempfile.TemporaryDirectory() as folder:
        runtimes, rates = measure(Path(folder))
    table = Table(box=None, padding=(0, 1, 0, 0))  # fits into 80 columns
    table.add_column("file", no_wrap=True)
    table.add_column("runtime")
    for heading in ("images/s", "from", "to", "ratio"):
        table.add_column(heading, justify="right")
    base = rates["hello_mnist.keras"]
    for name, rounds in rates.items():
        figures = []
        if rounds:
            ratio = median(one / other for one, other in zip(rounds, base, strict=True))
            figures = [*(f"{one:,.0f}" for one in (median(rounds), min(rounds), max(rounds))), f"{ratio:.2f} x"]
        table.add_row(name, runtimes[name], *figures)
    console = Console()
    console.print(table)
    backend, python = keras.backend.backend(), sys.version.split()[0]
    console.print(f"{ROUNDS} rounds, Keras on {backend}, {os.cpu_count()} processors, Python {python}")


if __name__ == "__main__":
    main()
