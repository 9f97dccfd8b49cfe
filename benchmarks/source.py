"""MobileNetV2 as a PyTorch program and as plain C, beside LiteRT's file and Keras: bytes, time to write, time to run.

    python benchmarks/source.py [--pixels 224] [--rounds 3]

The network is that of ``keras.applications`` with random weights, the statistics of a batch in its normalizations, and
logits as its answers. All run in float32 on one thread, an image at a time, and the time is that of the processor; for
C in its function, as ``-O3`` compiles it without options for a processor. The files alternate for several rounds, and
the output is the median, the range, and the median of each round's ratio to LiteRT. The difference is the largest from
Keras, relative to the largest logit.
"""

import argparse
import os
import platform
import tempfile
import time
from pathlib import Path
from statistics import median

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ |= {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}

import keras
import numpy as np
from applications import initialize
from plain_c import seconds
from rich.console import Console
from rich.table import Table

from study_keras import formats, runtimes
from study_keras.formats.keras_runner import keras_runner
from study_keras.runtimes import Runner, c_compiler, program_worker
from study_keras.runtimes.program import allow_code

IMAGES = 12
SUFFIXES = (".tflite", ".c", "_torch.py")
COLUMNS = ("runtime", "written s", "opened s", "bytes", "difference", "ms/image", "from", "to", "ratio")


def network(pixels):
    """Return the network and images."""
    keras.utils.set_random_seed(0)
    model = keras.applications.MobileNetV2((pixels, pixels, 3), weights=None, classifier_activation=None)
    images = np.random.default_rng(1).normal(0, 1, (IMAGES, pixels, pixels, 3)).astype("float32")
    initialize(model, images)
    return model, images


def in_process(path):
    """Return the PyTorch program as a runner in this process, where the time of the processor can be measured."""
    return Runner("PyTorch", path, program_worker.CALLS["torch"](program_worker._import(path)))


def write(model, folder):
    """Return for each file its runner, the seconds of writing and of opening it, and its bytes with those beside it."""
    found = [(keras_runner(model, "Keras", compiled=True), 0.0, 0.0, 0)]
    for suffix in SUFFIXES:
        path, started = folder / suffix[1:3] / f"mobilenet{suffix}", time.perf_counter()
        path.parent.mkdir()
        formats.save(model, path, prove=False)
        written, started = time.perf_counter() - started, time.perf_counter()
        runner = in_process(path) if suffix == "_torch.py" else runtimes.open(path, formats.detect(path).runtime)
        opened = time.perf_counter() - started
        found.append((runner, written, opened, sum(file.stat().st_size for file in path.parent.iterdir())))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pixels", type=int, default=224)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    model, images = network(chosen.pixels)
    with tempfile.TemporaryDirectory() as name, allow_code():
        files = write(model, Path(name))
        wanted = np.concatenate([files[0][0].call([image[None]])[0] for image in images])
        answers = [wanted, *(runner.run([images], 1).outputs[0] for runner, *_ in files[1:])]
        taken = [[seconds(runner, images) for runner, *_ in files] for _ in range(chosen.rounds)]
    table = Table(box=None, padding=(0, 1, 0, 0))
    for heading in COLUMNS:
        table.add_column(heading, justify="left" if heading == "runtime" else "right")
    for place, ((runner, written, opened, size), found) in enumerate(zip(files, answers, strict=True)):
        rounds = [row[place] for row in taken]
        far = np.abs(found - wanted).max() / np.abs(wanted).max()
        times = [f"{1000 * one:.1f}" for one in (median(rounds), min(rounds), max(rounds))]
        ratio = median(row[place] / row[1] for row in taken)
        row = [f"{written:.1f}", f"{opened:.1f}", f"{size:,}", f"{far:.1e}", *times, f"{ratio:.2f}"]
        table.add_row(runner.runtime, *row)
    console = Console()
    console.print(table)
    compiler = Path(c_compiler.find_compiler()[0]).name
    console.print(
        f"{chosen.rounds} rounds of {IMAGES} images of {chosen.pixels} pixels, {platform.machine()}, {compiler}"
    )


if __name__ == "__main__":
    main()
