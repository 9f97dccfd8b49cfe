"""Train the network that the package ships, measure it, and write it with its card: make model."""

import hashlib
import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"  # the faster engine for convolutions
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import corruptions
import keras
import matplotlib
import numpy as np
from keras import layers
from model_images import augment, junk, photos, sketched, typed

from study_keras import files, formats, mnist
from study_keras.data.dataset import scale
from study_keras.train import checkpoint
from study_keras.train.fit import set_seed
from study_keras.vision.classifier import SHIPPED, load_network
from study_keras.vision.recognize import CERTAIN, NO_DIGIT

SEED, EPOCHS, BATCH = 1, 22, 128
HELD_OUT = 5_000  # the last training images; whatever was chosen, was chosen on them
PHOTOS, TYPED, SKETCHED, JUNK = 8_000, 3_000, 2_000, 7_000
PREPARED = 1_000  # how many test images go through `prepare` for the card


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


def draw(images, seed):
    """Draw once what the epochs choose from: photos of the first images, then pools, of which each takes half."""
    rng, fonts = np.random.default_rng(seed), Path(matplotlib.get_data_path(), "fonts/ttf")
    taken = photos(images[:PHOTOS], rng)
    digits = [(ink, np.eye(10)[names]) for ink, names in (typed(2 * TYPED, rng, fonts), sketched(2 * SKETCHED, rng))]
    return taken, *digits, (junk(2 * JUNK, rng, fonts, images), np.full((2 * JUNK, 10), 0.1))


