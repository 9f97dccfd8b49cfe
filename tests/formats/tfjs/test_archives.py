"""A TF.js model in one archive, as the page saves it: read like its folder, and checked before it is unpacked."""

import json
import os
import tempfile
import zipfile

import keras
import numpy as np
import pytest
from conftest import check_refused, hello_mnist

from study_keras import formats, limits
from study_keras.formats.convert import stored_weights
from study_keras.runtimes.tfjs import run_tfjs
from study_keras.serve.model_store import load_models

pytestmark = pytest.mark.usefixtures("little_memory")
MODEL = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="dense")])
DIGITS = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10, "softmax")])
READERS = {"Keras": formats.load, "TF.js": formats.open, "its weights": formats.list_tfjs}


def archive_of(model, path, edit=lambda files: None, method=zipfile.ZIP_STORED, **options):
    """Write a model's TF.js folder as an archive; ``edit`` changes the dict of its files before."""
    folder = formats.save(model, path.with_name("folder.tfjs"), prove=False, **options)
    files = {file.name: file.read_bytes() for file in sorted(folder.iterdir())}
    edit(files)
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def change(edit):
    """Edit the model.json among the files."""

    def edited(files):
        content = json.loads(files["model.json"])
        edit(content, files)
        files["model.json"] = json.dumps(content).encode()

    return edited


def renamed(name):
    """Give the shard another name, in the archive and in the manifest."""

    def edit(content, files):
        files[name] = files.pop(content["weightsManifest"][0]["paths"][0])
        content["weightsManifest"][0]["paths"] = [name]

    return change(edit)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("kind", ["layers", "graph"])
