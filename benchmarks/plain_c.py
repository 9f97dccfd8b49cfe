"""Bytes, time and answers of the network of the recipe ``tiny`` as plain C, beside LiteRT and TFLite Micro.

    python benchmarks/plain_c.py

The network is trained for two epochs first. The bytes are those of the model's own file, compiled for size (``-Os``),
as ``size`` counts them: flash is text and data, RAM is data and bss. For TFLite Micro, whose interpreter is not
counted, RAM is the arena. The time is that of the processor for one image at a time: in the C program itself as ``-O3``
compiles it, of others a call from Python. The files alternate for several rounds, and the output is the median, the
range, and the median of each round's ratio to LiteRT in float32. For int8 the last columns count the 10,000 test images
of which all answers are, bit for bit, those of LiteRT in int8, and those with the same class.
"""

import os
import platform
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from rich.console import Console
from rich.table import Table

from study_keras import formats, runtimes
from study_keras.data import dataset
from study_keras.runtimes import c_compiler, tflite_micro
from study_keras.runtimes.program import allow_code
from study_keras.train import fit, models, recipes

ROUNDS = 7
IMAGES = 2000
FILES = {
    "tiny.tflite": {"batch": 1},
    "tiny_int8.tflite": {"batch": 1, "quantize": "int8"},
    "tiny.c": {},
    "tiny_int8.c": {"quantize": "int8"},
    "tiny_int8.micro.c": {"quantize": "int8"},
}


def write(model, folder, images):
    """Write the files, and return their paths; without a package for one of them, the others."""
    paths = []
    for name, options in FILES.items():
        given = {**options, "images": images[:500]} if "quantize" in options else options
        try:
            paths.append(formats.save(model, folder / name, **given))
        except FileNotFoundError as error:
            print(f"{name} is left out: {error}")
    return paths


def code_bytes(path):
    """Return the bytes of flash and of RAM of a C file; None without ``size``."""
    if not shutil.which("size"):
        return None
    compiled = path.with_suffix(".o")
    command = [*c_compiler.find_compiler(), "-std=c11", "-Os", "-c", str(path), "-o", str(compiled)]
    subprocess.run(command, check=True)
    said = subprocess.run(["size", str(compiled)], check=True, capture_output=True, text=True).stdout
    text, data, bss = map(int, said.splitlines()[1].split()[:3])
    if path.name.endswith(".micro.c"):
        bss = tflite_micro.arena_size(path, tflite_micro.read_model(path))
    return text + data, data + bss


def trained():
    """Return the network after two epochs."""
    fit.set_seed(0)
    model, (images, labels) = models.tiny(), dataset.load_data()[0]
    models.compile(model, rate=8e-3, steps=2 * len(images) // 125, betas=recipes.BETAS)
    fit.train(model, images, labels, epochs=2, batch_size=125, seed=0)
    return model


def same_as_litert(runners, images):
    """Return for each file in int8 on how many images all answers are LiteRT's, and on how many the class is."""
    answers = {name: runner.run([images]).outputs[0] for name, runner in runners.items() if "int8" in name}
    wanted = answers["tiny_int8.tflite"]
    return {
        name: (int((answer == wanted).all(1).sum()), int((answer.argmax(1) == wanted.argmax(1)).sum()))
        for name, answer in answers.items()
    }


def seconds(runner, images):
    """Return what one image takes of the processor: other work on the machine does not count."""
    if runner.call_timed:
        return runner.run([images], 1).seconds / len(images)
    started = time.process_time()
    for row in range(len(images)):
        runner.call([images[row : row + 1]])
    return (time.process_time() - started) / len(images)


def main():
    test = dataset.scale(dataset.load_data()[1][0])
    model, images = trained(), test[:IMAGES]
    with tempfile.TemporaryDirectory() as name, allow_code():
        paths = write(model, Path(name), images)
        runners = {path.name: runtimes.open(path, formats.detect(path).runtime) for path in paths}
        taken = {path.name: [] for path in paths}
        for _ in range(ROUNDS):
            for path in paths:
                taken[path.name].append(seconds(runners[path.name], images))
        same = same_as_litert(runners, test)
        table = Table(box=None, padding=(0, 1, 0, 0))
        for heading in ("file", "runtime", "flash", "RAM", "us/image", "from", "to", "ratio", "same", "class"):
            table.add_column(heading, justify="left" if heading in ("file", "runtime") else "right")
        for path in paths:
            rounds = taken[path.name]
            figures = [f"{1e6 * one:.1f}" for one in (median(rounds), min(rounds), max(rounds))]
            ratio = median(one / other for one, other in zip(rounds, taken["tiny.tflite"], strict=True))
            sizes = code_bytes(path) if path.suffix == ".c" else (path.stat().st_size, None)
            shown = ["" if size is None else f"{size:,}" for size in sizes or (None, None)]
            counts = [f"{count:,}" for count in same.get(path.name, ())]
            table.add_row(path.name, runners[path.name].runtime, *shown, *figures, f"{ratio:.2f}", *counts)
    console = Console()
    console.print(table)
    console.print(f"{ROUNDS} rounds of {len(images):,} images, {platform.machine()}, {c_compiler.find_compiler()[0]}")


if __name__ == "__main__":
    main()
