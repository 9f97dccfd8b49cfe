"""The recipes compared with the tutorial of 2019 as written: seconds, their ratio, and test accuracy.

    python benchmarks/recipes.py --rounds 10 --only fast ridge cnn

Each training is a subprocess with its own seed. A round trains the tutorial as written and each recipe once. The output
is the median seconds in `fit`, with compilation, the median of the rounds' ratios to the tutorial, both also for the
entire process, and mean and standard deviation of the accuracy on the 10,000 test images, on which no recipe was
chosen.
"""

import argparse
import json
import sys
from pathlib import Path
from statistics import mean, median, stdev

from goals import Goal
from rich.console import Console
from rich.table import Table
from training import machine, run_script

from study_keras import files
from study_keras.train.recipes import RECIPES

PEER = "the tutorial as written, Keras 3"
GOALS = {
    "ridge": [Goal("accuracy", 0.99, least=True), Goal("fit s", 2.0)],
    "best": [Goal("accuracy", 0.9974, least=True), Goal("fit s", 900)],
}


def measure(ways, rounds):
    """Return the results of all rounds for the tutorial as written and for each of ``ways``.

    Args:
        ways: the options of ``hello-mnist train`` by name.
    """
    results = {PEER: [], **{name: [] for name in ways}}
    for seed in range(1, rounds + 1):
        for name, so_far in results.items():
            print(f"round {seed} of {rounds}: {name}", file=sys.stderr)
            script = ["tutorial.py", seed] if name == PEER else ["project.py", seed, *ways[name]]
            so_far.append(run_script(*script))
    return results


def table_of(results):
    """Return the table, one row per recipe."""
    table = Table(box=None, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    for heading in ("fit s", "ratio", "process s", "ratio", "accuracy", "+-"):
        table.add_column(heading, justify="right")
    for name, rounds in results.items():
        cells = []
        for kind in ("fit_seconds", "process_seconds"):
            ratios = [one[kind] / other[kind] for one, other in zip(rounds, results[PEER], strict=True)]
            cells += [f"{median(one[kind] for one in rounds):.2f}", f"{median(ratios):.3f}"]
        accuracies = [one["accuracy"] for one in rounds]
        spread = stdev(accuracies) if len(accuracies) > 1 else 0.0
        table.add_row(name, *cells, f"{mean(accuracies):.4f}", f"{spread:.4f}")
    return table


def print_goals(results, goals):
    """Print for each of the ``goals`` by name whether the mean accuracy, or the median time, reaches it."""
    for name in goals.keys() & results.keys():
        fit, accuracy = ([one[kind] for one in results[name]] for kind in ("fit_seconds", "accuracy"))
        for goal in goals[name]:
            print(goal.line(name, mean(accuracy) if goal.figure == "accuracy" else median(fit)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="seeds of each (default: 5)")
    quick = ["tutorial", "fast", "ridge", "cnn"]
    parser.add_argument("--only", nargs="+", choices=RECIPES, default=quick, metavar="NAME", help="which recipes")
    parser.add_argument("--json", type=Path, metavar="PATH", help="default: output/bench_recipes.json")
    options = parser.parse_args()
    path = options.json or files.output_dir() / "bench_recipes.json"
    results = measure({name: ["--recipe", name] for name in options.only}, options.rounds)
    figures = {"rounds": options.rounds, "machine": machine(["project", "tutorial"]), "results": results}
    files.write(path, json.dumps(figures, indent=1) + "\n")
    Console().print(table_of(results))
    print_goals(results, GOALS)
    print(f"All figures: {path}")


if __name__ == "__main__":
    main()