def test_an_archive_is_read_like_its_folder(kind, method, tmp_path, monkeypatch):
    (temporary := tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    path = archive_of(MODEL, tmp_path / "m.tfjs", method=method, kind=kind)
    inputs = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    expected = np.asarray(MODEL(inputs))
    assert formats.detect(path) is formats.detect(tmp_path / "folder.tfjs")
    assert stored_weights(path) == stored_weights(tmp_path / "folder.tfjs")
    runner = formats.open(path)
    assert len(list(temporary.iterdir())) == 1
    for _ in range(2):
        np.testing.assert_allclose(runner.run([inputs]).outputs[0], expected, atol=1e-6)
    np.testing.assert_allclose(run_tfjs(path, inputs)[0], expected, atol=1e-6)
    if kind == "layers":
        np.testing.assert_array_equal(np.asarray(formats.load(path)(inputs)), expected)
    else:
        check_refused(formats.load, path, "for inference only")
    del runner
    assert list(temporary.iterdir()) == []


def test_the_command_converts_verifies_and_reads_with_an_archive(tmp_path):
    path = archive_of(DIGITS, tmp_path / "mine.tfjs")
    done = hello_mnist("convert", path, tmp_path / "mine.keras", "--json")
    assert done.returncode == 0, done.stderr
    assert (json.loads(done.stdout)["from"], json.loads(done.stdout)["to"]) == ("tfjs", "keras")
    for before, after in zip(DIGITS.get_weights(), formats.load(tmp_path / "mine.keras").get_weights(), strict=True):
        np.testing.assert_array_equal(after, before)
    np.save(tmp_path / "inputs.npy", np.zeros((3, 28, 28), "float32"))
    done = hello_mnist("verify", tmp_path / "mine.keras", path, "--data", tmp_path / "inputs.npy", "--json")
    assert done.returncode == 0, done.stderr
    keras.utils.save_img(tmp_path / "digit.png", 255 * np.eye(28)[..., None], scale=False)
    done = hello_mnist("predict", tmp_path / "digit.png", "--model", path, "--json")
    assert done.returncode == 0, done.stderr


def test_the_server_offers_an_archive_to_the_page(tmp_path):
    shelf = load_models([archive_of(DIGITS, tmp_path / "mine.tfjs")], 1, tmp_path)
    assert (shelf.offers[0]["name"], shelf.offers[0]["format"]) == ("mine", "tfjs")
    content = json.loads(shelf.files["/models/mine.tfjs/model.json"].content)
    (name,) = content["weightsManifest"][0]["paths"]
    assert len(shelf.files[f"/models/mine.tfjs/{name}"].content) == 4 * 7850


def test_nothing_is_written_over_an_archive(tmp_path):
    path = archive_of(MODEL, tmp_path / "m.tfjs")
    content = path.read_bytes()
    with pytest.raises(ValueError, match="in use"):
        formats.save(MODEL, path, prove=False)
    assert path.read_bytes() == content


EDITS = {
    "no model.json": (lambda files: files.pop("model.json"), "no 'model.json'"),
    "in a folder": (
        lambda files: files.update({f"m/{name}": files.pop(name) for name in list(files)}),
        "no 'model.json'",
    ),
    "no shard": (lambda files: files.pop("group1-shard1of1.bin"), "no 'group1-shard1of1.bin'"),
    "a shard too short": (lambda files: files.update({"group1-shard1of1.bin": b"abc"}), "have 40 bytes.* 3"),
    "no text": (lambda files: files.update({"model.json": b"\xff\xfe"}), "m.tfjs"),
    "a list": (lambda files: files.update({"model.json": b"[]"}), "lacks modelTopology"),
    "lists in lists": (lambda files: files.update({"model.json": b"[" * 100_000}), "nested deeper"),
    "paths that are numbers": (
        change(lambda content, files: content["weightsManifest"][0].update(paths=[1])),
        "a list of file names",
    ),
    "the same shard twice": (
        change(lambda content, files: content["weightsManifest"][0].update(paths=["a", "a"])),
        "the same shard twice",
    ),
    "model.json as its own shard": (
        change(lambda content, files: content["weightsManifest"][0].update(paths=["model.json"])),
        "but the shards",
    ),
    "a shard outside": (renamed("../shard"), "leads outside"),
    "an absolute shard": (renamed("/tmp/shard"), "leads outside"),
    "a shard of Windows": (renamed("..\\shard"), "leads outside"),
    "a bomb": (lambda files: files.update({"group1-shard1of1.bin": bytes(2**27)}), "bomb"),
    "a bomb beside": (lambda files: files.update({"other": bytes(2**27)}), "bomb"),
    "a negative size": (
        change(lambda content, files: content["weightsManifest"][0]["weights"][0].update(shape=[-4, -2])),
        "whole numbers",
    ),
}


@pytest.mark.parametrize("kind", EDITS)
@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_an_archive_is_checked_before_it_is_unpacked(read, kind, tmp_path):
    edit, message = EDITS[kind]
    path = archive_of(MODEL, tmp_path / "m.tfjs", edit, zipfile.ZIP_DEFLATED)
    check_refused(read, path, message)
    assert {file.name for file in tmp_path.iterdir()} == {"m.tfjs", "folder.tfjs"}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_what_is_no_archive_is_refused(read, tmp_path):
    path = tmp_path / "m.tfjs"
    for content in (b"", b"PK", b"PK\x05\x06" + bytes(18), os.urandom(1000)):
        path.write_bytes(content)
        check_refused(read, path, "not a complete ZIP archive|no 'model.json'")
    whole = archive_of(MODEL, path).read_bytes()
    for size in range(0, len(whole), 97):
        path.write_bytes(whole[:size])
        check_refused(read, path, "not a complete ZIP archive")
    path.unlink()
    os.mkfifo(path)
    check_refused(read, path, "expected a regular file")


def test_an_archive_counts_against_the_memory_of_a_load(tmp_path):
    path = archive_of(DIGITS, tmp_path / "m.tfjs")
    with limits.allow(30_000):
        check_refused(formats.load, path, "expected at most 30,000 in total")
    with limits.allow(200_000):
        formats.load(path)


# No name of an archive becomes a name of a file, so that none is one which a file system takes for another, or refuses.
NAMES = ("MODEL.JSON", "shard1.bin", "Ä" * 200, "a" * 3000, "nul", "shard.", "-rf", "\u202egpj.bin", "lock", " ")


@pytest.mark.parametrize("name", NAMES)
def test_a_shard_may_have_any_name_within_the_archive(name, tmp_path):
    path = archive_of(MODEL, tmp_path / "m.tfjs", renamed(name))
    for before, after in zip(MODEL.get_weights(), formats.load(path).get_weights(), strict=True):
        np.testing.assert_array_equal(after, before)
    formats.open(path)


def test_a_name_that_is_there_twice_is_refused(tmp_path):
    path = archive_of(MODEL, tmp_path / "m.tfjs")
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("group1-shard1of1.bin", b"other")
    check_refused(formats.load, path, "two entries have the same name")


def test_many_groups_unpack_a_shard_once(tmp_path):
    def many(content, files):
        empty = {"paths": ["empty.bin"], "weights": []}
        content["weightsManifest"] += [empty] * 20_000
        files["empty.bin"] = b""

    path = archive_of(MODEL, tmp_path / "m.tfjs", change(many), zipfile.ZIP_DEFLATED)
    assert formats.load(path).count_params() == 10
