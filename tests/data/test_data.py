"""The digits are the official ones, and other data sets in MNIST's formats load or say why not."""

import gzip
import hashlib
import struct
import subprocess
import sys

import numpy as np
import pytest

from study_keras import mnist
from study_keras.cli import main
from study_keras.data import dataset

# The MD5 sums of MNIST's four original files, unpacked.
OFFICIAL_MD5 = {
    "x_train": "6bbc9ace898e44ae57da46a324031adb",
    "y_train": "a25bea736e30d166cdddb491f175f624",
    "x_test": "2646ac647ad5339dbf082846283269ea",
    "y_test": "27ae3e4e09519cfbb04c329615203637",
}
NAMES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}
CODES = {"uint8": 0x08, "int32": 0x0C, "float32": 0x0D}


def idx(array):
    """The IDX bytes of an array."""
    header = bytes([0, 0, CODES[str(array.dtype)], array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


def named(digits):
    (x_train, y_train), (x_test, y_test) = digits
    return {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}


def write_idx(folder, arrays, pack=bytes, suffix="", prefix=""):
    folder.mkdir(exist_ok=True)
    for key, name in NAMES.items():
        (folder / f"{prefix}{name}{suffix}").write_bytes(pack(idx(arrays[key])))
    return folder


def assert_same(loaded, digits):
    for (images, labels), (expected_images, expected_labels) in zip(loaded, digits, strict=True):
        np.testing.assert_array_equal(images, expected_images)
        np.testing.assert_array_equal(labels, expected_labels)
        assert images.dtype == np.uint8


def test_the_bytes_are_the_official_ones():
    (x_train, y_train), (x_test, y_test) = mnist.load_data()
    for key, array in named(((x_train, y_train), (x_test, y_test))).items():
        assert array.dtype == np.uint8
        assert hashlib.md5(idx(array)).hexdigest() == OFFICIAL_MD5[key]
    assert x_train.shape == (60000, 28, 28)
    assert x_test.shape == (10000, 28, 28)


def test_loading_needs_no_framework():
    code = "import sys; from study_keras import mnist; mnist.load_data(); print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"keras", "jax", "tensorflow", "matplotlib"} & set(modules)


@pytest.mark.parametrize(
    ("pack", "suffix", "prefix"),
    [(bytes, "", ""), (gzip.compress, ".gz", ""), (bytes, "", "kmnist-")],
    ids=["plain", "gz", "prefixed"],
)
def test_a_folder_of_idx_files_loads(digits, tmp_path, pack, suffix, prefix):
    folder = write_idx(tmp_path / "idx", named(digits), pack, suffix, prefix)
    assert_same(mnist.load_data(folder), digits)


def test_a_file_that_lies_packed_and_unpacked_is_read_once(digits, tmp_path):
    folder = write_idx(tmp_path / "idx", named(digits))
    write_idx(folder, named(digits), gzip.compress, ".gz")
    assert_same(mnist.load_data(folder), digits)


def transposed(digits, first_label=0):
    """The arrays as EMNIST stores them; its letters are counted from 1."""
    arrays = named(digits).items()
    return {key: array.swapaxes(1, 2) if array.ndim == 3 else array + np.uint8(first_label) for key, array in arrays}


@pytest.mark.parametrize(("name", "first_label"), [("balanced", 0), ("byclass", 0), ("digits", 0), ("letters", 1)])
def test_emnist_is_turned_upright_and_its_labels_begin_with_0(digits, tmp_path, name, first_label):
    folder = write_idx(tmp_path / "idx", transposed(digits, first_label), gzip.compress, ".gz", f"emnist-{name}-")
    assert_same(mnist.load_data(folder), digits)


def test_of_several_sets_in_a_folder_one_is_chosen_by_one_of_its_files(digits, tmp_path):
    folder = write_idx(tmp_path / "gzip", transposed(digits, 1), prefix="emnist-letters-")
    other = transposed((digits[1], digits[0]))
    write_idx(folder, other, prefix="emnist-digits-")
    write_idx(folder, named(digits))
    assert_same(mnist.load_data(folder / "emnist-letters-t10k-images-idx3-ubyte"), digits)
    assert_same(mnist.load_data(folder / "emnist-digits-train-labels-idx1-ubyte"), (digits[1], digits[0]))
    assert_same(mnist.load_data(folder / "train-labels-idx1-ubyte"), digits)
    with pytest.raises(ValueError, match="choose a dataset by naming one of its files"):
        mnist.load_data(folder)


def test_qmnist_tells_the_class_in_the_first_of_eight_numbers(digits, tmp_path):
    for part, (images, labels) in zip(("train", "test"), digits, strict=True):
        about = np.arange(8 * len(labels), dtype="int32").reshape(-1, 8)  # writer, source and so on
        about[:, 0] = labels
        (tmp_path / f"qmnist-{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images)))
        (tmp_path / f"qmnist-{part}-labels-idx2-int.gz").write_bytes(gzip.compress(idx(about)))
    assert_same(mnist.load_data(tmp_path), digits)


def test_a_keras_npz_loads(digits, small):
    assert_same(mnist.load_data(small), digits)


def test_labels_of_more_classes_are_counted(digits):
    (x_train, y_train), test = digits
    assert dataset.class_count(((x_train, np.where(y_train == 3, 46, y_train)), test)) == 47


def test_split_holds_out_the_same_images_of_every_class_even_from_sorted_data(digits):
    (images, labels), _ = digits
    order = np.argsort(labels, kind="stable")
    training, validating = dataset.split(images[order], labels[order], 0.2)
    assert (len(training[0]), len(validating[0])) == (480, 120)
    assert set(validating[1]) == set(range(10))
    np.testing.assert_array_equal(validating[0], dataset.split(images[order], labels[order], 0.2)[1][0])


def npz(**changes):
    """A data set of 20 and 10 images with some arrays changed, or left out where the change is None."""

    def write(tmp_path, digits):
        arrays = {key: array[: 20 if "train" in key else 10] for key, array in named(digits).items()} | changes
        np.savez(tmp_path / "bad.npz", **{key: array for key, array in arrays.items() if array is not None})
        return tmp_path / "bad.npz"

    return write


def idx_file(key, change):
    """A folder of IDX files in which one file's bytes are changed, or removed where the change gives None."""

    def write(tmp_path, digits):
        folder = write_idx(tmp_path / "idx", named(digits))
        path = folder / NAMES[key]
        content = change(path.read_bytes())
        path.unlink() if content is None else path.write_bytes(content)
        return folder

    return write


def contents(name, content):
    def write(tmp_path, digits):
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    return write


def array_file(tmp_path, digits):
    np.save(tmp_path / "bad.npy", zeros(20, 28, 28))
    return tmp_path / "bad.npy"


def zeros(*shape, dtype="uint8"):
    return np.zeros(shape, dtype)


BAD = {
    "no such path": (lambda tmp_path, digits: tmp_path / "nowhere", "no such file or folder"),
    "an empty folder": (lambda tmp_path, digits: tmp_path, "expected one file of train images.*found none"),
    "a missing IDX file": (idx_file("y_test", lambda content: None), "one file of test labels"),
    "a truncated IDX file": (idx_file("x_test", lambda content: content[:-1]), "truncated: 156799 bytes.*156800"),
    "a truncated IDX header": (idx_file("x_test", lambda content: content[:9]), "truncated: the header"),
    "an empty IDX file": (idx_file("x_train", lambda content: b""), "magic number"),
    "an IDX file with a tail": (idx_file("x_test", lambda content: content + b"x"), "too long"),
    "a wrong magic number": (idx_file("x_train", lambda content: b"\x89PNG" + content[4:]), "magic number 0x89504e47"),
    "labels in place of images": (
        idx_file("x_train", lambda content: idx(zeros(600))),
        "magic number 0x00000801, expected 0x00000803",
    ),
    "a truncated gz": (idx_file("x_train", lambda content: gzip.compress(content)[:-9]), "x_train|train-images"),
    "a damaged gz": (idx_file("x_train", lambda content: gzip.compress(content)[:50] + b"?" * 99), "train-images"),
    "other sizes in IDX": (idx_file("x_test", lambda content: idx(zeros(200, 32, 32))), r"\(200, 32, 32\), expected"),
    "fewer labels in IDX": (idx_file("y_train", lambda content: idx(zeros(599))), "600 images but labels"),
    "float labels in IDX": (idx_file("y_test", lambda content: idx(zeros(200, dtype="float32"))), "whole numbers"),
    "two sets in one folder": (
        lambda tmp_path, digits: write_idx(write_idx(tmp_path / "idx", named(digits)), named(digits), prefix="k-"),
        "found k-train-images-idx3-ubyte, train-images-idx3-ubyte",
    ),
    "a missing key": (npz(y_test=None), "no y_test; found x_train, y_train, x_test, expected"),
    "pickled objects": (npz(y_test=np.array([{}] * 10, dtype=object)), "pickled objects"),
    "images and labels of different length": (npz(y_train=zeros(19)), "20 images but labels of shape"),
    "labels that are not whole": (npz(y_train=zeros(20, dtype="float64")), "dtype float64, expected whole numbers"),
    "negative labels": (npz(y_train=np.full(20, -1)), "a label is -1"),
    "labels in rows": (npz(y_train=zeros(20, 10)), r"labels of shape \(20, 10\)"),
    "a wrong image size": (npz(x_train=zeros(20, 32, 32)), r"\(20, 32, 32\), expected \(n, 28, 28\)"),
    "images with channels": (npz(x_train=zeros(20, 28, 28, 1)), r"expected \(n, 28, 28\)"),
    "scaled images": (npz(x_test=zeros(10, 28, 28, dtype="float32")), "float32, expected uint8"),
    "no images": (npz(x_test=zeros(0, 28, 28), y_test=zeros(0)), "n at least 1"),
    "a text file": (contents("bad.npz", b"hello"), "not a dataset"),
    "an empty file": (contents("bad.npz", b""), "not a dataset"),
    "a broken zip": (contents("bad.npz", b"PK\x03\x04" + b"?" * 99), "not a dataset"),
    "a single array": (array_file, "a single array"),
}


@pytest.mark.parametrize(("make", "message"), BAD.values(), ids=BAD)
def test_a_bad_data_set_is_refused_by_name(digits, tmp_path, capsys, make, message):
    path = make(tmp_path, digits)
    with pytest.raises(ValueError, match=message) as refusal:
        mnist.load_data(path)
    assert str(tmp_path) in str(refusal.value)


@pytest.mark.parametrize("make", [make for name, (make, _) in BAD.items() if name != "no such path"])
def test_the_command_refuses_it_in_one_line(digits, tmp_path, capsys, make):
    path = make(tmp_path, digits)
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    assert main(["train", "--data", str(path), "--output", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


def test_drawn_images_are_of_every_class_even_from_sorted_data_and_always_the_same(digits):
    images, labels = digits[0]
    order = np.argsort(labels, kind="stable")
    drawn, theirs = dataset.draw(images[order], labels[order], 200)
    assert len(drawn) == len(theirs) == 200
    assert set(theirs) == set(range(10))
    places = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    assert [places[image.tobytes()] for image in drawn] == theirs.tolist()
    np.testing.assert_array_equal(drawn, dataset.draw(images[order], labels[order], 200)[0])
    assert len(dataset.draw(images, labels, 600)[0]) == 600
    with pytest.raises(ValueError, match="received 601 images to draw, expected at most the 600"):
        dataset.draw(images, labels, 601)


@pytest.mark.parametrize("validation", [0.0001, 0.9999, 1.0])
def test_a_split_that_leaves_nothing_is_refused(digits, validation):
    with pytest.raises(ValueError, match="of 600 images"):
        dataset.split(*digits[0], validation)


@pytest.mark.parametrize(("count", "validation"), [(3, 0.5), (5, 0.3), (7, 0.5), (601, 0.25)])
def test_what_is_not_held_out_is_trained_on(count, validation):
    images, labels = np.zeros((count, 28, 28), "uint8"), np.zeros(count, "uint8")
    (training, _), (validating, _) = dataset.split(images, labels, validation)
    assert len(training) == dataset.training_count(count, validation) == count - len(validating)
