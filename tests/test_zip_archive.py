"""An archive is checked before any of its entries is unpacked."""

import os
import zipfile

import keras
import numpy as np
import pytest
from conftest import check_refused

from study_keras import formats, zip_archive
from study_keras.data import dataset

pytestmark = pytest.mark.usefixtures("little_memory")
MODEL = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="dense")])


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
    check_refused(formats.load, model, message)
    np.savez(tmp_path / "d.npz", y_train=[0], x_test=[0], y_test=[0])
    with_entry(tmp_path / "d.npz", "x_train.npy", content, edit, method)
    check_refused(dataset.load_data, tmp_path / "d.npz", message)


def test_an_archive_with_a_long_list_of_entries_is_check_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        for number in range(50_000):
            archive.writestr(f"{'x' * 60}{number}", b"")
    check_refused(formats.load, tmp_path / "m.keras", "list of entries")


def entry(**fields):
    made = zipfile.ZipInfo("a")
    for name, value in {"compress_size": 10, "file_size": 10, **fields}.items():
        setattr(made, name, value)
    return made


LARGE = 10 * 2**20
WRONG = {
    "a link": ({"external_attr": 0o120777 << 16}, "symbolic link"),
    "one byte too much": ({"file_size": 10_000 + 2**20 + 1}, "bomb"),
    "one byte too much of a large one": ({"compress_size": LARGE, "file_size": 100 * LARGE + 2**28 + 1}, "bomb"),
    "encrypted, with other flags": ({"flag_bits": 0x809}, "encrypted"),
    "a folder above": ({"filename": "a/../../b"}, "leads outside"),
    "an absolute path": ({"filename": "/a"}, "leads outside"),
    "a path of Windows": ({"filename": "a\\b"}, "leads outside"),
    "a drive": ({"filename": "c:a"}, "leads outside"),
}
RIGHT = (
    {"external_attr": 0o100644 << 16},
    {"external_attr": 0o040755 << 16},
    {"file_size": 10_000 + 2**20},
    {"compress_size": LARGE, "file_size": 100 * LARGE + 2**28},
    {"flag_bits": 0x808},
    {"filename": "assets/a..b"},
)


@pytest.mark.parametrize("kind", WRONG)
def test_an_entry_is_refused_at_its_limit(kind):
    fields, message = WRONG[kind]
    with pytest.raises(ValueError, match=message):
        zip_archive._check_entry(entry(**fields))


@pytest.mark.parametrize("fields", RIGHT)
def test_an_entry_below_its_limit_is_read(fields):
    zip_archive._check_entry(entry(**fields))


def test_the_list_of_entries_is_found_behind_a_comment_of_any_length(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a", b"")
        archive.comment = b"x" * 65_535
    size = 46 + len("a")
    monkeypatch.setattr(zip_archive, "MAX_DIRECTORY_BYTES", size)
    with zip_archive.open_zip(tmp_path / "a.zip") as opened:
        assert opened.namelist() == ["a"]
    monkeypatch.setattr(zip_archive, "MAX_DIRECTORY_BYTES", size - 1)
    with pytest.raises(ValueError, match="list of entries has 47 bytes"), zip_archive.open_zip(tmp_path / "a.zip"):
        pass
