"""The two networks that read a page: the detector finds digits, the reader names one and tells its ink from the rest.

    python tools/reader_networks.py detector MINUTES    # or: reader MINUTES

Both are trained on pages that ``line_images.py`` draws from the first 55,000 training images of MNIST.
"""

import multiprocessing
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import matplotlib
import numpy as np
from line_images import NONE, SHORTEST, TALLEST, lit, make_shapes, scene

from study_keras import files, mnist
from study_keras.vision.levels import contrast

HELD_OUT = 5_000  # the last training images, as for the network of one digit
ROWS, COLUMNS = 8, 4  # pixels a cell of the detector
SPAN = 22.0  # pixels; the unit of the detector's distances
VIEW, LONGER = 32, 22  # pixels a side of what the reader sees, and of the longer side of the mark in it
RATE = 4e-3
PAGES = ((96, 160), (48, 48))  # the shapes of pages; the second for pictures of one digit


# What the networks are trained on


def shapes(seed, count, held_out=False):
    """Return the shapes of ``count`` digits and of what is no digit."""
    images, labels = mnist.load_data()[0]
    part = slice(-HELD_OUT, None) if held_out else slice(-HELD_OUT)
    images, labels = images[part], labels[part]
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(images))[:count]
    fonts = Path(matplotlib.get_data_path(), "fonts/ttf")
    return make_shapes(images[chosen], labels[chosen], rng, fonts, count // 6, count // 4)


def page(digits, nothing, rng, small):
    """Return a scene, its contrast as the detector sees it ``(h, w)``, and whether its ink is dark.

    A small page is a picture of one digit, smaller than the canvas, in its upper left.
    """
    shape = PAGES[small]
    if not small:
        one = scene(digits, nothing, rng, shape)
        light, dark = lit(one, rng)
        return one, contrast(light), dark
    high, wide = (int(side) for side in rng.integers(24, 49, 2))
    one = scene(digits, nothing, rng, (high, high if rng.random() < 0.7 else wide), (0.05, 0.05, 0.85, 0.05))
    light, dark = lit(one, rng)
    canvas = np.zeros(shape, np.float32)
    canvas[: light.shape[0], : light.shape[1]] = contrast(light)
    return one, canvas, dark


def cells_of(one, shape, dark):
    """Return the detector's targets (rows, columns, 6): digit (1, 0, or -1 for either), four distances, dark ink."""
    rows, columns = shape[0] // ROWS, shape[1] // COLUMNS
    targets, nearest = np.zeros((rows, columns, 6), np.float32), np.full((rows, columns), np.inf)
    y = (np.arange(rows)[:, None] + 0.5) * ROWS
    x = (np.arange(columns) + 0.5) * COLUMNS
    for (left, top, right, bottom), label in zip(one.boxes, one.labels, strict=True):
        size, wide, high = max(right - left, bottom - top), max(right - left, 4), bottom - top
        middle_x, middle_y = (left + right) / 2, (top + bottom) / 2
        away = ((x - middle_x) / (0.25 * wide)) ** 2 + ((y - middle_y) / (0.25 * high)) ** 2
        inside = away < 1
        own = min(int(middle_y // ROWS), rows - 1), min(int(middle_x // COLUMNS), columns - 1)
        inside[own] = True
        away[own] = min(away[own], 0.5)
        if label == -1 or not SHORTEST <= size <= TALLEST:
            if label == -1 or 0.75 * SHORTEST < size < 1.2 * TALLEST:
                there = (np.abs(x - middle_x) < 0.5 * wide + 2) & (np.abs(y - middle_y) < 0.5 * high)
                targets[..., 0][there & (targets[..., 0] == 0)] = -1
            continue
        ours = inside & (away < nearest)
        nearest[ours] = away[ours]
        sides = np.stack(np.broadcast_arrays(x - left, y - top, right - x, bottom - y), axis=-1) / SPAN
        targets[ours] = np.concatenate([np.ones((*ours.shape, 1)), sides, np.full((*ours.shape, 1), dark)], axis=-1)[
            ours
        ]
        near = ~inside & (np.abs(x - middle_x) < 0.3 * wide + 4) & (np.abs(y - middle_y) < 0.3 * high + 6)
        targets[..., 0][near & (targets[..., 0] == 0)] = -1
    return targets


def view(plane, left, top, side):
    """Resample the square at (left, top) to ``(VIEW, VIEW)`` by area averages; outside of the plane is 0."""
    x0, y0, x1, y1 = (int(np.floor(v)) for v in (left, top, left + side + 1, top + side + 1))
    part = np.zeros((y1 - y0, x1 - x0), np.float64)
    inside = plane[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)]
    part[max(-y0, 0) :, max(-x0, 0) :][: inside.shape[0], : inside.shape[1]] = inside
    return _averaged(_averaged(part, top - y0, side).T, left - x0, side).T.astype(np.float32)


def _averaged(values, start, side):
    sums = np.zeros((len(values) + 2, values.shape[1]))
    np.cumsum(values, axis=0, out=sums[1:-1])
    sums[-1] = sums[-2]
    places = start + np.arange(VIEW + 1) * side / VIEW
    whole = np.floor(places).astype(int)
    until = sums[whole] + (places - whole)[:, None] * (sums[whole + 1] - sums[whole])
    return (until[1:] - until[:-1]) * (VIEW / side)


def views_of(one, plane, dark, rng, count):
    """Return the reader's examples: views (n, 32, 32), labels (n,), own inks (n, 32, 32) of digits."""
    signed = -plane if dark else plane
    views, labels, inks = [], [], []
    good = np.flatnonzero((one.labels >= 0) & (np.ptp(one.boxes[:, 1::2], axis=1) >= 10)) if len(one.boxes) else []
    for at in rng.permutation(good)[:count] if len(good) else ():
        left, top, right, bottom = one.boxes[at]
        longer = max(right - left, bottom - top)
        zoom, (dx, dy) = np.exp(rng.normal(0, 0.07)), rng.normal(0, 0.06, 2) * longer
        side = VIEW / LONGER * longer * zoom
        x, y = (left + right) / 2 + dx - side / 2, (top + bottom) / 2 + dy - side / 2
        views.append(view(signed, x, y, side))
        labels.append(one.labels[at])
        inks.append(view(one.inks[at] / 255, x - left, y - top, side))
    for _ in range(min(len(views) + 1, count)):
        box = _other_box(one, plane.shape, rng)
        if box is not None:
            left, top, longer = box
            side = VIEW / LONGER * longer
            sign = 1 if rng.random() < 0.8 else -1
            views.append(view(sign * signed, left - (side - longer) / 2, top - (side - longer) / 2, side))
            labels.append(NONE)
            inks.append(np.zeros((VIEW, VIEW), np.float32))
    return views, labels, inks


def _other_box(one, shape, rng):
    """Return left, top and longer side of a square that frames no digit; None if it does by chance."""
    kind = rng.random()
    if len(one.boxes) and kind < 0.75:
        left, top, right, bottom = one.boxes[rng.integers(len(one.boxes))]
        longer = max(right - left, bottom - top)
        x, y = (left + right) / 2, (top + bottom) / 2
        if kind < 0.25:  # a part
            longer *= rng.uniform(0.35, 0.65)
            x, y = rng.uniform(left, right), rng.uniform(top, bottom)
        elif kind < 0.5:  # beside it
            x += rng.choice((-1, 1)) * rng.uniform(0.4, 0.9) * longer
            y += rng.normal(0, 0.15) * longer
            longer *= np.exp(rng.normal(0, 0.2))
        else:  # too much
            longer *= rng.uniform(1.5, 2.6)
            x, y = x + rng.normal(0, 0.3) * longer, y + rng.normal(0, 0.3) * longer
    else:
        longer = rng.uniform(14, 50)
        x, y = rng.uniform(0, shape[1]), rng.uniform(0, shape[0])
    half = longer / 2
    for (left, top, right, bottom), label in zip(one.boxes, one.labels, strict=True):
        size = max(right - left, bottom - top)
        across, down = abs((left + right) / 2 - x), abs((top + bottom) / 2 - y)
        if label == -1 and across < half + size / 2 and down < half + size / 2:
            return None
        if across < 0.3 * size and down < 0.3 * size and 0.62 < longer / size < 1.5:
            return None
    return x - half, y - half, longer


def _compose(kind, seed, count, batch, queue):
    """Put batches into the queue, for ever."""
    digits, nothing = shapes([seed, 0], count)
    rng = np.random.default_rng([seed, 1])
    number = 0
    while True:
        number += 1
        if kind == "detector":
            small = number % 5 == 0
            made = [page(digits, nothing, rng, small) for _ in range(batch * (4 if small else 1))]
            queue.put(
                (
                    np.array([plane for _, plane, _ in made]),
                    np.array([cells_of(one, PAGES[small], dark) for one, _, dark in made]),
                )
            )
        else:
            views, labels, inks = [], [], []
            while len(views) < batch:
                one, plane, dark = page(digits, nothing, rng, rng.random() < 0.35)
                for all_, some in zip((views, labels, inks), views_of(one, plane, dark, rng, 4), strict=True):
                    all_ += some
            queue.put(tuple(np.array(part[:batch]) for part in (views, labels, inks)))


# The networks


def detector(folded=False):
    """Return the network: (h, w, 1) contrast, multiples of 8 -> (h / 8, w / 4, 6): logit of a digit, distances, dark."""
    from keras import Input, Model, layers

    inputs = hidden = Input((None, None, 1))
    for number, (filters, strides, dilation) in enumerate((
        (16, 2, 1), (24, 2, 1), (36, (2, 1), 1), (36, 1, 1), (36, 1, (1, 2)), (36, 1, (1, 2)), (36, 1, (1, 2)),
    )):  # fmt: skip
        hidden = _convolution(hidden, filters, f"convolution_{number}", folded, strides=strides, dilation_rate=dilation)
    return Model(inputs, layers.Conv2D(6, 1, dtype="float32", name="cells")(hidden), name="detector")


def reader(folded=False):
    """Return the network: (32, 32, 1) contrast, ink bright -> 11 logits, and (32, 32, 1) logits of the mark's own ink."""
    from keras import Input, Model, layers

    inputs = Input((VIEW, VIEW, 1))
    fine = _convolution(inputs, 12, "fine", folded)
    half = _convolution(_convolution(fine, 20, "half_1", folded, strides=2), 28, "half_2", folded)
    quarter = _convolution(_convolution(half, 40, "quarter_1", folded, strides=2), 40, "quarter_2", folded)
    pooled = layers.Dropout(0.2)(layers.Flatten()(layers.AveragePooling2D(2)(quarter)))
    classes = layers.Dense(NONE + 1, dtype="float32", name="classes")(pooled)
    up = layers.UpSampling2D(2)(_convolution(quarter, 20, "up_1", folded, size=1))
    up = _convolution(layers.Concatenate()([up, half]), 12, "up_2", folded)
    up = layers.Concatenate()([layers.UpSampling2D(2)(up), fine])
    ink = layers.Conv2D(1, 3, padding="same", dtype="float32", name="ink")(up)
    return Model(inputs, [classes, ink], name="reader")


def _convolution(inputs, filters, name, folded, size=3, **options):
    from keras import layers

    hidden = layers.Conv2D(filters, size, padding="same", use_bias=folded, name=name, **options)(inputs)
    hidden = hidden if folded else layers.BatchNormalization(momentum=0.97, name=f"{name}_norm")(hidden)
    return layers.ReLU()(hidden)


NETWORKS = {"detector": detector, "reader": reader}


def load(kind, path):
    """Return a trained network in float32, its batch normalization folded into the convolutions before it."""
    import keras

    keras.mixed_precision.set_global_policy("float32")
    trained, network = NETWORKS[kind](), NETWORKS[kind](folded=True)
    trained.load_weights(path)
    names = {layer.name for layer in trained.layers}
    for layer in network.layers:
        weights = trained.get_layer(layer.name).get_weights() if layer.name in names else []
        if f"{layer.name}_norm" in names:
            norm = trained.get_layer(f"{layer.name}_norm")
            gamma, beta, mean, variance = norm.get_weights()
            factor = gamma / np.sqrt(variance + norm.epsilon)
            weights = [weights[0] * factor, beta - mean * factor]
        layer.set_weights(weights)
    return network


def detector_loss(targets, found):
    """Focal loss of the digits, and where one is, the loss of its box and of the colour of its ink."""
    from keras import ops

    there, weight = targets[..., 0], ops.cast(targets[..., 0] >= 0, "float32")
    there = ops.maximum(there, 0.0)
    logit = found[..., 0]
    chance = ops.sigmoid(logit)
    entropy = ops.maximum(logit, 0) - logit * there + ops.log1p(ops.exp(-ops.abs(logit)))
    focus = ops.where(there > 0, (1 - chance) ** 2, chance**2)
    count = ops.sum(there) + 1.0
    first, second = found[..., 1:5], targets[..., 1:5]
    sides = ops.maximum(first, 0.02)
    inner = ops.minimum(sides, second)
    both = (inner[..., 0] + inner[..., 2]) * (inner[..., 1] + inner[..., 3])
    one, other = ((side[..., 0] + side[..., 2]) * (side[..., 1] + side[..., 3]) for side in (sides, second))
    overlap = both / (one + other - both + 1e-3)
    distance = ops.sum(ops.abs(first - second), axis=-1)
    dark, colour = found[..., 5], targets[..., 5]
    tone = ops.maximum(dark, 0) - dark * colour + ops.log1p(ops.exp(-ops.abs(dark)))
    return (
        4 * ops.sum(weight * focus * entropy) + ops.sum(there * (1 - overlap + distance)) + 0.3 * ops.sum(there * tone)
    ) / count


def reader_loss(labels, inks, classes, ink):
    """Cross entropy of the class, and of each pixel of a digit's own ink."""
    import tensorflow as tf

    smooth = 0.98 * tf.one_hot(labels, NONE + 1) + 0.02 / (NONE + 1)
    named = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(smooth, classes))
    is_digit = tf.cast(labels != NONE, tf.float32)[:, None, None]
    pixels = tf.nn.sigmoid_cross_entropy_with_logits(inks, ink[..., 0])
    return named + 4 * tf.reduce_sum(is_digit * pixels) / (tf.reduce_sum(is_digit) * VIEW * VIEW + 1)


def train(kind, minutes, seed=1, count=14_000, batch=None, start=None):
    """Train a network for so many minutes, at a rate that falls with the time, and save it."""
    import keras
    import tensorflow as tf

    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    batch = batch or {"detector": 16, "reader": 160}[kind]
    context = multiprocessing.get_context("spawn")
    queue = context.Queue(6)
    composer = context.Process(target=_compose, args=(kind, seed, count, batch, queue), daemon=True)
    composer.start()
    keras.utils.set_random_seed(seed)
    model = NETWORKS[kind]()
    if start:
        model.load_weights(start)
    optimizer = keras.optimizers.AdamW(1e-3, weight_decay=2e-3, clipnorm=5.0)
    optimizer.build(model.trainable_variables)

    @tf.function(reduce_retracing=False)
    def step(*parts):
        with tf.GradientTape() as tape:
            if kind == "detector":
                planes, targets = parts
                loss = detector_loss(targets, model(planes[..., None], training=True))
            else:
                views, labels, inks = parts
                loss = reader_loss(labels, inks, *model(views[..., None], training=True))
        optimizer.apply_gradients(
            zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables, strict=True)
        )
        return loss

    queue.get()
    started, number, mean, target = time.perf_counter(), 0, 0.0, files.output_dir() / f"{kind}.weights.h5"
    while (done := (time.perf_counter() - started) / (60 * minutes)) < 1:
        optimizer.learning_rate.assign(
            RATE * min(1, number / 300 + 0.02) * max(0.5 + 0.5 * np.cos(np.pi * done), 0.002)
        )
        loss = float(step(*map(tf.constant, queue.get())))
        number += 1
        mean += (loss - mean) * max(0.005, 1 / number)
        if number % 250 == 0:
            print(f"{kind} {number:6}: loss {mean:.4f}, {60 * minutes * done:.0f} s", flush=True)
        if number % 2000 == 0:
            model.save_weights(target)
    model.save_weights(target)
    composer.terminate()
    return model


if __name__ == "__main__":
    train(sys.argv[1], float(sys.argv[2]), start=sys.argv[3] if len(sys.argv) > 3 else None)
