"""A load takes only regular files, and no more memory than its limit."""

import json
import os
import struct
import zipfile

import h5py
import keras
import numpy as np
import pytest
from conftest import ROOT, check_refused, hello_mnist

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


def test_the_limits_are_those_that_the_security_page_states():
    page = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    assert "at most 4 GiB" in page
    assert limits.MAX_BYTES == 4 * 2**30
    assert "at most 4 MiB" in page
    assert limits.MAX_RECORD_BYTES == 4 * 2**20
    assert "10,000 different names" in page
    assert limits.MAX_CLASSES == 10_000
    assert limits.MAX_JSON_BYTES == 64 * 2**20


@pytest.mark.parametrize(("shape", "size"), [([], 4), ([0, 3], 0), ((2, 3), 24), ([1] * 64, 4)])
def test_the_size_of_an_array_is_the_product_of_its_shape(shape, size):
    assert limits.byte_count(shape, 4) == size


@pytest.mark.parametrize("shape", [None, 3, "34", [-1], [True], [2.0], [None], [1] * 65])
def test_what_is_no_shape_is_refused(shape):
    with pytest.raises(ValueError, match="whole numbers"):
        limits.byte_count(shape, 4)


def test_a_file_may_have_as_many_bytes_as_its_reader_says(tmp_path):
    (tmp_path / "file").write_bytes(b"12345")
    assert limits.read_bytes(tmp_path / "file") == limits.read_bytes(tmp_path / "file", 5) == b"12345"
    with pytest.raises(ValueError, match="file: 5 bytes; expected at most 4"):
        limits.read_bytes(tmp_path / "file", 4)
    with limits.allow(5):
        limits.read_bytes(tmp_path / "file")
    with limits.allow(4), pytest.raises(ValueError, match="needs 5 bytes of memory; expected at most 4 in total"):
        limits.read_bytes(tmp_path / "file")


def test_a_load_counts_for_itself_and_those_inside_of_it_together(tmp_path):
    (tmp_path / "file").write_bytes(b"12345")

    @limits.reader
    def one():
        return limits.read_bytes(tmp_path / "file")

    @limits.reader
    def two():
        return one() + one()

    with limits.allow(9):
        assert [one(), one()] == [b"12345"] * 2
        with pytest.raises(ValueError, match="needs 5 bytes of memory beside 5 for the rest"):
            two()
        with pytest.raises(ValueError, match="needs -1 bytes"):
            limits.take(-1, "it")
    with limits.allow(10):
        assert two() == b"12345" * 2


def test_an_error_of_a_reader_is_one_printable_line_of_at_most_a_thousand_characters():
    @limits.reader
    def read():
        raise ValueError("\x1b[31m\n" + "x" * 5000)

    with pytest.raises(ValueError, match=r"x{900}") as error:
        read()
    assert str(error.value).isprintable()
    assert len(str(error.value)) == 1000
