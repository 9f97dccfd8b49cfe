"""Training in the page: each step is Keras' own, and the view "Train" does in a real browser what it says."""

import hashlib
import io
import json
import subprocess

import keras
import numpy as np
import pytest
from conftest import ROOT

from study_keras import mnist
from study_keras.data.dataset import scale
from study_keras.runtimes.tfjs import find_node
from study_keras.serve import training_images

PAGE = ROOT / "src/study_keras/page"
STEPS, BATCH = 20, 32
OPTIMIZERS = {
    "adam": keras.optimizers.Adam,
    "rmsprop": keras.optimizers.RMSprop,
    "momentum": lambda rate: keras.optimizers.SGD(rate, momentum=0.9),
    "sgd": keras.optimizers.SGD,
}
TRAIN = """
import { readFileSync, writeFileSync } from "node:fs";
import { backward, createLayer, forward, score } from "./train/network.js";
import { createOptimizer } from "./train/optimizers.js";
const { folder, units, activation, optimizer, rate, steps, batch } = JSON.parse(process.argv[1]);
const read = (name) => new Float32Array(new Uint8Array(readFileSync(`${folder}/${name}`)).buffer);
const layers = [createLayer(784, units, Math.random), createLayer(units, 10, Math.random)];
layers.flatMap(({ kernel, bias }) => [kernel, bias]).forEach((part, i) => part.set(read(`first_${i}`)));
const [images, labels] = [read("images"), readFileSync(`${folder}/labels`)];
const optimize = createOptimizer(optimizer, layers);
const losses = [];
for (let step = 0; step < steps; step++) {
  const inputs = images.subarray(step * batch * 784, (step + 1) * batch * 784);
  const own = labels.subarray(step * batch, (step + 1) * batch);
  forward(layers, inputs, batch, { activation });
  losses.push(score(layers, own, batch).loss / batch);
  backward(layers, inputs, own, batch, { activation });
  optimize(rate);
}
layers.flatMap(({ kernel, bias }) => [kernel, bias]).forEach((part, i) => writeFileSync(`${folder}/last_${i}`, part));
console.log(JSON.stringify(losses));
"""


def node(code, *arguments):
    """Run JavaScript in the folder of the page, and return what it prints as JSON."""
    command = [find_node(), "--input-type=module", "--eval", code, *arguments]
    done = subprocess.run(command, cwd=PAGE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("optimizer", "rate", "activation", "units"),
    [
        ("adam", 0.001, "relu", 128),
        ("adam", 0.01, "tanh", 30),
        ("rmsprop", 0.001, "sigmoid", 128),
        ("momentum", 0.1, "relu", 128),
        ("sgd", 0.1, "linear", 7),
    ],
)
def test_20_steps_lead_to_the_weights_that_keras_finds(optimizer, rate, activation, units, tmp_path):
    model = keras.Sequential(
        [
            keras.Input((784,)),
            keras.layers.Dense(units, activation=activation, bias_initializer="glorot_uniform"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer=OPTIMIZERS[optimizer](rate), loss="sparse_categorical_crossentropy")
    (images, labels), _ = mnist.load_data()
    images, labels = scale(images[: STEPS * BATCH]).reshape(-1, 784), labels[: STEPS * BATCH]
    images.tofile(tmp_path / "images")
    labels.tofile(tmp_path / "labels")
    first = model.get_weights()
    for place, weights in enumerate(first):
        weights.tofile(tmp_path / f"first_{place}")
    setting = {"folder": str(tmp_path), "units": units, "activation": activation, "optimizer": optimizer, "rate": rate}
    losses = node(TRAIN, json.dumps({**setting, "steps": STEPS, "batch": BATCH}))

    batches = [slice(start, start + BATCH) for start in range(0, STEPS * BATCH, BATCH)]
    expected = [float(model.train_on_batch(images[batch], labels[batch])) for batch in batches]
    np.testing.assert_allclose(losses, expected, atol=1e-4)
    for place, (weights, before) in enumerate(zip(model.get_weights(), first, strict=True)):
        found = np.fromfile(tmp_path / f"last_{place}", np.float32).reshape(weights.shape)
        np.testing.assert_allclose(found, weights, atol=1e-4)
        assert np.abs(weights - before).max() > 0.01  # far more than the tolerance


def test_dropout_forgets_a_share_and_keeps_the_mean():
    code = """
    import { createLayer, forward, backward } from "./train/network.js";
    import { createRandom } from "./train/random.js";
    const random = createRandom(1);
    const layers = [createLayer(50, 1000, random), createLayer(1000, 10, random)];
    const inputs = Float32Array.from({ length: 20 * 50 }, random);
    forward(layers, inputs, 20, { activation: "sigmoid" });
    const whole = layers[0].values.slice();
    forward(layers, inputs, 20, { activation: "sigmoid", dropout: 0.3, random });
    backward(layers, inputs, new Uint8Array(20), 20, { activation: "sigmoid" });
    const { values, deltas } = layers[0];
    console.log(JSON.stringify({ whole: [...whole], values: [...values], deltas: [...deltas] }));
    """
    found = {name: np.array(values) for name, values in node(code).items()}
    kept = found["values"] != 0
    assert abs(kept.mean() - 0.7) < 0.01
    np.testing.assert_allclose(found["values"][kept], found["whole"][kept] / 0.7, rtol=1e-5)
    assert (found["deltas"][~kept] == 0).all()
    assert (found["deltas"][kept] != 0).mean() > 0.99


def test_the_images_are_those_of_mnist(tmp_path):
    """The page reads the package's own file, which the server hands out, and the sample inside the one file."""
    code = """
    import { createHash } from "node:crypto";
    import { readFileSync } from "node:fs";
    import { readImages } from "./train/images.js";
    const { train, test } = await readImages(new Uint8Array(readFileSync(process.argv[1])).buffer);
    const parts = [train.images, train.labels, test.images, test.labels];
    console.log(JSON.stringify(parts.map((part) => createHash("sha256").update(part).digest("hex"))));
    """
    sample = tmp_path / "sample.npz"
    sample.write_bytes(training_images.pack_sample())
    for path in (training_images.MNIST, sample):
        with np.load(path) as arrays:
            parts = [arrays[name] for name in ("x_train", "y_train", "x_test", "y_test")]
        assert node(code, str(path)) == [hashlib.sha256(part.tobytes()).hexdigest() for part in parts]


def test_the_sample_is_balanced_and_true():
    with np.load(io.BytesIO(training_images.pack_sample())) as sample:
        for part, (images, labels), count in zip(("train", "test"), mnist.load_data(), (300, 50), strict=True):
            drawn, known = sample[f"x_{part}"], sample[f"y_{part}"]
            np.testing.assert_array_equal(np.bincount(known), [count] * 10)
            known_by_image = dict(zip(map(bytes, np.round(images / 17).astype(np.uint8)), labels, strict=True))
            assert [known_by_image[bytes(image)] for image in drawn // 17] == known.tolist()
