"""A load takes only regular files, and no more memory than its limit."""

import json
import os
import struct
import zipfile

import h5py
import keras
import numpy as np
import pytest
from conftest import check_refused, hello_mnist

from study_keras import formats, limits
from study_keras.data import dataset
from study_keras.formats.proof.examples import load_examples
from study_keras.vision.image_io import read_image

pytestmark = pytest.mark.usefixtures("little_memory")
MODEL = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="dense")])


def header(rank, *sizes):
    return bytes([0, 0, 8, rank]) + struct.pack(f">{rank}I", *sizes)


def dense(units, inputs):
    layers = [
        {"class_name": "InputLayer", "config": {"batch_shape": [None, inputs], "name": "in"}},
        {"class_name": "Dense", "config": {"units": units, "name": "dense"}},
    ]
    return {"class_name": "Sequential", "config": {"name": "m", "layers": layers}}


@pytest.mark.parametrize(("units", "inputs"), [(2**24, 2**20), (2**20, 2**10 + 1), (70_000, 70_000)])
def test_the_weights_of_a_structure_are_counted_before_they_are_made(units, inputs, tmp_path):
    path = tmp_path / "m.json"
    path.write_text(json.dumps(dense(units, inputs)))
    check_refused(formats.load, path, "needs .* bytes of memory")


def test_a_file_has_the_weights_that_its_structure_declares(tmp_path):
    model = formats.save(MODEL, tmp_path / "m.keras")
    h5 = formats.save(MODEL, tmp_path / "m.h5")
    with h5py.File(h5, "r+") as file:
        file.attrs["model_config"] = json.dumps(dense(2**14, 2**12))
        del file.attrs["study_keras_sha256"]
    check_refused(formats.load, h5, "larger than the file")
    with zipfile.ZipFile(model) as archive:
        weights = archive.read("model.weights.h5")
    with zipfile.ZipFile(model, "w") as archive:
        archive.writestr("config.json", json.dumps(dense(2**14, 2**12)))
        archive.writestr("model.weights.h5", weights)
    check_refused(formats.load, model, "larger than the file")


def test_a_limit_can_be_raised_and_lowered(tmp_path):
    model = formats.save(MODEL, tmp_path / "m.keras")
    with limits.allow(10_000), pytest.raises(ValueError, match="expected at most 10,000 in total"):
        formats.load(model)
    formats.load(model)


def test_all_arrays_of_a_load_count_together(tmp_path):
    images = np.zeros((100, 28, 28), np.uint8)
    labels = np.zeros(100, np.uint8)
    np.savez(tmp_path / "d.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    with limits.allow(200_000):
        dataset.load_data(tmp_path / "d.npz")
    with limits.allow(150_000), pytest.raises(ValueError, match="beside 78,500 for the rest"):
        dataset.load_data(tmp_path / "d.npz")


READERS = {
    **dict.fromkeys(("m.keras", "m.h5", "m.json", "m.yaml", "m.tflite", "m.onnx"), formats.open),
    **dict.fromkeys(("w.keras", "w.h5", "w.json", "w.yaml"), formats.load),
    **dict.fromkeys(("m.weights.h5", "c.keras", "c.h5", "c.index"), lambda path: formats.load_weights(MODEL, path)),
    **dict.fromkeys(("d.npz", "train-images-idx3-ubyte"), dataset.load_data),
    "x.npy": lambda path: load_examples(path, MODEL),
    "p.png": read_image,
}


@pytest.mark.parametrize("name", READERS)
def test_only_regular_files_are_read(name, tmp_path):
    others = [tmp_path / f"fifo.{name}", tmp_path / f"device.{name}"]
    if name.startswith("train"):
        others = [tmp_path / "fifo" / name, tmp_path / "device" / name]
        for other in others:
            other.parent.mkdir()
            for partner in ("train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"):
                (other.parent / partner).write_bytes(header(1, 1) + b"\0")
    os.mkfifo(others[0])
    others[1].symlink_to("/dev/zero")
    for path in others:
        check_refused(READERS[name], path, "expected a regular file|contains only")


@pytest.mark.parametrize("label", [limits.MAX_CLASSES, 2**31, 2**64 - 1])
def test_more_than_ten_thousand_classes_are_check_refused(label, tmp_path):
    images = np.zeros((2, 28, 28), np.uint8)
    labels = np.array([0, label], np.uint64)
    np.savez(tmp_path / "d.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    check_refused(dataset.load_data, tmp_path / "d.npz", "a label is .* at most 9,999")


def test_a_training_whose_weights_do_not_fit_says_so(tmp_path):
    done = hello_mnist("train", "--units", "20000000", "--output", tmp_path, cwd=tmp_path.parent)
    assert done.returncode == 1
    assert "bytes of memory" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())
