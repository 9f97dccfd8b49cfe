"""What the callbacks write is what the real TensorBoard server shows."""

import json
import os
import re
import subprocess
import sys
import time
import urllib.parse
import urllib.request

import keras
import numpy as np
import pytest

from study_keras.cli import main
from study_keras.data import dataset
from study_keras.train import callbacks, models

EPOCHS = 3
WRITE = """
import sys
import keras
from study_keras.data import dataset
from study_keras.train import callbacks, models, fit
(images, labels), _ = dataset.load_data(sys.argv[1])
fit.set_seed(1)
model = models.mlp((16,))
models.compile(model)
watchers = [
    keras.callbacks.TensorBoard(sys.argv[2], histogram_freq=1, write_images=True),
    callbacks.LogGradients(sys.argv[2], dataset.scale(images[:100]), labels[:100]),
]
fit.train(model, images, labels, epochs=3, validation=0.2, callbacks=watchers)
"""


@pytest.fixture(scope="module", params=["jax", pytest.param("tensorflow", marks=pytest.mark.slow)])
def ask(request, small, tmp_path_factory):
    """Train with the callbacks, start the server on their folder, and give a function that asks it."""
    logs = tmp_path_factory.mktemp("logs")
    environment = {**os.environ, "KERAS_BACKEND": request.param}
    subprocess.run([sys.executable, "-c", WRITE, small, logs], check=True, env=environment)
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", logs, "--host", "127.0.0.1", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            address = next(match[0] for line in server.stderr if (match := re.search(r"http://127[\d.:]+", line)))

            def ask(path, **query):
                with urllib.request.urlopen(f"{address}/data/{path}?{urllib.parse.urlencode(query)}") as answer:
                    return answer.read()

            deadline = time.monotonic() + 60
            while not all_epochs_are_there(ask):  # the server reads the folder in its own time
                assert time.monotonic() < deadline, ask("plugin/scalars/tags")
            yield ask
        finally:
            server.terminate()


def all_epochs_are_there(ask):
    runs = json.loads(ask("plugin/scalars/tags"))
    if not {"train", "validation", "gradients"} <= set(runs):
        return False
    norms = ask("plugin/scalars/scalars", run="gradients", tag="gradient_norm/dense")
    return len(json.loads(norms)) == EPOCHS


@pytest.mark.parametrize("run", ["train", "validation"])
@pytest.mark.parametrize("tag", ["epoch_loss", "epoch_accuracy"])
def test_the_scalars_of_every_epoch_are_there(ask, run, tag):
    points = json.loads(ask("plugin/scalars/scalars", run=run, tag=tag))
    assert [step for _, step, _ in points] == list(range(EPOCHS))
    assert all(np.isfinite(value) for _, _, value in points)


def test_the_graph_is_there(ask):
    assert json.loads(ask("plugin/graphs/info"))["train"]["tags"]["keras"]["conceptual_graph"] is True
    graph = ask("plugin/graphs/graph", run="train", tag="keras", conceptual="true").decode()
    assert re.findall(r'"?name"?: "?[\w/]*dense_1', graph)


def test_the_weights_are_there_as_images(ask):
    tags = json.loads(ask("plugin/images/tags"))["train"]
    (kernel,) = [tag for tag in tags if tag.endswith("dense/kernel/image")]
    (image, *_) = json.loads(ask("plugin/images/images", run="train", tag=kernel, sample=0))
    content = ask("plugin/images/individualImage", **dict(urllib.parse.parse_qsl(image["query"])))
    assert content.startswith(b"\x89PNG")


def test_the_gradients_are_there_as_histograms_and_norms(ask):
    tags = json.loads(ask("plugin/histograms/tags"))["gradients"]
    assert set(tags) == {f"gradients/{layer}/{name}" for layer in ("dense", "dense_1") for name in ("kernel", "bias")}
    histograms = json.loads(ask("plugin/histograms/histograms", run="gradients", tag="gradients/dense/kernel"))
    assert [step for _, step, _ in histograms] == list(range(EPOCHS))
    counts = sum(count for *_, count in histograms[0][2])
    assert counts == 784 * 16
    norms = json.loads(ask("plugin/scalars/scalars", run="gradients", tag="gradient_norm/dense_1"))
    assert all(value > 0 for *_, value in norms)


def test_gradients_are_the_slope_of_the_loss(digits):
    (images, labels), _ = digits
    x, y = dataset.scale(images[:50]), labels[:50]
    model = models.mlp((8,), activation="tanh")
    models.compile(model)
    found = callbacks.gradients(model, x, y)
    assert {name: gradient.shape for name, gradient in found.items()} == {
        "dense/kernel": (784, 8), "dense/bias": (8,), "dense_1/kernel": (8, 10), "dense_1/bias": (10,),
    }  # fmt: skip
    loss = keras.losses.SparseCategoricalCrossentropy()
    bias = model.layers[-1].bias
    before, step = np.array(bias.value), np.zeros(10, "float32")
    for place in range(10):
        step[:] = 0
        step[place] = 1e-2
        bias.assign(before + step)
        above = float(loss(y, model(x)))
        bias.assign(before - step)
        below = float(loss(y, model(x)))
        assert (above - below) / 2e-2 == pytest.approx(found["dense_1/bias"][place], abs=1e-3)


def test_weights_are_saved_every_so_many_epochs(digits, tmp_path):
    said = []
    model = models.mlp((4,))
    models.compile(model)
    save = callbacks.SaveEvery(tmp_path / "at-{epoch:04d}.weights.h5", 2, said.append)
    model.fit(dataset.scale(digits[0][0]), digits[0][1], epochs=5, verbose=0, callbacks=[save])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["at-0002.weights.h5", "at-0004.weights.h5"]
    assert said == [f"\nepoch {epoch}: saved {tmp_path}/at-000{epoch}.weights.h5" for epoch in (2, 4)]
    with pytest.raises(ValueError, match="epochs=0; expected"):
        callbacks.SaveEvery(tmp_path / "x.weights.h5", 0)


def test_a_full_disk_for_the_logs_is_one_line_that_names_them(small, tmp_path, monkeypatch, capsys):
    import tensorflow as tf

    def refuse(*_):
        raise tf.errors.ResourceExhaustedError(None, None, "events.out.tfevents; No space left on device")

    monkeypatch.setattr(callbacks.LogGradients, "on_epoch_end", refuse)
    options = ["--data", str(small), "--output", str(tmp_path), "--tensorboard", str(tmp_path / "logs")]
    assert main(["train", *options]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(
        f"hello-mnist: {tmp_path}/logs: cannot be written (No space left on device); free some space"
    )
    assert last.endswith("; then go on with --resume")
    assert (tmp_path / "hello_mnist.unfinished.keras").exists()
