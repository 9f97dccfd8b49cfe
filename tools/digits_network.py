"""Train the network of one digit, and save it without batch normalization; make_model.py chooses the backend."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
from finder.examples import load_signs, normalized_marks
from keras import layers
from synthetic import HELD_OUT, fonts
from synthetic.augmentation import augment
from synthetic.digits import sketched, typed
from synthetic.others import junk

from study_keras import files, mnist
from study_keras.data.dataset import scale
from study_keras.train import models
from study_keras.train.fit import set_seed
from study_keras.vision.marks import NONE

SEED, EPOCHS, BATCH = 1, 15, 128
MNIST = 40_000  # training images in an epoch
MARKS, PRINTED, HANDWRITTEN, SKETCHED, JUNK = 24_000, 2_000, 4_000, 4_000, 5_000  # in an epoch, of twice as many


def train_and_save(finder):
    """Train the network; write it to ``output/digits.keras`` and how it went to ``output/digits.json``.

    Args:
        finder: finds the marks on pages, as for those who use the network.
    """
    started = time.perf_counter()
    trained, history = train(finder)
    fold(trained).save(files.output_dir() / "digits.keras")
    minutes = round((time.perf_counter() - started) / 60)
    report = {"seed": SEED, "epochs": EPOCHS, "batch_size": BATCH, "minutes": minutes, "history": history}
    files.write(files.output_dir() / "digits.json", json.dumps(report))


def train(finder, seed=SEED, epochs=EPOCHS):
    """Return the network, trained without the held-out images, and its accuracy on them after each epoch."""
    (images, labels), _ = mnist.load_data()
    (images, x_held), (labels, y_held) = (np.split(part, [len(part) - HELD_OUT]) for part in (images, labels))
    set_seed(seed)
    model = models.best()  # 3.6 million multiplications per image
    drawn = draw([seed, 0], finder)
    steps = epochs * ((MNIST + MARKS + PRINTED + HANDWRITTEN + SKETCHED + JUNK) // BATCH)
    rate = keras.optimizers.schedules.CosineDecay(
        2e-4, decay_steps=round(0.85 * steps), alpha=1e-3, warmup_target=4e-3, warmup_steps=round(0.15 * steps)
    )
    optimizer = keras.optimizers.Adam(rate)
    model.compile(optimizer, "categorical_crossentropy", steps_per_execution=50, jit_compile=False)
    history = []
    with ThreadPoolExecutor(1) as ahead:
        coming = ahead.submit(epoch, images, labels, drawn, [seed, 1])
        for number in range(1, epochs + 1):
            started = time.perf_counter()
            x, y = coming.result()
            if number < epochs:
                coming = ahead.submit(epoch, images, labels, drawn, [seed, number + 1])
            model.fit(keras.ops.convert_to_tensor(x), keras.ops.convert_to_tensor(y), BATCH, verbose=0)
            right = model.predict(scale(x_held), batch_size=500, verbose=0).argmax(axis=1) == y_held
            history.append(round(float(right.mean()), 4))
            print(
                f"epoch {number:2}/{epochs}: held out {history[-1]:.4f}, {time.perf_counter() - started:.0f} s",
                flush=True,
            )
    return model, history


def draw(seed, finder):
    """Return the pools that epochs draw from: images and targets of marks on pages, fonts, strokes and non-digits."""
    rng, hand = np.random.default_rng(seed), fonts.handwritten()
    pools = [
        normalized_marks(2 * MARKS, load_signs([*seed, 1]), rng, finder),
        typed(2 * PRINTED, rng, fonts.printed()),
        typed(2 * HANDWRITTEN, rng, hand),
        sketched(2 * SKETCHED, rng),
        (junk(2 * JUNK, rng, fonts.printed() + hand), np.full(2 * JUNK, NONE)),
    ]
    targets = np.concatenate([np.eye(10), np.full((1, 10), 0.1)])
    return [(images, targets[labels]) for images, labels in pools]


def epoch(images, labels, drawn, seed):
    """Return one epoch's images ``(n, 28, 28)`` float32 and targets ``(n, 10)``, uniform for non-digits."""
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(images))[:MNIST]
    groups = [(scale(images[chosen]), np.eye(10)[labels[chosen]])]
    for pictures, probabilities in drawn:
        some = rng.permutation(len(pictures))[: len(pictures) // 2]
        groups.append((pictures[some], probabilities[some]))
    mixed, targets = (np.concatenate(parts) for parts in zip(*groups, strict=True))
    order = rng.permutation(len(mixed))[: len(mixed) // BATCH * BATCH]
    return augment(mixed[order], rng).astype(np.float32), targets[order].astype(np.float32)


def fold(model):
    """Return the same network without batch normalization, folded into the convolution before it."""
    folded, weights = [], []
    for layer in model.layers:
        if isinstance(layer, layers.Conv2D):
            config = {"padding": layer.padding, "activation": "relu"}
            folded.append(layers.Conv2D(layer.filters, layer.kernel_size, **config))
            kernel = layer.get_weights()[0]
        elif isinstance(layer, layers.BatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            factor = gamma / np.sqrt(variance + layer.epsilon)
            weights += [kernel * factor, beta - mean * factor]
        elif not isinstance(layer, layers.ReLU | layers.Dropout):
            folded.append(type(layer).from_config(layer.get_config()))
            weights += layer.get_weights()
    keras.utils.clear_session()
    network = keras.Sequential([keras.Input((28, 28)), *folded], name="digits")
    network.set_weights(weights)
    return network
