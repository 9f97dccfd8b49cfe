"""Run the benchmarks one after the other, keep their figures, and print a table of them.

    make bench, make bench-quick, or: python tools/bench.py --only training predict

An interrupted run goes on where it stopped: a part that is done at this commit, on this machine and with these versions
is not run again. What each part prints is in output/bench/; output/bench.json has all figures, each with commit,
machine and versions.
"""

import argparse
import json
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from study_keras.files import write

ROOT = Path(__file__).parents[1]
FIGURES = ROOT / "output/bench.json"
MOST = 4  # lines of a part in the table; all are in the file
VERSIONS = ("keras", "jax", "tensorflow-cpu", "numpy", "ai-edge-litert", "onnxruntime")


@dataclass(frozen=True)
class Part:
    """A part of the benchmarks.

    Attributes:
        command: as one types it in the activated environment.
        quick: a shorter one, for a rough figure; None where the README's table does not quote the part.
        figure: a regular expression; the lines of the output that match are in the table.
    """

    command: str
    quick: str | None
    figure: str


PARTS = {
    "training": Part(
        "python benchmarks/training.py",
        "python benchmarks/training.py --rounds 1 --only project tutorial numpy",
        r"(train, .* runs.*|hand|Keras \d) +\d",
    ),
    "recipes": Part(
        "python benchmarks/recipes.py --rounds 8 --only tutorial fast ridge cnn",
        "python benchmarks/recipes.py --rounds 1 --only ridge",
        "tutorial|fast|ridge|cnn|goal",
    ),
    "mlp": Part(
        "python benchmarks/recipes.py --rounds 5 --only mlp",
        "python benchmarks/recipes.py --rounds 1 --only mlp",
        r"(Keras \d|mlp) +\d",
    ),
    "best": Part(
        "hello-mnist train --recipe best --seed 1 --output output/bench/best",
        "hello-mnist train --recipe best --seed 1 --epochs 1 --output output/bench/best",
        "accuracy │",
    ),
    "time_to": Part("python benchmarks/time_to.py", None, "% |goal"),
    "matrix": Part("make matrix", "python -m pytest -m 'not slow' tests/matrix", "equal|refused|passed"),
    "applications": Part(
        "python benchmarks/applications.py",
        "python benchmarks/applications.py output/bench/applications --only MobileNetV2",
        "passed",
    ),
    "photos": Part("python tests/vision/photos.py", "python tests/vision/photos.py", "handwritten"),
    "reading": Part("python benchmarks/reading.py", "python benchmarks/reading.py --only photo", r"^\W*photo "),
    "predict": Part("python benchmarks/predict.py", "python benchmarks/predict.py", " x$"),
    "fuzz": Part("make fuzz SECONDS=3600", "make fuzz SECONDS=20", "files"),
    "killed": Part("make test-slow", "python -m pytest -m slow tests/train -k killed", "passed"),
    "inference": Part("python benchmarks/inference.py", None, " x"),
    "step": Part("python benchmarks/step.py", None, r"\d\.\d\d"),
    "overhead": Part("python benchmarks/overhead.py", None, " x$"),
    "growth": Part("python benchmarks/growth.py", None, "%"),
    "scaling": Part("python benchmarks/scaling.py", None, "process"),
    "server": Part("python benchmarks/server.py", None, "POST|GET"),
    "page": Part("python benchmarks/page.py", None, "seconds"),
    "graph_models": Part("python benchmarks/graph_models.py", None, "times|ms"),
    "tfjs_export": Part("python benchmarks/tfjs_export.py", None, "."),
    "small": Part("python benchmarks/small.py", None, "tiny|micro"),
    "plain_c": Part("python benchmarks/plain_c.py", None, "tiny"),
    "source": Part("python benchmarks/source.py", None, "x"),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="rough figures, for each row of the README's table")
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="PART", help=f"some of {', '.join(PARTS)}")
    parser.add_argument("--again", action="store_true", help="run also what is done at this commit")
    options = parser.parse_args()
    commands = {name: part.quick if options.quick else part.command for name, part in PARTS.items()}
    chosen = {name: commands[name] for name in options.only or PARTS if commands[name]}
    if not chosen:
        parser.error(f"{' and '.join(options.only)} has no rough figure; expected a part that the README quotes")
    here, recorded = _here(), _read()
    for number, (name, command) in enumerate(chosen.items(), start=1):
        print(f"\n{number} of {len(chosen)}, {name}: {command}", flush=True)
        done = recorded.get(command, {})
        if not options.again and done.get("exit") == 0 and done.get("at") == here and "changed" not in here["commit"]:
            print(f"done at this commit in {done['seconds']} s; to run it again: --again")
            continue
        recorded[command] = {"part": name, "at": here, **_run(name, command)}
        write(FIGURES, json.dumps({"results": recorded}, indent=1) + "\n")
    results = {name: recorded[command] for name, command in chosen.items()}
    Console().print(_table(results))
    print(f"All figures: {FIGURES}")
    return int(any(result["exit"] for result in results.values()))


def _run(name: str, command: str) -> dict[str, Any]:
    """Run a part and show what it prints; return its seconds, exit code, load and the lines of its figures."""
    log = FIGURES.parent / "bench" / f"{name}.txt"
    log.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(log.with_suffix(""), ignore_errors=True)  # the part's own files, which it would go on with
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    started, lines = time.monotonic(), []
    with (
        log.open("w") as file,
        subprocess.Popen(
            shlex.split(command),
            cwd=ROOT,
            env={**os.environ, "PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process,
    ):
        assert process.stdout
        for line in process.stdout:
            print(line, end="", flush=True)
            file.write(line)
            lines.append(line.rstrip())
    seconds = round(time.monotonic() - started)
    figures = [line.strip(" │┃|") for line in lines if re.search(PARTS[name].figure, line)]
    return {"exit": process.returncode, "seconds": seconds, "load": round(os.getloadavg()[0], 1), "figures": figures}


def _table(results: dict[str, dict[str, Any]]) -> Table:
    table = Table("part", "s", "exit", "figures")
    for name, result in results.items():
        table.add_row(name, str(result["seconds"]), str(result["exit"]), escape("\n".join(result["figures"][-MOST:])))
    return table


def _commit() -> str:
    """Return the commit, with "changed" where files differ from it."""
    git = ["git", "describe", "--always", "--abbrev=12", "--dirty= changed"]
    return subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip() or "changed"


def _read() -> dict[str, Any]:
    """Return the results so far, by command; none where the file is missing or is of another kind."""
    try:
        results = json.loads(FIGURES.read_text())["results"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return results if isinstance(results, dict) else {}


def _here() -> dict[str, Any]:
    """Return commit, machine and versions, which a figure depends on."""
    machine = {"processor": _processor(), "cores": os.cpu_count(), "system": platform.platform()}
    versions = {"python": platform.python_version(), **{name: version(name) for name in VERSIONS}}
    return {"commit": _commit(), "machine": machine, "versions": versions}


def _processor() -> str:
    """Return the processor's name: Linux has it in a file, others where Python looks."""
    try:
        names = re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    except OSError:
        names = []
    return names[0] if names else platform.processor()


if __name__ == "__main__":
    sys.exit(main())
