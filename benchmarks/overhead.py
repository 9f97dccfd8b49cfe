"""The cost of progress, checkpoints and resumability compared with Keras' plain ``fit`` in the same run.

    make bench, or: KERAS_BACKEND=jax python benchmarks/overhead.py

The tutorial's network, 60,000 images, 5 epochs, batch size 32. The ways alternate for several rounds; the output is
the median and the range of the seconds, and the median of each round's ratio to the plain ``fit``.
"""

import io
import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
from rich.console import Console

from study_keras.data import dataset
from study_keras.report import terminal
from study_keras.train import callbacks, checkpoint, fit, models, recipes

ROUNDS = 5
DATASET = dataset.load_data()
IMAGES, LABELS = DATASET[0]
RECIPE = replace(recipes.TUTORIAL, seed=1)


def plain(folder):
    fit.set_seed(1)
    model = models.mlp()
    models.compile(model)
    model.fit(dataset.scale(IMAGES), LABELS, epochs=5, verbose=0)


def watched(folder, more=()):
    progress = terminal.TrainingProgress(Console(file=io.StringIO(), force_terminal=True), len(IMAGES))
    save = callbacks.SaveEvery(folder / "{epoch:04d}.weights.h5", 1)
    checkpoint.train_and_save(DATASET, RECIPE, folder, callbacks=[save, progress, *more])


def with_gradients(folder):
    watched(folder, [callbacks.LogGradients(folder, dataset.scale(IMAGES[:1000]), LABELS[:1000])])


ways = {"plain fit": plain, "resumable, checkpoints, progress, history": watched, "and gradients": with_gradients}
seconds = {name: [] for name in ways}
for _ in range(ROUNDS):
    for name, way in ways.items():
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            way(Path(folder))
            seconds[name].append(time.perf_counter() - started)

print(f"{keras.backend.backend()}, Keras {keras.__version__}, {ROUNDS} rounds, Python {sys.version[:6]}")
for name, taken in seconds.items():
    ratio = median(one / other for one, other in zip(taken, seconds["plain fit"], strict=True))
    print(f"{name:42} {median(taken):6.2f} s  ({min(taken):.2f} to {max(taken):.2f})  {ratio:.2f} x")
