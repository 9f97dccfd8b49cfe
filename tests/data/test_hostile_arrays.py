"""An array that declares more or less than its file has is refused, before memory is taken for it."""

import gzip
import os
import struct
import zipfile

import keras
import numpy as np
import pytest
from conftest import check_refused

from study_keras.data import dataset
from study_keras.data.readers import npy
from study_keras.formats.proof.examples import load_examples

pytestmark = pytest.mark.usefixtures("little_memory")
MODEL = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="dense")])


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


def npy_file(shape, data=b"", descr="'|u1'", fortran="False", text=None):
    text = text or f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode("latin1") + data


NPY = {
    "more than the file has": (npy_file("(60000, 28, 28)", bytes(784)), "truncated"),
    "less than the file has": (npy_file("(1, 28, 28)", bytes(785)), "too long"),
    "a petabyte": (npy_file("(1125899906842624,)"), "truncated"),
    "a product that overflows": (npy_file("(4294967296, 4294967296, 4294967296)"), "truncated"),
    "negative sizes": (npy_file("(-1, 28, 28)"), "whole numbers"),
    "booleans as sizes": (npy_file("(True, 28, 28)", bytes(784)), "whole numbers"),
    "a float as a size": (npy_file("(1.0, 28, 28)"), "whole numbers"),
    "a hundred dimensions": (npy_file("(" + "1," * 100 + ")", b"\0"), "at most 64"),
    "a list as the shape": (npy_file("[1]", b"\0"), "the header has"),
    "objects": (npy_file("(1,)", descr="'|O'"), "pickled"),
    "a structure": (npy_file("(1,)", descr="[('a', '|u1')]"), "the header has"),
    "text": (npy_file("(1,)", bytes(8), descr="'<U2'"), "expected numbers"),
    "no dtype": (npy_file("(1,)", descr="'nonsense'"), "unknown dtype"),
    "brackets in brackets": (npy_file("", text="(" * 9000), "the header"),
    "a call": (npy_file("", text="__import__('os').abort()"), "the header"),
    "another version": (b"\x93NUMPY\x09\x00" + bytes(100), "version 1.0 or 2.0"),
    "a header of 4 GB": (b"\x93NUMPY\x02\x00\xff\xff\xff\xff{", "a header of 4,294,967,295 bytes"),
    "nothing": (b"", "begins with"),
    "half a header": (npy_file("(1,)")[:20], "the header"),
}


@pytest.mark.parametrize("kind", NPY)
def test_an_array_is_checked_before_it_is_allocated(kind, tmp_path):
    content, message = NPY[kind]
    (tmp_path / "x.npy").write_bytes(content)
    check_refused(lambda path: load_examples(path, MODEL), tmp_path / "x.npy", message)
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("x_train", "y_train", "x_test", "y_test"):
        (folder / f"{name}.npy").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        dataset.load_data(folder)
    with zipfile.ZipFile(tmp_path / "data.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("x_train", "y_train", "x_test", "y_test"):
            archive.writestr(f"{name}.npy", content)
    check_refused(dataset.load_data, tmp_path / "data.npz", message)


def test_arrays_in_fortran_order_are_read_in_memory_and_refused_on_the_disk(tmp_path):
    array = np.asfortranarray(np.arange(12, dtype=np.float32).reshape(3, 4))
    np.save(tmp_path / "x.npy", array)
    (read,), _ = load_examples(tmp_path / "x.npy", MODEL)
    np.testing.assert_array_equal(read, array)
    with pytest.raises(ValueError, match="Fortran order"):
        npy.memory_map(tmp_path / "x.npy")


def test_an_entry_is_mapped_where_it_lies(tmp_path):
    np.savez(tmp_path / "x.npz", x=np.arange(6, dtype=np.int16), y=np.zeros((0, 3)))
    place = npy.entry_place(tmp_path / "x.npz", "x.npy")
    np.testing.assert_array_equal(npy.memory_map(tmp_path / "x.npz", *place), np.arange(6))
    assert npy.memory_map(tmp_path / "x.npz", *npy.entry_place(tmp_path / "x.npz", "y.npy")).shape == (0, 3)
    with pytest.raises(ValueError, match="too long"):
        npy.memory_map(tmp_path / "x.npz", place[0])
    with pytest.raises(ValueError, match="begins with"):
        npy.memory_map(tmp_path / "x.npz", place[0] + 10_000)
    content = bytearray((tmp_path / "x.npz").read_bytes())
    content[2:4] = b"XX"
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(ValueError, match="not at the offset"):
        npy.entry_place(tmp_path / "x.npz", "x.npy")


def test_headers_of_python_2_are_read(tmp_path):
    (tmp_path / "x.npy").write_bytes(npy_file("(1L, 4L)", bytes(16), descr="'<f4'"))
    (read,), _ = load_examples(tmp_path / "x.npy", MODEL)
    assert read.shape == (1, 4)