def epoch(images, labels, drawn, seed):
    """One epoch's images ``(n, 28, 28)`` float32 and targets ``(n, 10)``: what is no digit is any digit alike."""
    taken, *pools = drawn
    rng = np.random.default_rng(seed)
    digits = scale(images)
    as_photo = np.flatnonzero(rng.random(PHOTOS) < 0.7)
    digits[as_photo] = taken[as_photo]
    groups = [(digits, np.eye(10)[labels])]
    for pictures, probabilities in pools:
        some = rng.permutation(len(pictures))[: len(pictures) // 2]
        groups.append((pictures[some], probabilities[some]))
    mixed, targets = (np.concatenate(parts) for parts in zip(*groups, strict=True))
    order = rng.permutation(len(mixed))[: len(mixed) // BATCH * BATCH]
    return augment(mixed[order], rng).astype(np.float32), targets[order].astype(np.float32)


def train(seed=SEED, epochs=EPOCHS):
    """Return the network, trained on all but the held-out images, and its accuracy on those after each epoch."""
    (images, labels), _ = mnist.load_data()
    (images, x_held), (labels, y_held) = (np.split(part, [len(part) - HELD_OUT]) for part in (images, labels))
    set_seed(seed)
    model = build()
    drawn = draw(images, [seed, 0])
    steps = epochs * ((len(images) + TYPED + SKETCHED + JUNK) // BATCH)
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


def write(network, record, folder=SHIPPED.parent):
    """Write the network as LiteRT and TensorFlow.js, measure the former, and write the card beside them."""
    # One image at a time: LiteRT in a web page takes no other batch.
    formats.export_litert(network, folder / "digits.tflite", quantize="float16", batch=1)
    formats.export_tfjs(network, folder / "digits.tfjs", quantize="float16")
    stored = [folder / "digits.tflite", *sorted((folder / "digits.tfjs").iterdir())]
    card = {
        **record,
        "weights": network.count_params(),
        "bytes": {str(path.relative_to(folder)): path.stat().st_size for path in stored},
        "sha256": {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in stored},
        "thresholds": {"no_digit": NO_DIGIT, "certain": CERTAIN},
        "accuracy": measure(load_network(folder / "digits.tflite"), mnist.load_data()[1]),
    }
    files_and_text = {"card.json": json.dumps(card, indent=2) + "\n", "README.md": card_text(card)}
    for name, text in files_and_text.items():
        with files.atomic_write(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return card


def measure(network, test):
    """The accuracy on the test set and its variations, as they are and through the contract of ``images``."""
    images, labels = scale(test[0]), test[1]

    def accuracy(pictures):
        return round(float((network(pictures).argmax(axis=1) == labels[: len(pictures)]).mean()), 4)

    as_they_are = {name: accuracy(pictures) for name, pictures in corruptions.corrupt(images).items()}
    some = corruptions.corrupt(images[:PREPARED])
    contract = {name: accuracy(corruptions.prepared(pictures)) for name, pictures in some.items()}
    return {"test": accuracy(images), "as_they_are": as_they_are, "prepared": contract}


def card_text(card):
    """The card for people."""
    accuracy = card["accuracy"]
    rows = [
        f"| {name} | {100 * accuracy['as_they_are'][name]:.2f} % | {100 * accuracy['prepared'][name]:.2f} % |"
        for name in accuracy["as_they_are"]
    ]
    size = sum(card["bytes"].values())
    return CARD.format(
        rows="\n".join(rows),
        test=100 * accuracy["test"],
        held_out=100 * card["history"][-1],
        kilobytes=round(size / 1000),
        versions=", ".join(f"{name} {number}" for name, number in card["versions"].items()),
        **{name: card[name] for name in ("weights", "seed", "epochs", "minutes")},
        sha256=card["data"]["sha256"],
        **card["thresholds"],
    )


CARD = """# The network that this package ships

`digits.tflite` (LiteRT, float16 weights, one image at a time) and `digits.tfjs` (the same for TensorFlow.js, float16)
read one handwritten digit: 28 x 28 float32 in [0, 1], white ink on black as `study_keras.vision.prepare.prepare` makes
it, to ten probabilities. {weights:,} weights, {kilobytes} kB together. The figures are in `card.json` too, and
`tests/vision/test_shipped.py` holds the files to them.

## How well it reads

{test:.2f} % of MNIST's 10,000 test images, which were opened once, at the end. On the 5,000 training images that were
held out, and on which all was chosen: {held_out:.2f} %. On variations of the test images
(`tools/corruptions.py`), as they are (10,000), and where `prepare` sees them first, as it does in
`hello-mnist predict` (the first 1,000):

| test images | as they are | prepared |
|---|---|---|
{rows}

shifted: by up to 3 pixels each way; rotated: by up to 20 degrees; thin: a pixel off each stroke; thick: a pixel on each
side of it; noisy: a deviation of 0.2; inverted: black on white.

## What it is bad at

- Noise and white paper must be taken away first: the column "as they are" shows what happens otherwise.
- `prepare` looks for thin ink on much paper. In a picture of 28 x 28 that is not framed as MNIST's are, fat strokes
  leave it too little paper: the row "thick" shows it. Five times as large, with paper around, 98 % of 500 such
  digits are read.
- A 1 with a long flag and without a foot, as in the hand Gochi Hand, and at times in Caveat, is read as 7.
- A 1 that lies within some 30 degrees of level is a dash to it, and so no digit.
- It knows single digits. What touches its neighbour must be cut first.
- Letters that look like digits (O, l, S, Z, B, g, q) are digits to it.

## How it was made

`make model`: seed {seed}, {epochs} epochs of batches of 128, Adam with one cycle of the learning rate, {minutes}
minutes on two cores that did other work too. 55,000 training images, some as photos through `prepare`; printed digits;
1s with a flag and 7s drawn in a few strokes; and ink that is no digit (scribbles, blots, dashes, letters, pairs of
digits), whose target is a tenth for each class: so a low best probability means "no digit". All of it bent, turned,
moved, thinned and thickened anew in each epoch. `tools/make_model.py` is the whole recipe.

Made with {versions}. SHA-256 of the data:
`{sha256}`.

Below {no_digit} for the best class `hello-mnist predict` counts ink as no digit, below {certain} it marks the answer
as uncertain. Both were chosen on the held-out training images and on ink that is no digit, drawn from another seed.
"""


def main():
    target, told = (files.output_dir() / name for name in ("digits.keras", "digits.json"))
    if sys.argv[1:] != ["--keep"]:  # to write anew what was trained before
        started = time.perf_counter()
        trained, history = train()
        fold(trained).save(target)
        minutes = round((time.perf_counter() - started) / 60)
        told.write_text(json.dumps({"minutes": minutes, "history": history}))
    settings = {"seed": SEED, "epochs": EPOCHS, "batch_size": BATCH, "held_out": HELD_OUT}
    described = checkpoint.describe(mnist.load_data(), settings)
    record = {"command": "make model", **settings, **json.loads(told.read_text())}
    record |= {name: described[name] for name in ("data", "versions")}
    print(json.dumps(write(formats.load(target), record)["accuracy"], indent=2))


if __name__ == "__main__":
    main()
