"""Training in the page: each step is Keras' own, and the view "Train" does in a real browser what it says."""

import hashlib
import io
import json
import re

import keras
import numpy as np
import pytest
from conftest import COMMAND, ROOT
from page_checks import browser_checks, node

from study_keras import mnist
from study_keras.data.dataset import scale
from study_keras.serve import single_file, training_images

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
    keras.utils.set_random_seed(1)
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
        assert np.abs(weights - before).max() > 0.003  # far more than the tolerance


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
    import { readImages } from "./mnist.js";
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
            known_by_image = dict(zip(map(bytes, np.round(images * (7 / 255)).astype(np.uint8)), labels, strict=True))
            levels = np.round(drawn * (7 / 255)).astype(np.uint8)
            assert [known_by_image[bytes(image)] for image in levels] == known.tolist()


def test_every_setting_changes_the_training():
    """And the same settings with the same seed give the same network, also when they change on the way."""
    code = """
    import { createTrainer, TUTORIAL } from "./train/trainer.js";
    import { createRandom } from "./train/random.js";
    const random = createRandom(7);
    const part = (count) => ({
      images: Uint8Array.from({ length: 784 * count }, () => 256 * random()),
      labels: Uint8Array.from({ length: count }, () => 10 * random()),
      count,
    });
    const [data, pixels] = [{ train: part(100), test: part(20) }, new Float32Array(784).fill(0.5)];
    const trained = (changed) => {
      const trainer = createTrainer(data, TUTORIAL, createRandom(1));
      trainer.step();
      trainer.change(changed);
      for (let i = 0; i < 9; i++) trainer.step();
      const { learnt, changes } = trainer.progress();
      return { answer: [...trainer.answer(pixels)], learnt, changes, units: trainer.kernel().length / 784 };
    };
    const others = { rate: 0.01, batch: 7, dropout: 0.5, shift: 1, units: 64, activation: "tanh", optimizer: "sgd" };
    const found = { none: trained({}), again: trained({}) };
    for (const [name, value] of Object.entries(others)) found[name] = trained({ [name]: value });
    found.wider = trained({ units: 200 });
    console.log(JSON.stringify(found));
    """
    found = node(code)
    same = found.pop("none")
    assert found.pop("again") == same
    assert same["learnt"] == 2 * 100 + 2 * 32  # each fourth batch is one of 4
    for name, other in found.items():
        assert not np.allclose(other["answer"], same["answer"], rtol=1e-4), name
        np.testing.assert_allclose(sum(other["answer"]), 1, rtol=1e-5)
        assert other["changes"] == [32]
    assert [found[name]["units"] for name in ("units", "wider")] == [64, 200]


def test_fewer_units_are_the_first_of_those_that_were_there():
    code = """
    import { createTrainer, TUTORIAL } from "./train/trainer.js";
    import { createRandom } from "./train/random.js";
    const part = { images: new Uint8Array(784 * 10).fill(99), labels: new Uint8Array(10), count: 10 };
    const trainer = createTrainer({ train: part, test: part }, { ...TUTORIAL, units: 8 }, createRandom(1));
    trainer.step();
    const first = [...trainer.kernel()];
    trainer.change({ units: 3 });
    console.log(JSON.stringify({ first, fewer: [...trainer.kernel()] }));
    """
    found = node(code)
    first, fewer = np.reshape(found["first"], (784, 8)), np.reshape(found["fewer"], (784, 3))
    np.testing.assert_array_equal(fewer, first[:, :3])


