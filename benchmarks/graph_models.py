"""The cost of a TF.js graph model: exporting MobileNetV2, and its time per image compared with a layers model.

    make bench, or: python benchmarks/graph_models.py

The memory is the peak of the process during the export minus its memory before, as a multiple of the size of the
weights; a small export before loads everything that TensorFlow loads at first use. The two files of one CNN run
alternately in one Node process, on wasm; the output is the median over the rounds, and the range.
"""

import os
import tempfile
import time
from pathlib import Path
from statistics import median

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from study_keras.formats.tfjs import export_tfjs
from study_keras.runtimes.tfjs import run_many_tfjs

ROUNDS, IMAGES = 7, 2000
SECONDS, TIMES = 15, 4  # limits


def cnn():
    layers = keras.layers
    parts = [
        layers.Conv2D(24, 5, activation="relu"), layers.MaxPooling2D(), layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(), layers.Flatten(), layers.Dense(256, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ]  # fmt: skip
    return keras.Sequential([keras.Input((28, 28, 1)), *parts])


def resident(field):
    """Return the memory of this process in bytes, on Linux: VmRSS now, VmHWM the peak since ``reset_peak``."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return 1024 * int(next(line for line in lines if line.startswith(field)).split()[1])


def reset_peak():
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def export_cost(folder):
    """Print seconds and memory of exporting MobileNetV2 as a graph model; return whether both are within limits."""
    export_tfjs(cnn(), folder / "first.tfjs", kind="graph", prove=False)
    model = keras.applications.MobileNetV2(weights=None)
    size = 4 * model.count_params()
    reset_peak()
    before, started = resident("VmRSS"), time.perf_counter()
    export_tfjs(model, folder / "mobile.tfjs", kind="graph", prove=False)
    seconds, grown = time.perf_counter() - started, resident("VmHWM") - before
    print(
        f"MobileNetV2 as a graph model: {seconds:.1f} s (limit {SECONDS}), peak {grown / size:.2f} times its "
        f"{size / 1e6:.1f} MB of weights (limit {TIMES})"
    )
    return seconds <= SECONDS and grown <= TIMES * size


def time_per_image(folder):
    """Print the time per image of one CNN as a layers model and as a graph model."""
    model = cnn()
    kinds = ("layers", "graph")
    paths = [export_tfjs(model, folder / f"{kind}.tfjs", kind=kind) for kind in kinds]
    images = np.random.default_rng(0).random((IMAGES, 28, 28, 1), "float32")
    runs = run_many_tfjs([(path, images) for _ in range(ROUNDS + 1) for path in paths], "wasm")[len(kinds) :]
    if errors := [run.error for run in runs if run.error]:
        raise SystemExit(f"TF.js failed: {errors[0]}")
    largest = max(float(np.abs(a - b).max()) for a, b in zip(runs[0].outputs, runs[1].outputs, strict=True))
    times = [[run.milliseconds / IMAGES for run in runs[index::2]] for index in range(2)]
    for kind, found in zip(kinds, times, strict=True):
        print(f"{kind}: {median(found):.4f} ms per image, from {min(found):.4f} to {max(found):.4f}, {ROUNDS} rounds")
    ratio = median(b / a for a, b in zip(*times, strict=True))
    print(f"the graph model takes {ratio:.2f} times as long; the answers are at most {largest:.1e} apart")


def main():
    with tempfile.TemporaryDirectory() as name:
        fits = export_cost(Path(name))
        time_per_image(Path(name))
    if not fits:
        raise SystemExit("over the limit")


if __name__ == "__main__":
    main()
