"""Train the network that the package ships, measure it, and write it with its model card: make model."""

import hashlib
import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"  # the faster backend for convolutions
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import corruptions
import keras
import matplotlib
import numpy as np
from keras import layers
from model_images import augment, junk, photos, sketched, typed

from study_keras import files, formats, mnist
from study_keras.data.dataset import scale
from study_keras.train import checkpoint, models
from study_keras.train.fit import set_seed
from study_keras.vision.classifier import SHIPPED, load_network
from study_keras.vision.recognize import CERTAIN, NO_DIGIT

SEED, EPOCHS, BATCH = 1, 22, 128
HELD_OUT = 5_000  # the last training images; all choices were made on them
PHOTOS, TYPED, SKETCHED, JUNK = 8_000, 3_000, 2_000, 7_000
PREPARED = 1_000  # test images that are measured after `prepare`, for the card


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


def draw(images, seed):
    """Create the pools that epochs draw from: photos of the first images; print, strokes and non-digits, half each."""
    rng, fonts = np.random.default_rng(seed), Path(matplotlib.get_data_path(), "fonts/ttf")
    taken = photos(images[:PHOTOS], rng)
    digits = [(ink, np.eye(10)[names]) for ink, names in (typed(2 * TYPED, rng, fonts), sketched(2 * SKETCHED, rng))]
    return taken, *digits, (junk(2 * JUNK, rng, fonts, images), np.full((2 * JUNK, 10), 0.1))


def epoch(images, labels, drawn, seed):
    """Return one epoch's images ``(n, 28, 28)`` float32 and targets ``(n, 10)``, uniform for non-digits."""
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
    """Return the network, trained without the held-out images, and its accuracy on them after each epoch."""
    (images, labels), _ = mnist.load_data()
    (images, x_held), (labels, y_held) = (np.split(part, [len(part) - HELD_OUT]) for part in (images, labels))
    set_seed(seed)
    model = models.best()  # 3.6 million multiplications per image
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


def write(network, metadata, folder=SHIPPED.parent):
    """Export the network to LiteRT and TensorFlow.js, measure the LiteRT model, and write the card."""
    # A fixed batch size of 1, which LiteRT in a web page requires.
    formats.export_litert(network, folder / "digits.tflite", quantize="float16", batch=1)
    formats.export_tfjs(network, folder / "digits.tfjs", quantize="float16")
    stored = [folder / "digits.tflite", *sorted((folder / "digits.tfjs").iterdir())]
    card = {
        **metadata,
        "weights": network.count_params(),
        "bytes": {str(path.relative_to(folder)): path.stat().st_size for path in stored},
        "sha256": {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in stored},
        "thresholds": {"no_digit": NO_DIGIT, "certain": CERTAIN},
        "accuracy": measure(load_network(folder / "digits.tflite"), mnist.load_data()[1]),
    }
    files.write(folder / "card.json", json.dumps(card, indent=2) + "\n")
    files.write(folder / "README.md", card_text(card))
    return card


def measure(network, test):
    """Return the accuracy on the test set and its variations, unprepared and prepared."""
    images, labels = scale(test[0]), test[1]

    def accuracy(pictures):
        return round(float((network(pictures).argmax(axis=1) == labels[: len(pictures)]).mean()), 4)

    unprepared = {name: accuracy(pictures) for name, pictures in corruptions.corrupt(images).items()}
    few = corruptions.corrupt(images[:PREPARED])
    prepared = {name: accuracy(corruptions.prepared(pictures)) for name, pictures in few.items()}
    return {"test": accuracy(images), "as_they_are": unprepared, "prepared": prepared}


def card_text(card):
    """Return the model card as Markdown."""
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


CARD = """# The network in this package

`digits.tflite` (LiteRT, float16 weights, one image at a time) and `digits.tfjs` (the same for TensorFlow.js, float16)
read one handwritten digit: 28 x 28 float32 in [0, 1], white ink on black as `study_keras.vision.prepare.prepare` makes
it, to ten probabilities. {weights:,} weights, {kilobytes} kB together. The figures are in `card.json` too, and
`tests/vision/test_shipped.py` checks the files against them.

## How well it reads

{test:.2f} % of MNIST's 10,000 test images, which were used once, at the end. On the 5,000 held-out training
images, on which all choices were made: {held_out:.2f} %. On variations of the test images
(`tools/corruptions.py`), as they are (10,000), and after `prepare`, as in
`hello-mnist predict` (the first 1,000):

| test images | as they are | prepared |
|---|---|---|
{rows}

shifted: by up to 3 pixels in each direction; rotated: by up to 20 degrees; thin: one pixel off each stroke; thick: one
pixel on each side of it; noisy: noise with a standard deviation of 0.2; inverted: black on white.

## Limitations

- Noise and white paper must be removed first: the column "as they are" shows what happens otherwise.
- `prepare` expects thin ink on much paper. In a picture of 28 x 28 that is not framed like MNIST's, thick strokes
  leave too little paper: see the row "thick". Five times as large, with paper around them, 98 % of 500 such digits
  are read correctly.
- A 1 with a long flag and without a foot, as in the font Gochi Hand and sometimes in Caveat, is read as 7.
- A 1 within about 30 degrees of horizontal is taken for a dash, which is no digit.
- It reads single digits. Touching digits must be separated first.
- Letters that look like digits (O, l, S, Z, B, g, q) are read as digits.

## How it was made

`make model`: seed {seed}, {epochs} epochs of batches of 128, Adam with one cycle of the learning rate, {minutes}
minutes on two shared cores. 55,000 training images, some as photos through `prepare`; printed digits;
1s with a flag and 7s drawn in a few strokes; and ink that is no digit (scribbles, blots, dashes, letters, pairs of
digits), with a target of 0.1 for each class, so that a low highest probability means "no digit". All images are
randomly distorted, rotated, shifted, thinned and thickened in each epoch. `tools/make_model.py` is the complete recipe.

Made with {versions}. SHA-256 of the data:
`{sha256}`.

If the highest probability is below {no_digit}, `hello-mnist predict` treats ink as no digit; below {certain} it marks
the answer as uncertain. Both were chosen on the held-out training images and on non-digits with another seed.
"""


def main():
    target, report = (files.output_dir() / name for name in ("digits.keras", "digits.json"))
    if sys.argv[1:] != ["--keep"]:  # with --keep, write the files again from the last training
        started = time.perf_counter()
        trained, history = train()
        fold(trained).save(target)
        minutes = round((time.perf_counter() - started) / 60)
        report.write_text(json.dumps({"minutes": minutes, "history": history}))
    settings = {"seed": SEED, "epochs": EPOCHS, "batch_size": BATCH, "held_out": HELD_OUT}
    described = checkpoint.describe_training(mnist.load_data(), settings)
    metadata = {"command": "make model", **settings, **json.loads(report.read_text())}
    metadata |= {name: described[name] for name in ("data", "versions")}
    print(json.dumps(write(formats.load(target), metadata)["accuracy"], indent=2))


if __name__ == "__main__":
    main()
