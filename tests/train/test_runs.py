"""An interrupted training goes on as if nothing had happened, and a model can tell how it was made."""

import json
import os
import random
import shutil
import subprocess
import threading
import zipfile
from dataclasses import replace

import keras
import numpy as np
import pytest
from conftest import COMMAND, hello_mnist

from study_keras import files
from study_keras.cli import main
from study_keras.data.dataset import load_data
from study_keras.train import checkpoint, metadata, recipes

RECIPE = recipes.Recipe(units=(16,), dropout=0.3, epochs=4, validation=0.2, seed=11)


class StopAfter(keras.callbacks.Callback):
    """Ctrl-C, in the middle of the epoch that follows the given number of epochs."""

    def __init__(self, epochs):
        super().__init__()
        self.epochs = epochs

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epochs:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def interrupted_once(digits, tmp_path_factory):
    folder = tmp_path_factory.mktemp("interrupted")
    with pytest.raises(KeyboardInterrupt):
        checkpoint.train_and_save(digits, RECIPE, folder, callbacks=[StopAfter(2)])
    return folder


@pytest.fixture
def interrupted(interrupted_once, tmp_path):
    """The folder of a training that was interrupted after two of four epochs."""
    return shutil.copytree(interrupted_once, tmp_path / "interrupted")


def same_weights(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one.get_weights(), other.get_weights(), strict=True))


def test_a_resumed_training_ends_with_the_weights_and_the_history_of_an_uninterrupted_one(
    digits, interrupted, tmp_path_factory
):
    whole, _, record = checkpoint.train_and_save(digits, RECIPE, tmp_path_factory.mktemp("whole"))
    unfinished = checkpoint.load_unfinished(interrupted)
    assert len(unfinished[1]["history"]["val_loss"]) == 2
    assert not same_weights(unfinished[0], whole)
    resumed, path, again = checkpoint.train_and_save(digits, RECIPE, interrupted, unfinished=unfinished)
    assert same_weights(resumed, whole)
    assert again["history"] == record["history"]
    assert same_weights(keras.saving.load_model(path), whole)
    assert sorted(file.name for file in interrupted.iterdir()) == ["hello_mnist.json", "hello_mnist.keras"]


def test_an_epoch_is_shuffled_and_dropped_by_its_own_number(digits, tmp_path):
    checkpoint.train_and_save(digits, replace(RECIPE, epochs=1), tmp_path)
    one = keras.saving.load_model(tmp_path / "hello_mnist.keras")
    checkpoint.train_and_save(digits, replace(RECIPE, epochs=1, seed=12), tmp_path)
    assert not same_weights(one, keras.saving.load_model(tmp_path / "hello_mnist.keras"))


OPTIONS = ("units", "activation", "dropout", "optimizer", "one_hot", "epochs", "batch_size", "validation")


@pytest.mark.parametrize("name", OPTIONS)
def test_a_resume_with_another_setting_says_which(digits, interrupted, name):
    other = {"units": (8,), "activation": "tanh", "optimizer": "sgd", "one_hot": True}
    recipe = replace(RECIPE, **{name: other.get(name, 1)})
    before = (interrupted / metadata.UNFINISHED).read_bytes()
    with pytest.raises(ValueError, match=rf"the settings differ: {name} was .*, now ") as refusal:
        checkpoint.train_and_save(digits, recipe, interrupted, unfinished=checkpoint.load_unfinished(interrupted))
    assert str(recipes.to_settings(recipe)[name]) in str(refusal.value)
    assert (interrupted / metadata.UNFINISHED).read_bytes() == before


def test_a_resume_with_other_data_or_another_backend_is_refused(digits, interrupted):
    (x_train, y_train), test = digits
    changed = x_train.copy()
    changed[0, 14, 14] ^= 1  # one bit of one pixel
    model, record = checkpoint.load_unfinished(interrupted)
    with pytest.raises(ValueError, match="the data's SHA-256 was"):
        checkpoint.train_and_save(((changed, y_train), test), RECIPE, interrupted, unfinished=(model, record))
    with pytest.raises(ValueError, match="the backend was torch, now "):
        checkpoint.train_and_save(digits, RECIPE, interrupted, unfinished=(model, record | {"backend": "torch"}))