def test_the_code_that_is_shown_runs_in_keras():
    code = """
    import { kerasCode } from "./train/knobs.js";
    import { TUTORIAL } from "./train/trainer.js";
    const others = { ...TUTORIAL, batch: 16, dropout: 0.3, shift: 1, activation: "tanh", optimizer: "momentum" };
    console.log(JSON.stringify([kerasCode(TUTORIAL), kerasCode(others)]));
    """
    (x_train, y_train), _ = mnist.load_data()
    models = []
    for shown in node(code):
        names = {"keras": keras, "x_train": x_train[:32] / 255.0, "y_train": y_train[:32]}
        exec(shown.replace("batch_size", "verbose=0, batch_size"), names)
        models.append(names["model"])
    assert models[0].count_params() == 101_770
    assert [layer.__class__.__name__ for layer in models[1].layers][:3] == ["Reshape", "RandomTranslation", "Flatten"]
    assert (models[1].optimizer.momentum, models[1].layers[4].rate) == (0.9, 0.3)
    lesson = (ROOT / "src/study_keras/hello_mnist_1.py").read_text()
    assert node(code)[0].partition("model.compile")[0] in lesson


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """A function: what came of one of the checks in check_train.mjs."""
    folder = tmp_path_factory.mktemp("train")
    model = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10, "softmax")])
    one_file = single_file.write_page(model, folder / "train.html", prove=False)
    spec = {"one_file": str(one_file), "server": [str(COMMAND), "serve", "--port", "0"]}
    return browser_checks("check_train.mjs", spec, folder)


def test_the_sample_in_the_one_file_suffices_for_95_percent(seen):
    learns = seen("learns")
    assert learns["first"] < 30
    assert learns["last"] >= 95
    assert learns["said"].endswith(f"{learns['last']:.1f} % of the test images read correctly.")
    assert "3,000 images to learn from and 500 others" in learns["about"]
    assert 0 < learns["wrong"] <= 24


def test_the_curves_and_the_weights_move(seen):
    early, late = seen("learns")["early"], seen("learns")["late"]
    assert late["learning"] > 50
    assert late["tests"] > early["tests"]
    assert late["picture"] != early["picture"]
    losses = [re.findall(r"\d\.\d+", curve["label"]) for curve in (early, late)]
    assert all(float(now) < float(before) for before, now in zip(*losses, strict=True))


def test_it_pauses_takes_one_step_goes_on_and_begins_anew(seen):
    pause = seen("pause")
    first, later = pause["paused"]
    assert first == later > 0
    assert pause["stepped"] - later in (32, 3000 % 32)
    assert pause["gone"] > pause["stepped"]
    assert pause["trained"] > 60
    assert pause["anew"] < 30
    assert pause["restarted"] == pause["points"] == 0


def test_every_knob_turns_while_it_trains(seen):
    knobs = seen("knobs")
    assert knobs["shown"] == ["0.003", "16", "0.3", "1", "64"]
    assert knobs["changes"] == 7
    assert knobs["units"] == "The weights of 64 units as pictures"
    for line in ('Dense(64, activation="tanh")', "Dropout(0.3)", "SGD(0.01, momentum=0.9)", "batch_size=16"):
        assert line in knobs["code"]
    assert knobs["accuracy"] > 60
    assert "Adam(0.001)" in knobs["defaults"]


def test_the_bars_of_a_drawing_change_as_it_learns(seen):
    before, after = seen("drawing")["before"], seen("drawing")["after"]
    assert float(before[3].split()[0]) < 60
    assert float(after[3].split()[0]) >= 99


def test_a_phone_starts_training_with_two_taps_in_both_languages(seen):
    phone = seen("phone")
    assert phone["inView"]
    assert phone["chinese"]["overflow"] <= 0
    assert phone["english"]["overflow"] <= 0
    assert (phone["chinese"]["title"], phone["chinese"]["run"], phone["chinese"]["knob"]) == (
        "训练一个网络",
        "暂停",
        "学习率",
    )
    assert phone["chinese"]["wrong"].startswith("500 张测试图像中认错 ")
    assert (phone["english"]["title"], phone["english"]["run"]) == ("Train a network", "Pause")


def test_the_keyboard_alone_trains_sets_and_draws(seen):
    assert seen("keyboard") == {"outline": "solid", "batch": "512"}


def test_axe_finds_no_barrier_in_the_training(seen):
    assert seen("axe") == {"light new": [], "light": [], "dark new": [], "dark": []}


def test_the_served_page_trains_on_all_images_also_offline(seen):
    served = seen("served")
    assert served["about"] == served["offline"]
    assert "60,000 training images and is tested on 10,000 others" in served["about"]
    assert served["learned"] > 94


def test_no_request_left_the_page_and_no_error_reached_the_console(seen):
    assert seen("errors") == []
    own = ("file:", "blob:", seen("served")["url"])
    assert [url for url in seen("requests") if not url.startswith(own)] == []
