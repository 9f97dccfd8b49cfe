"""Train the network that the package ships, measure it, and write it with its card: make model."""

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"  # the faster engine for convolutions
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import matplotlib
import numpy as np
from keras import layers
from model_images import augment, junk, photos, typed

from study_keras import files, mnist
from study_keras.mnist.data import scale
from study_keras.mnist.training import set_seed

SEED, EPOCHS, BATCH = 1, 24, 128
HELD_OUT = 5_000  # the last training images; whatever was chosen, was chosen on them
PHOTOS, TYPED, JUNK = 8_000, 3_000, 7_000


def build():
    """The network with batch norm, as it is trained; 3.6 million multiplications an image."""
    body = []
    for filters, size, padding, pool in (
        (24, 5, "same", True),
        (32, 3, "same", True),
        (64, 3, "same", False),
        (64, 3, "valid", False),
    ):
        body += [layers.Conv2D(filters, size, padding=padding, use_bias=False), layers.BatchNormalization()]
        body += [layers.ReLU(), *([layers.MaxPooling2D(2)] if pool else [])]
    head = [layers.Flatten(), layers.Dropout(0.3), layers.Dense(10, activation="softmax")]
    return keras.Sequential([keras.Input((28, 28)), layers.Reshape((28, 28, 1)), *body, *head])


def fold(model):
    """The same network without batch norm: its scale and shift go into the convolution before it."""
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
    whole = keras.Sequential([keras.Input((28, 28)), *folded], name="digits")
    whole.set_weights(weights)
    return whole


def pools(images, seed):
    """Draw once what the epochs choose from."""
    rng, fonts = np.random.default_rng(seed), Path(matplotlib.get_data_path(), "fonts/ttf")
    taken = photos(images[:PHOTOS], rng)
    return taken, typed(2 * TYPED, rng, fonts), junk(2 * JUNK, rng, fonts, images)


def epoch(images, labels, drawn, seed):
    """One epoch's images ``(n, 28, 28)`` float32 and targets ``(n, 10)``: what is no digit is any digit alike."""
    taken, (printed, printed_labels), blobs = drawn
    rng = np.random.default_rng(seed)
    digits = scale(images)
    as_photo = np.flatnonzero(rng.random(PHOTOS) < 0.7)
    digits[as_photo] = taken[as_photo]
    some, none = rng.permutation(len(printed))[:TYPED], rng.permutation(len(blobs))[:JUNK]
    targets = np.concatenate([np.eye(10)[labels], np.eye(10)[printed_labels[some]], np.full((JUNK, 10), 0.1)])
    mixed = np.concatenate([digits, printed[some], blobs[none]])
    order = rng.permutation(len(mixed))[: len(mixed) // BATCH * BATCH]
    return augment(mixed[order], rng).astype(np.float32), targets[order].astype(np.float32)


def train(seed=SEED, epochs=EPOCHS):
    """Return the network, trained on all but the held-out images, and its accuracy on those after each epoch."""
    (images, labels), _ = mnist.load_data()
    (images, x_held), (labels, y_held) = (np.split(part, [len(part) - HELD_OUT]) for part in (images, labels))
    set_seed(seed)
    model = build()
    drawn = pools(images, [seed, 0])
    steps = epochs * ((len(images) + TYPED + JUNK) // BATCH)
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


if __name__ == "__main__":
    trained, history = train(epochs=int(sys.argv[1]) if len(sys.argv) > 1 else EPOCHS)
    target = files.output_dir() / "digits.keras"
    fold(trained).save(target)
    print(trained.count_params(), history, target)
