"""The smallest networks, the recipes ``tiny`` and ``micro``: weights, bytes, and the accuracy of the int8 files.

    python benchmarks/small.py --seeds 5 --only tiny micro

Each training, each conversion and each test is the command that users type, so that the accuracy is that of the
``.tflite`` file itself, in LiteRT, on the 10,000 test images, on which nothing was chosen. Weights are the numbers in
the file: batch normalization is folded into the convolution before it. The bytes of C are those of the source, and of
flash as ``plain_c.py`` counts them. The output is the mean and the standard deviation over the seeds, and the largest
file, beside the goal. A training that is finished is not run again; the files lie in ``output/small``.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from statistics import mean, median, stdev

from plain_c import code_bytes
from rich.console import Console
from rich.table import Table

from study_keras import files, formats
from study_keras.formats.written.fold import fold_batch_normalization
from study_keras.formats.written.model_steps import program_of

GOALS = {  # at most so many weights and bytes, and at least this accuracy
    "tiny": {"tflite": 9200, "accuracy": 0.9945},
    "micro": {"weights": 1000, "float": 0.99, "accuracy": 0.99},
}
ROWS = {
    "weights": "weights",
    "tflite": "bytes of .tflite, int8",
    "c": "bytes of .c, int8",
    "flash": "bytes of flash, int8",
    "float": "accuracy, float32",
    "accuracy": "accuracy, int8",
    "minutes": "minutes of the training",
}


def run(*arguments):
    """Run ``hello-mnist`` and return what it prints."""
    command = [sys.executable, "-m", "study_keras.cli", *map(str, arguments)]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def weights_of(path):
    """Return how many weights a network has once batch normalization is folded away."""
    program = fold_batch_normalization(program_of(formats.load(path)))
    return sum(array.size for step in program.steps for array in step.weights.values())


def measure(name, seed):
    """Return the figures of one training, as ``ROWS`` names them."""
    folder = files.output_dir() / "small" / f"{name}-{seed}"
    model = folder / "hello_mnist.keras"
    if not model.is_file():
        run("train", "--recipe", name, "--seed", seed, "--output", folder)
    lite, source = folder / f"{name}.tflite", folder / f"{name}.c"
    run("convert", model, lite, "--quantize", "int8", "--batch", 1)
    run("convert", model, source, "--quantize", "int8")
    return {
        "weights": weights_of(model),
        "tflite": lite.stat().st_size,
        "c": source.stat().st_size,
        "flash": (code_bytes(source) or [None])[0],
        "float": json.loads(run("evaluate", model, "--json"))["accuracy"],
        "accuracy": json.loads(run("evaluate", lite, "--json"))["accuracy"],
        "minutes": json.loads(model.with_suffix(".json").read_text())["fit_seconds"] / 60,
    }


def summary(row, values):
    """Return how a row's values over the seeds are shown."""
    if None in values:
        return ""
    if row == "minutes":
        return f"{median(values):.1f}"
    if row in ("float", "accuracy"):
        spread = stdev(values) if len(values) > 1 else 0.0
        return f"{100 * mean(values):.2f} ± {100 * spread:.2f} %"
    return f"{max(values):,}"


def goal_of(name, row, values):
    """Return how a row's goal is shown, and whether the values reach it."""
    goal = GOALS[name].get(row)
    if goal is None:
        return "", ""
    if row in ("float", "accuracy"):
        return f">= {100 * goal:.2f} %", "reached" if mean(values) >= goal else "missed"
    return f"<= {goal:,}", "reached" if max(values) <= goal else "missed"


def table_of(results):
    """Return the table, some rows per recipe."""
    table = Table(box=None, padding=(0, 1, 0, 0))
    for heading in ("recipe", "figure", "measured", "goal", ""):  # fits into 80 columns
        table.add_column(heading, justify="left" if heading in ("recipe", "figure", "") else "right", no_wrap=True)
    for name, seeds in results.items():
        for row, title in ROWS.items():
            values = [one[row] for one in seeds]
            table.add_row(name, title, summary(row, values), *goal_of(name, row, values))
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="trainings of each (default: 5)")
    parser.add_argument("--only", nargs="+", choices=GOALS, default=list(GOALS), metavar="NAME", help="which recipes")
    parser.add_argument("--json", type=Path, metavar="PATH", help="default: output/bench_small.json")
    options = parser.parse_args()
    path = options.json or files.output_dir() / "bench_small.json"
    results = {name: [] for name in options.only}
    for name, so_far in results.items():
        for seed in range(1, options.seeds + 1):
            print(f"{name}: seed {seed} of {options.seeds}", file=sys.stderr)
            so_far.append(measure(name, seed))
    files.write(path, json.dumps(results, indent=1) + "\n")
    Console().print(table_of(results))
    for name, seeds in results.items():
        each = ", ".join(f"{100 * one['accuracy']:.2f}" for one in seeds)
        print(f"{name}, int8, each seed: {each} %")
    print(f"All figures: {path}")


if __name__ == "__main__":
    main()
