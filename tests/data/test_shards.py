"""Data that stays on the disk: shards are one data set, train the same, and are refused where one is missing."""

import itertools
import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from study_keras import mnist
from study_keras.cli import main
from study_keras.data import dataset, lazy_array
from study_keras.data.readers import npz
from study_keras.report import evaluation
from study_keras.train import augmentation, checkpoint, fit, models, shuffle

EDGES = (0, 70, 71, 300, 600)  # of shards of several sizes


def write_npy(folder, digits, edges=EDGES):
    for part, (images, labels) in zip(("train", "test"), digits, strict=True):
        for number, (start, stop) in enumerate(itertools.pairwise(edges)):
            if start < len(images):
                np.save(folder / f"x_{part}-{number:05}.npy", images[start:stop])
                np.save(folder / f"y_{part}-{number:05}.npy", labels[start:stop])
    return folder


def write_npz(folder, digits, save=np.savez):
    for part, (images, labels) in zip(("train", "test"), digits, strict=True):
        for number, start in enumerate(range(0, len(images), 50)):  # 12 of them: 10 comes after 9
            save(folder / f"{part}-{number}.npz", x=images[start : start + 50], y=labels[start : start + 50])
    return folder


WRITERS = {"npy": write_npy, "npz": write_npz}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_shards_are_read_like_one_array_and_stay_on_the_disk(digits, tmp_path, write):
    for (images, labels), (expected, truth) in zip(mnist.load_data(write(tmp_path, digits)), digits, strict=True):
        assert isinstance(images, lazy_array.LazyArray)
        assert all(isinstance(part, np.memmap) for part in images.parts)
        assert (len(images), images.shape, images.dtype, images.ndim) == (len(expected), expected.shape, np.uint8, 3)
        np.testing.assert_array_equal(labels, truth)
        for start, stop in ((0, len(expected)), (69, 72), (60, 310), (150, 5000), (80, 80)):
            np.testing.assert_array_equal(lazy_array.read_rows(images, start, stop), expected[start:stop])
        for places in (slice(5, 100, 7), slice(-9, None), [180, 3, 71, 71, -1], truth == 4, 70, -2):
            np.testing.assert_array_equal(images[places], expected[places])


def test_what_is_held_out_and_what_is_changed_stays_on_the_disk(digits, tmp_path):
    (images, labels), _ = mnist.load_data(write_npy(tmp_path, digits))
    for found, expected in zip(dataset.split(images, labels, 0.2), dataset.split(*digits[0], 0.2), strict=True):
        assert isinstance(found[0], lazy_array.LazyArray)
        np.testing.assert_array_equal(found[0][:], expected[0])
        np.testing.assert_array_equal(found[1], expected[1])
        finer = lazy_array.map_rows(found[0], augmentation.upsample)
        assert finer.shape == (len(found[0]), 57, 57)
        np.testing.assert_array_equal(finer[3:50], augmentation.upsample(expected[0][3:50]))


def trained(images, labels, **settings):
    fit.set_seed(4)
    model = models.mlp((16,), dropout=0.2)
    models.compile(model)
    history = fit.train(model, images, labels, seed=4, epochs=2, **settings)
    return model, history.history


@pytest.mark.parametrize(
    ("settings", "window"),
    [({}, 128), ({"validation": 0.25}, 128), ({"augment": {"shift": 1.0}}, 128), ({"validation": 0.25}, 65_536)],
)
def test_memory_one_file_and_shards_train_to_the_same_weights(digits, tmp_path, monkeypatch, settings, window):
    if keras.backend.backend() == "jax":
        monkeypatch.setattr(shuffle, "WINDOW_ROWS", window)
    for name, array in zip(npz.KEYS, (*digits[0], *digits[1]), strict=True):
        (tmp_path / "one").mkdir(exist_ok=True)
        np.save(tmp_path / "one" / f"{name}.npy", array)
    (tmp_path / "many").mkdir()
    sources = [digits, mnist.load_data(tmp_path / "one"), mnist.load_data(write_npy(tmp_path / "many", digits))]
    assert isinstance(sources[1][0][0], np.memmap)
    (first, expected), *others = (trained(*source[0], **settings) for source in sources)
    for other, history in others:
        assert history == expected
        assert all(np.array_equal(a, b) for a, b in zip(first.get_weights(), other.get_weights(), strict=True))


WINDOWED = """
import json, sys
from study_keras import mnist
from study_keras.train import fit, models, shuffle
shuffle.WINDOW_ROWS = 128
train, _ = mnist.load_data(sys.argv[1])
found = []
for options in ({"validation": 0.25}, {"augment": {"shift": 1.0}}):
    fit.set_seed(4)
    model = models.mlp((32,))
    models.compile(model)
    history = fit.train(model, *train, seed=4, epochs=8, batch_size=32, **options).history
    found.append([sorted(history), history["accuracy"][-1], int(model.optimizer.iterations.value)])
print(json.dumps(found))
"""