GOOD = {"settings": recipes.to_settings(RECIPE), "data": {"sha256": "0"}, "backend": "jax", "history": {"loss": [1.0]}}
BROKEN = {
    "a list": [],
    "nothing": {},
    "null": None,
    "settings are a list": GOOD | {"settings": []},
    "no data": {name: value for name, value in GOOD.items() if name != "data"},
    "a number as checksum": GOOD | {"data": {"sha256": 1}},
    "a path that is a list": GOOD | {"data_path": ["x"]},
    "history of text": GOOD | {"history": {"loss": ["x"]}},
    "history of two lengths": GOOD | {"history": {"loss": [1.0], "accuracy": []}},
    "epochs of text": GOOD | {"settings": GOOD["settings"] | {"epochs": "many"}},
    "an infinite rate": GOOD | {"settings": GOOD["settings"] | {"rate": float("inf")}},
    "a warp without end": GOOD | {"settings": GOOD["settings"] | {"augment": {"shift": float("inf")}}},
    "a history without loss": GOOD | {"history": {"accuracy": [1.0]}},
    "negative units": GOOD | {"settings": GOOD["settings"] | {"units": [-1]}},
    "an unknown network": GOOD | {"settings": GOOD["settings"] | {"network": "os"}},
    "a warp with an unknown name": GOOD | {"settings": GOOD["settings"] | {"augment": {"zoom": 1}}},
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_unfinished_training_is_refused_and_kept(tmp_path, capsys, content):
    path = tmp_path / metadata.UNFINISHED
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(metadata.ENTRY, json.dumps(content))
    before = path.read_bytes()
    assert main(["train", "--resume", "--output", str(tmp_path)]) == 1
    shown = capsys.readouterr().err
    assert "not an unfinished training" in shown
    assert shown.count("\n") == 1
    assert path.read_bytes() == before


def test_the_command_resumes_with_the_settings_it_remembers(small, tmp_path, capsys):
    dataset = load_data(small)
    with pytest.raises(KeyboardInterrupt):
        checkpoint.train_and_save(
            dataset, RECIPE, tmp_path, metadata={"data_path": str(small)}, callbacks=[StopAfter(3)]
        )
    arguments = ["train", "--resume", "--output", str(tmp_path)]
    assert main([*arguments, "--units", "99"]) == 1
    assert "units was [16], now [99]" in capsys.readouterr().err
    assert main([*arguments, "--json"]) == 0
    shown = capsys.readouterr()
    assert "resuming after epoch 3 of 4" in shown.err
    figures = json.loads(shown.out)
    assert figures["settings"] == recipes.to_settings(RECIPE)
    assert len(figures["history"]["loss"]) == 4
    assert main(arguments) == 1
    assert "nothing to resume" in capsys.readouterr().err


def test_a_broken_unfinished_training_is_refused(tmp_path, capsys):
    (tmp_path / metadata.UNFINISHED).write_bytes(b"PK\x03\x04 and no more")
    assert main(["train", "--resume", "--output", str(tmp_path)]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_the_record_tells_how_the_model_was_made(trained, small):
    record = metadata.load_metadata(trained)
    assert record["settings"]["units"] == [128]
    assert record["settings"]["seed"] == 1
    assert record["data"]["training_images"] == 600
    assert record["data"]["sha256"] == checkpoint.describe_training(load_data(small), {})["data"]["sha256"]
    assert record["versions"]["keras"] == keras.__version__
    assert len(record["history"]["loss"]) == 5
    assert record["trained_by"].startswith("hello-mnist train --data")


def kill_and_resume(backend, small, folder, chance):
    """Kill a training twice at random moments, resume it each time, and hold its end to an uninterrupted one."""
    environment = {**os.environ, "KERAS_BACKEND": backend}
    command = ["train", "--units", "32", "--epochs", "100", "--seed", "5", "--data", small]
    whole = hello_mnist(*command, "--output", folder / "whole", env=environment)
    assert whole.returncode == 0, whole.stderr
    command = [COMMAND, *map(str, command), "--output", str(folder / "killed")]
    for _ in range(2):
        with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment) as process:
            for _ in range(chance.randrange(1, 4)):  # lines: "resuming", and one for each epoch
                process.stderr.readline()
            try:
                process.wait(timeout=chance.random() * 0.15)
            except subprocess.TimeoutExpired:
                process.kill()
        assert process.returncode == -9, "the training ended before it could be killed; give it more epochs"
        if "--resume" not in command:
            command.append("--resume")
    last = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert last.returncode == 0, last.stderr
    assert "resuming after epoch" in last.stderr
    models = [keras.saving.load_model(folder / name / "hello_mnist.keras") for name in ("whole", "killed")]
    assert same_weights(*models)
    histories = [metadata.load_metadata(folder / name / "hello_mnist.keras")["history"] for name in ("whole", "killed")]
    assert histories[0] == histories[1]


@pytest.mark.slow
def test_kill_9_at_random_moments_costs_at_most_an_epoch(small, tmp_path):
    seed = random.randrange(1000)
    print("the moments follow from", seed)
    failures = []

    def chain(backend):
        folder = tmp_path / backend
        folder.mkdir()
        try:
            kill_and_resume(backend, small, folder, random.Random(seed))
        except BaseException as failure:
            failures.append((backend, failure))

    threads = [threading.Thread(target=chain, args=(backend,)) for backend in ("jax", "tensorflow")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_a_second_training_in_a_folder_is_refused_while_the_first_lives(small, tmp_path, capsys):
    arguments = ["train", "--data", str(small), "--output", str(tmp_path)]
    with subprocess.Popen([COMMAND, *arguments, "--epochs", "100000"], stderr=subprocess.PIPE, text=True) as first:
        try:
            assert first.stderr.readline().startswith("epoch")
            resumed, several = [*arguments, "--resume"], [*arguments, "--processes", "2"]
            for second in (arguments, resumed, several, ["run", "--output", str(tmp_path)]):
                assert main(second) == 1
                (line,) = capsys.readouterr().err.splitlines()
                assert line.startswith(f"hello-mnist: {tmp_path}: another training is writing hello_mnist.* here; ")
        finally:
            first.kill()  # and leaves its lock file
    assert main([*arguments, "--epochs", "1"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hello_mnist.json", "hello_mnist.keras"]


def test_a_comparison_is_refused_only_beside_another_one(tmp_path, capsys, monkeypatch):
    def compare(*_):
        raise ValueError("begun")

    monkeypatch.setattr("study_keras.train.sweep.compare", compare)
    for name, message in (("hello_mnist", "begun"), ("hello_mnist_compare", "another training is writing")):
        with files.lock(tmp_path / f".{name}.lock"):
            assert main(["compare", "--output", str(tmp_path)]) == 1
        assert message in capsys.readouterr().err
