"""Train the detector or the reader: python tools/reader_networks.py detector

Writes ``output/detector.weights.h5`` and, for the model card, ``output/detector.json``. What the networks are and what
they are trained on is in ``finder`` and ``synthetic``. `make model` trains both, and the network of one digit.
"""

import json
import os
import sys
import time
from contextlib import contextmanager

os.environ["KERAS_BACKEND"] = "tensorflow"  # the faster backend for convolutions
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from finder.examples import composed
from finder.losses import detector_loss, reader_loss
from finder.networks import NETWORKS, load

from study_keras import files, formats
from study_keras.vision.marks import SHIPPED

SEED, RATE = 1, 4e-3
RECIPES = {"detector": {"steps": 60_000, "batch_size": 16}, "reader": {"steps": 36_000, "batch_size": 160}}
REPORT, SAVE = 250, 2_000  # steps between lines, and between copies of the weights


def train(kind, seed=SEED, steps=None, start=None):
    """Train a network and save its weights, and how it went, to ``output``.

    Args:
        kind: "detector" or "reader".
        steps: None for those of its recipe.
        start: weights of an earlier training to begin with; None for random ones.

    Returns:
        The network.
    """
    recipe = RECIPES[kind]
    steps, started = steps or recipe["steps"], time.perf_counter()
    keras.utils.set_random_seed(seed)
    weights = files.output_dir() / f"{kind}.weights.h5"
    model = built(kind)
    if start:
        model.load_weights(start)
    step, mean = step_of(kind, model), 0.0
    with proposer(kind) as folder, composed(kind, seed, recipe["batch_size"], str(folder)) as batches:
        for number in range(1, steps + 1):
            loss = float(step(rate(number - 1, steps), *map(tf.constant, next(batches))))
            mean += (loss - mean) * max(0.005, 1 / number)
            if number % REPORT == 0 or number == steps:
                print(f"{kind} {number:6}/{steps}: loss {mean:.4f}, {time.perf_counter() - started:.0f} s", flush=True)
            if number % SAVE == 0 or number == steps:
                model.save_weights(weights)
    minutes = round((time.perf_counter() - started) / 60)
    report = {"seed": seed, **recipe, "steps": steps, "minutes": minutes, "loss": round(mean, 4)}
    files.write(files.output_dir() / f"{kind}.json", json.dumps(report))
    return model


@contextmanager
def proposer(kind):
    """Yield the folder of the detector that proposes what the reader learns from: the last trained, or the shipped."""
    trained = files.output_dir() / "detector.weights.h5"
    with files.temporary_folder() as folder:
        if kind == "reader" and trained.exists():
            formats.export_litert(load("detector", trained), folder / "detector.tflite", quantize="float16")
            yield folder
        else:
            yield SHIPPED


def built(kind):
    """Return a network with random weights that computes in bfloat16, which is faster."""
    policy = keras.mixed_precision.global_policy()
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        return NETWORKS[kind]()
    finally:
        keras.mixed_precision.set_global_policy(policy)


def rate(number, steps):
    """Return the learning rate of a step: it rises for the first 300, and falls as a cosine to a 500th at the end."""
    return RATE * min(1, number / 300 + 0.02) * max(0.5 + 0.5 * np.cos(np.pi * number / steps), 0.002)


def step_of(kind, model):
    """Return a function that takes a learning rate and a batch, changes the network's weights, and returns the loss."""
    optimizer = keras.optimizers.AdamW(RATE, weight_decay=2e-3, clipnorm=5.0)
    optimizer.build(model.trainable_variables)
    loss_of = {
        "detector": lambda planes, cells: detector_loss(cells, model(planes[..., None], training=True)),
        "reader": lambda views, labels, inks: reader_loss(labels, inks, *model(views[..., None], training=True)),
    }[kind]

    @tf.function
    def step(*batch):
        with tf.GradientTape() as tape:
            loss = loss_of(*batch)
        optimizer.apply_gradients(
            zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables, strict=True)
        )
        return loss

    def step_at(learning_rate, *batch):
        optimizer.learning_rate.assign(learning_rate)
        return step(*batch)

    return step_at


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3) or sys.argv[1] not in RECIPES:
        sys.exit("usage: python tools/reader_networks.py detector|reader [WEIGHTS to start with]")
    train(sys.argv[1], start=sys.argv[2] if len(sys.argv) > 2 else None)