def test_tensorflow_too_reads_it_window_by_window(digits, tmp_path):
    command = [sys.executable, "-c", WINDOWED, write_npy(tmp_path, digits)]
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    (names, accuracy, steps), (names_warped, accuracy_warped, steps_warped) = json.loads(done.stdout)
    assert names == ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert names_warped == ["accuracy", "loss"]
    assert accuracy > 0.75
    assert accuracy_warped > 0.5
    assert (steps, steps_warped) == (8 * 15, 8 * 19)  # 450 or 600 images in batches of 32


def test_a_set_is_described_and_measured_alike_wherever_it_lies(digits, tmp_path, monkeypatch):
    monkeypatch.setattr(evaluation, "CHUNK_ROWS", 64)
    found = mnist.load_data(write_npy(tmp_path, digits))
    settings = {"epochs": 1}
    assert checkpoint.describe_training(found, settings) == checkpoint.describe_training(digits, settings)
    model = models.mlp((8,))
    np.testing.assert_allclose(
        evaluation.predict(model, found[1][0]), evaluation.predict(model, digits[1][0]), atol=1e-6
    )


def without(name):
    return lambda folder: (folder / name).unlink()


def other_labels(folder):
    np.save(folder / "y_train-00001.npy", np.zeros(7, np.uint8))


def wrong_size(folder):
    np.save(folder / "x_train-00002.npy", np.zeros((229, 32, 32), np.uint8))


def as_one_file_too(folder):
    np.save(folder / "x_train.npy", np.zeros((5, 28, 28), np.uint8))
    np.save(folder / "y_train.npy", np.zeros(5, np.uint8))


def torn(folder):
    path = folder / "x_train-00000.npy"
    path.write_bytes(path.read_bytes()[:-1])


def a_pair_less(folder):
    without("x_train-00001.npy")(folder)
    without("y_train-00001.npy")(folder)


BROKEN = {
    "labels are missing": (without("y_train-00001.npy"), "x_train-00001.npy: expected y_train-00001.npy beside it"),
    "images are missing": (without("x_test-00000.npy"), "y_test-00000.npy: expected x_test-00000.npy beside it"),
    "a pair is missing": (a_pair_less, "shard 1 is missing; found 3 from 0 to 3"),
    "other labels": (other_labels, "x_train-00001.npy: 1 images but labels of shape"),
    "a wrong size": (wrong_size, r"x_train-00002.npy: images of shape \(229, 32, 32\)"),
    "twice": (as_one_file_too, "expected the train images once"),
    "a torn file": (torn, "x_train-00000.npy: not an array"),
    "no test images": (lambda folder: [path.unlink() for path in folder.glob("*_test*")], "no test images"),
}


@pytest.mark.parametrize(("damage", "message"), BROKEN.values(), ids=BROKEN)
def test_shards_that_do_not_fit_are_refused_by_name_and_in_one_line(digits, tmp_path, capsys, damage, message):
    folder = write_npy(tmp_path, digits)
    damage(folder)
    with pytest.raises(ValueError, match=message):
        mnist.load_data(folder)
    assert main(["evaluate", str(tmp_path), "--data", str(folder)]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_set_that_says_how_many_shards_it_has_must_have_them(digits, tmp_path):
    for number in range(2):
        for kind, arrays in (("train", digits[0]), ("test", digits[1])):
            for name, array in zip("xy", arrays, strict=True):
                np.save(tmp_path / f"{name}_{kind}-{number}-of-3.npy", array)
    with pytest.raises(ValueError, match="found 2 shards, expected 3"):
        mnist.load_data(tmp_path)


def test_packed_shards_and_pickles_are_refused(digits, tmp_path):
    write_npz(tmp_path, digits, np.savez_compressed)
    with pytest.raises(ValueError, match=r"train-0.npz: not a shard: x.npy is compressed.*np.savez"):
        mnist.load_data(tmp_path)
    write_npz(tmp_path, digits)
    np.savez(tmp_path / "train-0.npz", x=np.array([{}] * 50, dtype=object), y=np.zeros(50, np.uint8))
    with pytest.raises(ValueError, match=r"train-0.npz: not a shard: it contains pickled objects"):
        mnist.load_data(tmp_path)
    np.savez(tmp_path / "train-0.npz", pictures=digits[0][0])
    with pytest.raises(ValueError, match=r"train-0.npz: not a shard: no x; found pictures"):
        mnist.load_data(tmp_path)


def test_the_command_trains_measures_and_reports_from_shards(digits, tmp_path, capsys):
    (tmp_path / "data").mkdir()
    options = ["--data", str(write_npz(tmp_path / "data", digits)), "--output", str(tmp_path)]
    assert main(["train", *options, "--epochs", "2", "--validation", "0.2", "--seed", "1", "--json"]) == 0
    trained = json.loads(capsys.readouterr().out)
    assert trained["data"]["training_images"] == 600
    assert main(["evaluate", trained["model"], *options[:2], "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["mistakes"] == trained["mistakes"]
    assert main(["report", trained["model"], *options]) == 0
    assert (tmp_path / "hello_mnist_report.html").read_text().count("<img") == 7
