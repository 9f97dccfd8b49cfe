"""Runs a file from outside once in a child process: hostile bytes can crash a runtime, and with it this process."""

import math
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np

from study_keras import processes, runtimes

SECONDS = 60  # a model that runs longer has not crashed
MAX_VALUES = 2**24  # of its inputs
SHIPPED = Path(__file__).parents[1] / "shipped"


def check(path: str | Path, runtime: str) -> None:
    """Refuse a file on which its runtime crashes. The models of this package are not tried.

    Args:
        path: the file.
        runtime: as ``runtimes.open`` takes it.

    Raises:
        ValueError: the runtime crashes.
    """
    if Path(path).resolve().parent == SHIPPED.resolve():
        return
    code = "import sys; from study_keras.runtimes import trial; trial.run(*sys.argv[1:])"
    command = [sys.executable, "-c", code, str(path), runtime]
    try:
        environment, null = processes.environment(), subprocess.DEVNULL
        done = subprocess.run(
            command, check=False, env=environment, stdin=null, stdout=null, stderr=null, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        return
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        raise ValueError(f"{path}: {runtime} crashes on it ({name}); the file is broken, use another copy")


def run(path: str, runtime: str) -> None:
    """Run a file on zeros, unless its inputs are too large or it refuses them."""
    runner = runtimes.open(path, runtime)
    shapes = [[size or 1 for size in spec.shape or ()] for spec in runner.inputs or ()]
    if sum(map(math.prod, shapes)) <= MAX_VALUES:
        runner.run([np.zeros(shape, spec.dtype) for shape, spec in zip(shapes, runner.inputs or (), strict=True)])
