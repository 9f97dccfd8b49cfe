"""The same training by this project and by its peers: 784-128-10 on MNIST, dropout 0.2, Adam, batch 32, 5 epochs.

    make bench, or: python benchmarks/training.py --rounds 5 --only project jax

Each peer is a script in benchmarks/peers/, run in a subprocess. They alternate for several rounds, each with a new seed
and a different first peer; packages that cache files, such as compiled kernels, find them in the next round. The output
is the median and range of the seconds of the training, with compilation; the median of each round's ratio to this
project; the seconds of the process; and the accuracy on the 10,000 test images. The last row is the limit: the time of
the arithmetic only, at the best rate of a matrix product in the same run.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from importlib.metadata import packages_distributions, version
from importlib.util import find_spec
from pathlib import Path
from statistics import mean, median

from goals import Goal
from peers import PEERS
from rich.console import Console
from rich.table import Table

from study_keras import files

SCRIPTS = Path(__file__).with_name("peers")
INSTALL = {"sklearn": "scikit-learn", "tf_keras": "--no-deps tf-keras"}  # if the package is not named like the module


def run_script(script, *arguments, environment=None):
    """Run a script of peers/ in a subprocess; return the JSON of its last line, and the seconds it took."""
    command = [sys.executable, SCRIPTS / script, *map(str, arguments)]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **(environment or {})}
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    seconds = time.perf_counter() - started
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1])
    return {"process_seconds": round(seconds, 3), **json.loads(done.stdout.splitlines()[-1])}


def measure(names, rounds):
    """Run the peers alternately; return the results of each, the reasons of failures, and the limits of the rounds."""
    results, failures, limits = {name: [] for name in names}, {}, []
    for number in range(rounds):
        limits.append(run_script("limit.py"))
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            if name in failures:
                continue
            peer = PEERS[name]
            print(f"round {number + 1} of {rounds}: {peer.title}", file=sys.stderr)
            try:
                result = run_script(peer.script, number + 1, *peer.arguments, environment=peer.environment)
                results[name].append(result)
            except RuntimeError as error:
                failures[name] = f"failed: {error}"
                del results[name]
    return results, failures, limits


def table_of(results, limit):
    """Return the table of medians and ranges, the fastest first, and the limit in the last row."""
    table = Table(box=None, padding=(0, 1, 0, 0))  # fits into 80 columns
    table.add_column("trained by", no_wrap=True)
    for heading in ("fit s", "from", "to", "ratio", "process s", "accuracy"):
        table.add_column(heading, justify="right")
    base = results.get("project", [])
    for name, rounds in sorted(results.items(), key=lambda item: median(one["fit_seconds"] for one in item[1])):
        fit = [one["fit_seconds"] for one in rounds]
        ratios = [one / other["fit_seconds"] for one, other in zip(fit, base, strict=False)]
        table.add_row(
            PEERS[name].title,
            *(f"{seconds:.2f}" for seconds in (median(fit), min(fit), max(fit))),
            f"{median(ratios):.2f} x" if ratios else "",
            f"{median(one['process_seconds'] for one in rounds):.2f}",
            f"{mean(one['accuracy'] for one in rounds):.4f}",
        )
    table.add_section()
    work = f"{limit['flop'] / 1e9:.0f} GFLOP at {limit['flop_per_second'] / 1e9:.0f} a second"
    table.add_row(f"limit: {work}", f"{limit['fit_seconds']:.2f}")
    return table


def print_goals(results):
    """Print whether the command, from the shell to the saved model, is as fast as it is meant to be."""
    seconds = {name: [one["process_seconds"] for one in rounds] for name, rounds in results.items()}
    for name, bound in (("tutorial", 0.20), ("numpy", 1.0)):
        if {"project", name} <= seconds.keys():
            ratios = [one / other for one, other in zip(seconds["project"], seconds[name], strict=True)]
            print(Goal(f"process s / that of {PEERS[name].title}", bound).line(PEERS["project"].title, median(ratios)))


def machine(names):
    """Return processors, load and versions, which the numbers depend on."""
    owners = packages_distributions()
    packages = sorted({package for name in names for package in owners[PEERS[name].module]} | {"keras"})
    versions = {"python": sys.version.split()[0]} | {package: version(package) for package in packages}
    return {"processors": os.cpu_count(), "load": round(os.getloadavg()[0], 1), "versions": versions}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="trainings of each (default: 5)")
    parser.add_argument("--only", nargs="+", choices=PEERS, metavar="NAME", help=f"some of {', '.join(PEERS)}")
    parser.add_argument(
        "--json", type=Path, metavar="PATH", help="where the figures go (default: output/bench_training.json)"
    )
    options = parser.parse_args()
    path = options.json or files.output_dir() / "bench_training.json"

    names = options.only or list(PEERS)
    modules = {name: PEERS[name].module for name in names}
    missing = {name: module for name, module in modules.items() if not find_spec(module)}
    here = machine(present := [name for name in names if name not in missing])
    results, failures, limits = measure(present, options.rounds)
    limit = min(limits, key=lambda one: one["fit_seconds"])
    absent = {name: f"not installed: pip install {INSTALL.get(module, module)}" for name, module in missing.items()}
    figures = {"rounds": options.rounds, "machine": here, "limit": limit, "peers": results, "absent": absent | failures}
    files.write(path, json.dumps(figures, indent=1) + "\n")

    console = Console()
    console.print(table_of(results, limit))
    print_goals(results)
    for name, reason in (absent | failures).items():
        console.print(f"{PEERS[name].title}: {reason}", markup=False, highlight=False)
    versions = ", ".join(f"{package} {number}" for package, number in here["versions"].items())
    console.print(f"{options.rounds} rounds, {here['processors']} processors, load {here['load']}; {versions}")
    console.print(f"All figures: {path}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
