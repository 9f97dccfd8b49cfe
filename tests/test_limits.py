"""A file that declares more than it has, never ends or is no file is refused, before memory is taken for it."""

import gzip
import io
import json
import os
import re
import struct
import zipfile
import zlib
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from conftest import hello_mnist

from study_keras import formats, limits
from study_keras.data import dataset
from study_keras.formats.proof.examples import load_examples
from study_keras.formats.saving import hdf5, hdf5_sizes
from study_keras.vision.image_io import read_image

MODEL = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="dense")])


@pytest.fixture(autouse=True)
def memory():
    """Fail if the test takes 500 MB more than it had."""
    status, reset = Path("/proc/self/status"), Path("/proc/self/clear_refs")

    def peak(name):
        return int(re.search(rf"{name}:\s+(\d+)", status.read_text())[1]) * 1024 if status.exists() else 0

    if reset.exists():
        reset.write_text("5")  # the peak begins anew
    before = peak("VmRSS")
    yield
    assert peak("VmHWM") - before < 500e6


def refused(read, path, message):
    """Read a file, and check that it is refused in one line that names it."""
    with pytest.raises(ValueError, match=message) as error:
        read(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 1000


# --- datasets: IDX, .npy, .npz


def header(rank, *sizes, dtype=0x08):
    return bytes([0, 0, dtype, rank]) + struct.pack(f">{rank}I", *sizes)


IDX = {
    "more images than bytes": (header(3, 60_000, 28, 28) + bytes(784), "truncated: 784 bytes"),
    "fewer images than bytes": (header(3, 1, 28, 28) + bytes(785), "too long"),
    "sizes whose product overflows": (header(3, 2**32 - 1, 2**32 - 1, 2**32 - 1), "truncated"),
    "a .gz that unpacks to less": (gzip.compress(header(3, 60_000, 28, 28) + bytes(784)), "truncated"),
    "a .gz that unpacks to more": (gzip.compress(header(3, 1, 28, 28) + bytes(10**8)), "too long"),
    "a .gz of 50 GB": (gzip.compress(header(3, 2**26, 28, 28) + bytes(10)), "needs 52,613,349,376 bytes of memory"),
    "a .gz that ends early": (gzip.compress(header(3, 60_000, 28, 28) + os.urandom(10**6))[:-1000], "end-of-stream"),
    "another dtype": (header(3, 1, 28, 28, dtype=0x0F) + bytes(784), "magic number"),
}


@pytest.mark.parametrize("kind", IDX)
def test_idx_files_are_read_as_far_as_they_declare(kind, tmp_path):
    content, message = IDX[kind]
    for part in ("train", "t10k"):
        (tmp_path / f"{part}-images-idx3-ubyte").write_bytes(content)
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(header(1, 1) + b"\0")
    with pytest.raises(ValueError, match=message) as error:
        dataset.load_data(tmp_path)
    assert "train-images-idx3-ubyte" in str(error.value)


def npy(shape, data=b"", descr="'|u1'", fortran="False", text=None):
    text = text or f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode("latin1") + data


NPY = {
    "more than the file has": (npy("(60000, 28, 28)", bytes(784)), "truncated"),
    "less than the file has": (npy("(1, 28, 28)", bytes(785)), "too long"),
    "a petabyte": (npy("(1125899906842624,)"), "truncated"),
    "a product that overflows": (npy("(4294967296, 4294967296, 4294967296)"), "truncated"),
    "negative sizes": (npy("(-1, 28, 28)"), "whole numbers"),
    "booleans as sizes": (npy("(True, 28, 28)", bytes(784)), "whole numbers"),
    "a float as a size": (npy("(1.0, 28, 28)"), "whole numbers"),
    "a hundred dimensions": (npy("(" + "1," * 100 + ")", b"\0"), "at most 64"),
    "a list as the shape": (npy("[1]", b"\0"), "the header has"),
    "objects": (npy("(1,)", descr="'|O'"), "pickled"),
    "a structure": (npy("(1,)", descr="[('a', '|u1')]"), "the header has"),
    "text": (npy("(1,)", bytes(8), descr="'<U2'"), "expected numbers"),
    "no dtype": (npy("(1,)", descr="'nonsense'"), "unknown dtype"),
    "brackets in brackets": (npy("", text="(" * 9000), "the header"),
    "a call": (npy("", text="__import__('os').abort()"), "the header"),
    "another version": (b"\x93NUMPY\x09\x00" + bytes(100), "version 1.0 or 2.0"),
    "a header of 4 GB": (b"\x93NUMPY\x02\x00\xff\xff\xff\xff{", "a header of 4,294,967,295 bytes"),
    "nothing": (b"", "begins with"),
    "half a header": (npy("(1,)")[:20], "the header"),
}


@pytest.mark.parametrize("kind", NPY)
def test_an_array_is_checked_before_it_is_allocated(kind, tmp_path):
    content, message = NPY[kind]
    (tmp_path / "x.npy").write_bytes(content)
    refused(lambda path: load_examples(path, MODEL), tmp_path / "x.npy", message)
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("x_train", "y_train", "x_test", "y_test"):
        (folder / f"{name}.npy").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        dataset.load_data(folder)
    with zipfile.ZipFile(tmp_path / "data.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("x_train", "y_train", "x_test", "y_test"):
            archive.writestr(f"{name}.npy", content)
    refused(dataset.load_data, tmp_path / "data.npz", message)


def with_entry(path, name, content, edit=lambda entry: None, method=zipfile.ZIP_DEFLATED):
    """Add an entry to an archive, and change what the archive says of it."""
    with zipfile.ZipFile(path, "a", method) as archive:
        archive.writestr(name, content)
        edit(archive.getinfo(name))


def claim(field, value):
    return lambda entry: setattr(entry, field, value)


ENTRIES = {
    "a bomb": (bytes(2**27), lambda entry: None, zipfile.ZIP_DEFLATED, "bomb"),
    "more than it has": (b"a" * 100, claim("file_size", 101), zipfile.ZIP_STORED, "100|begins with"),
    "five gigabytes": (os.urandom(100), claim("file_size", 5 * 2**30), zipfile.ZIP_DEFLATED, "bomb"),
    "encrypted": (b"a" * 100, claim("flag_bits", 1), zipfile.ZIP_STORED, "encrypted"),
    "LZMA": (b"a" * 100, lambda entry: None, zipfile.ZIP_LZMA, "method 14"),
    "an unknown method": (b"a" * 100, claim("compress_type", 98), zipfile.ZIP_STORED, "method 98"),
    "another checksum": (b"a" * 100, claim("CRC", 1), zipfile.ZIP_STORED, "CRC"),
}


@pytest.mark.parametrize("kind", ENTRIES)
def test_an_archive_is_checked_before_it_is_unpacked(kind, tmp_path):
    content, edit, method, message = ENTRIES[kind]
    model = formats.save(MODEL, tmp_path / "m.keras")
    with_entry(model, "assets/extra.bin", content, edit, method)
    refused(formats.load, model, message)
    np.savez(tmp_path / "d.npz", y_train=[0], x_test=[0], y_test=[0])
    with_entry(tmp_path / "d.npz", "x_train.npy", content, edit, method)
    refused(dataset.load_data, tmp_path / "d.npz", message)


def test_an_archive_with_a_long_list_of_entries_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        for number in range(50_000):
            archive.writestr(f"{'x' * 60}{number}", b"")
    refused(formats.load, tmp_path / "m.keras", "list of entries")


# --- HDF5


def chunk_bomb(file):
    data = file.create_dataset("a", (1024,), "u1", chunks=(1024,), compression="gzip")
    packer = zlib.compressobj()
    packed = packer.compress(bytes(2**26)) + packer.flush()
    data.id.write_direct_chunk((0,), packed)


def shared_text(file):
    file.attrs["long"] = "x" * 2**21
    file.attrs.create("names", ["x"] * 3000, dtype=h5py.string_dtype())


def many_items(file):
    for number in range(1001):
        file.create_group(f"more/g{number}")


HDF5 = {
    "an array that is not there": (lambda file: file.create_dataset("a", (2**40,), "f4"), "stores only"),
    "chunks of which one is there": (
        lambda file: file.create_dataset("a", (2**40,), "f4", chunks=(1024,)).__setitem__(0, 1.0),
        "stores only",
    ),
    "a chunk that unpacks to more": (chunk_bomb, "unpacks to more than its 1,024"),
    "a large chunk of a small array": (
        lambda file: file.create_dataset("a", (4,), "f4", maxshape=(None,), chunks=(2**29,), compression="gzip"),
        "stores only",
    ),
    "texts that share their bytes": (shared_text, "texts of up to"),
    "more groups than any model has": (many_items, "more than 1,000 groups"),
    "no shape": (lambda file: file.create_dataset("a", data=h5py.Empty("f4")), "no shape"),
    "texts as an array": (lambda file: file.create_dataset("a", data=["x"], dtype=h5py.string_dtype()), "numbers"),
    "an unknown filter": (
        lambda file: file.create_dataset("a", data=np.zeros(9, "i4"), chunks=(9,), scaleoffset=0),
        "has the filters",
    ),
}


@pytest.mark.parametrize("kind", HDF5)
def test_hdf5_is_checked_before_it_is_read(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(hdf5_sizes, "MAX_ITEMS", 1000)
    make, message = HDF5[kind]
    for name in ("m.h5", "m.weights.h5"):
        path = formats.save(MODEL, tmp_path / name)
        with h5py.File(path, "r+") as file:
            make(file)
        refused(formats.load if name == "m.h5" else lambda path: formats.load_weights(MODEL, path), path, message)
    model = formats.save(MODEL, tmp_path / "m.keras")
    with zipfile.ZipFile(model) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    weights = io.BytesIO(members["model.weights.h5"])
    with h5py.File(weights, "r+") as file:
        make(file)
    with zipfile.ZipFile(model, "w") as archive:
        for name, content in (members | {"model.weights.h5": weights.getvalue()}).items():
            archive.writestr(name, content)
    refused(formats.load, model, message)


def test_packed_weights_of_others_are_read(tmp_path):
    path = formats.save(MODEL, tmp_path / "m.weights.h5")
    with h5py.File(path) as file, h5py.File(tmp_path / "packed.weights.h5", "w") as packed:
        for name, item in hdf5.arrays(file).items():
            options = {"chunks": True, "compression": "gzip", "shuffle": True, "fletcher32": True} if item.shape else {}
            packed.create_dataset(name, data=item[()], **options)
    model = keras.models.clone_model(MODEL)
    formats.load_weights(model, tmp_path / "packed.weights.h5")
    np.testing.assert_array_equal(model.get_weights()[0], MODEL.get_weights()[0])


# --- TF.js, structures


def edited(change):
    def edit(folder):
        content = json.loads((folder / "model.json").read_text())
        change(content)
        (folder / "model.json").write_text(json.dumps(content))

    return edit


def weight(**values):
    return edited(lambda content: content["weightsManifest"][0]["weights"][0].update(values))


TFJS = {
    "a shape with more than the shards": (weight(shape=[2**40]), "needs 4,398,046,511,104 bytes"),
    "a shape with a little more than the shards": (
        weight(shape=[5, 2]),
        "its weights have 48 bytes, but the shards 40",
    ),
    "a negative size": (weight(shape=[-4, -2]), "whole numbers"),
    "true as a size": (weight(shape=[True, 8]), "whole numbers"),
    "no shape": (weight(shape=None), "the shape"),
    "a name that is a number": (weight(name=5), "expected text"),
    "a type that is a list": (weight(dtype=[]), "has type"),
    "a scale that is text": (weight(quantization={"dtype": "uint8", "scale": "1"}), "expected a number"),
    "no list of groups": (edited(lambda content: content.update(weightsManifest={"a": 1})), "a list of objects"),
    "paths that are one text": (
        edited(lambda content: content["weightsManifest"][0].update(paths="group1")),
        "a list of file names",
    ),
    "a shard a million times": (
        edited(
            lambda content: content["weightsManifest"][0].update(paths=content["weightsManifest"][0]["paths"] * 9**6)
        ),
        "names the same shard twice",
    ),
    "a shard that never ends": (
        lambda folder: [(shard.unlink(), shard.symlink_to("/dev/zero")) for shard in folder.glob("*.bin")],
        "a device",
    ),
    "lists in lists": (lambda folder: (folder / "model.json").write_text("[" * 100_000), "nested deeper"),
    "a text without end": (
        lambda folder: os.truncate(folder / "model.json", limits.MAX_JSON_BYTES + 1),
        "expected at most",
    ),
}


@pytest.mark.parametrize("kind", TFJS)
@pytest.mark.parametrize("read", [formats.load, formats.open], ids=["Keras", "TF.js"])
def test_a_tfjs_folder_is_checked_before_its_shards_are_read(kind, read, tmp_path):
    edit, message = TFJS[kind]
    folder = formats.save(MODEL, tmp_path / "m.tfjs", prove=False)
    edit(folder)
    refused(read, folder, message)


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
    refused(formats.load, path, "needs .* bytes of memory")


def test_a_file_has_the_weights_that_its_structure_declares(tmp_path):
    model = formats.save(MODEL, tmp_path / "m.keras")
    h5 = formats.save(MODEL, tmp_path / "m.h5")
    with h5py.File(h5, "r+") as file:
        file.attrs["model_config"] = json.dumps(dense(2**14, 2**12))
        del file.attrs["study_keras_sha256"]
    refused(formats.load, h5, "larger than the file")
    with zipfile.ZipFile(model) as archive:
        weights = archive.read("model.weights.h5")
    with zipfile.ZipFile(model, "w") as archive:
        archive.writestr("config.json", json.dumps(dense(2**14, 2**12)))
        archive.writestr("model.weights.h5", weights)
    refused(formats.load, model, "larger than the file")


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


# --- what is no file, and labels without end

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
        refused(READERS[name], path, "expected a regular file|contains only")


@pytest.mark.parametrize("label", [limits.MAX_CLASSES, 2**31, 2**64 - 1])
def test_more_than_ten_thousand_classes_are_refused(label, tmp_path):
    images = np.zeros((2, 28, 28), np.uint8)
    labels = np.array([0, label], np.uint64)
    np.savez(tmp_path / "d.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    refused(dataset.load_data, tmp_path / "d.npz", "a label is .* at most 9,999")


def test_a_training_whose_weights_do_not_fit_says_so(tmp_path):
    done = hello_mnist("train", "--units", "20000000", "--output", tmp_path, cwd=tmp_path.parent)
    assert done.returncode == 1
    assert "bytes of memory" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())
