"""An HDF5 file that declares more than it stores is refused, before any of it is read."""

import io
import zipfile
import zlib

import h5py
import keras
import numpy as np
import pytest
from conftest import check_refused

from study_keras import formats, limits
from study_keras.formats.saving import hdf5, hdf5_sizes

pytestmark = pytest.mark.usefixtures("little_memory")
MODEL = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="dense")])


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
        check_refused(formats.load if name == "m.h5" else lambda path: formats.load_weights(MODEL, path), path, message)
    model = formats.save(MODEL, tmp_path / "m.keras")
    with zipfile.ZipFile(model) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    weights = io.BytesIO(members["model.weights.h5"])
    with h5py.File(weights, "r+") as file:
        make(file)
    with zipfile.ZipFile(model, "w") as archive:
        for name, content in (members | {"model.weights.h5": weights.getvalue()}).items():
            archive.writestr(name, content)
    check_refused(formats.load, model, message)


def test_packed_weights_of_others_are_read(tmp_path):
    path = formats.save(MODEL, tmp_path / "m.weights.h5")
    with h5py.File(path) as file, h5py.File(tmp_path / "packed.weights.h5", "w") as packed:
        for name, item in hdf5.arrays(file).items():
            options = {"chunks": True, "compression": "gzip", "shuffle": True, "fletcher32": True} if item.shape else {}
            packed.create_dataset(name, data=item[()], **options)
    model = keras.models.clone_model(MODEL)
    formats.load_weights(model, tmp_path / "packed.weights.h5")
    np.testing.assert_array_equal(model.get_weights()[0], MODEL.get_weights()[0])


def test_weights_that_are_refused_change_nothing(tmp_path):
    path = formats.save(MODEL, tmp_path / "m.weights.h5")
    with h5py.File(path, "r+") as file:
        file["optimizer/vars"] = np.zeros(3)
        del file.attrs[hdf5.CHECKSUM]
    model = keras.models.clone_model(MODEL)
    before = model.get_weights()
    check_refused(lambda path: formats.load_weights(model, path), path, "expected a group of arrays")
    np.testing.assert_array_equal(model.get_weights()[0], before[0])


def packed(content, size=1024, filters=("gzip",)):
    """A file with one chunk of ``size`` bytes, for which ``content`` is stored, packed."""
    file = h5py.File(io.BytesIO(), "w")
    options = {name: True for name in filters if name != "gzip"}
    data = file.create_dataset("a", (size,), "u1", chunks=(size,), compression="gzip", **options)
    data.id.write_direct_chunk((0,), zlib.compress(content))
    return file


def check(file):
    hdf5_sizes.check(file, [("a", file["a"])])


def test_a_chunk_unpacks_to_its_size_and_a_checksum_at_most():
    check(packed(bytes(1024)))
    check(packed(bytes(1028)))
    with pytest.raises(ValueError, match="unpacks to more than its 1,024 bytes"):
        check(packed(bytes(1029)))
    with pytest.raises(ValueError, match="unpacks to more than its 1,024 bytes"):
        check(packed(bytes(1029), filters=("shuffle", "gzip", "fletcher32")))


def test_nothing_may_pack_what_gzip_has_packed():
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((1024,))
    plist.set_deflate(4)
    plist.set_shuffle()
    file = h5py.File(io.BytesIO(), "w")
    space = h5py.h5s.create_simple((1024,))
    h5py.h5d.create(file.id, b"a", h5py.h5t.STD_U8LE, space, plist)
    file["a"][...] = 1
    with pytest.raises(ValueError, match="expected gzip, or gzip and fletcher32, as the last"):
        check(file)


@pytest.mark.parametrize("chunks", [None, True])
def test_a_small_array_may_be_empty(chunks):
    file = h5py.File(io.BytesIO(), "w")
    file.create_dataset("a", (1024,), "f4", chunks=chunks)
    check(file)
    del file["a"]
    file.create_dataset("a", (1025,), "f4", chunks=(5,) if chunks else None)
    with pytest.raises(ValueError, match="has 4,100 bytes but stores only 0"):
        check(file)


def test_an_array_has_a_thousand_times_its_stored_bytes_at_most():
    def stored_in_five_bytes(size):
        file = packed(b"", size)
        file["a"].id.write_direct_chunk((0,), b"12345")
        return file

    check(stored_in_five_bytes(5000 + 4096))
    with pytest.raises(ValueError, match="has 9,097 bytes but stores only 5"):
        check(stored_in_five_bytes(5000 + 4097))


def test_what_a_chunk_unpacks_to_counts():
    check(packed(bytes(1030), 1028))
    file = packed(bytes(1024))
    needed = 1024 - file["a"].id.get_storage_size() + 1024  # the rest of the array, and a chunk
    with limits.allow(needed):
        check(file)
    with limits.allow(needed - 1), pytest.raises(ValueError, match="the array a needs"):
        check(file)


def test_groups_arrays_and_attributes_are_counted(monkeypatch):
    file = packed(bytes(1024))
    file["a"].attrs.update({"one": 1, "two": 2, "three": 3})
    monkeypatch.setattr(hdf5_sizes, "MAX_ITEMS", 4)
    check(file)
    monkeypatch.setattr(hdf5_sizes, "MAX_ITEMS", 3)
    with pytest.raises(ValueError, match="more than 3 groups"):
        check(file)


def test_texts_count_as_if_each_were_all_that_is_not_in_arrays():
    file = h5py.File(io.BytesIO(), "w")
    file.create_dataset("a", data=np.zeros(1000, "u1"))
    file["a"].attrs.create("names", ["x", "y"], dtype=h5py.string_dtype())
    file.flush()
    needed = 2 * (file.id.get_filesize() - 1000)
    with limits.allow(needed):
        check(file)
    with limits.allow(needed - 1), pytest.raises(ValueError, match="2 texts of up to"):
        check(file)
    assert hdf5_sizes.MAX_ITEMS == 100_000
