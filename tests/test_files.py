"""A file is written whole or not at all."""

import pytest

from study_keras import files


def test_a_written_file_takes_the_place_of_the_former_one(tmp_path):
    path = tmp_path / "model.weights.h5"
    path.write_text("former")
    with files.atomic_write(path) as temporary:
        assert temporary.name.endswith(".weights.h5")
        temporary.write_text("new")
        assert path.read_text() == "former"
    assert path.read_text() == "new"
    assert [file.name for file in tmp_path.iterdir()] == ["model.weights.h5"]


def test_a_failure_leaves_the_former_file_and_nothing_else(tmp_path):
    path = tmp_path / "model.keras"
    path.write_text("former")

    def stop_half_way():
        with files.atomic_write(path) as temporary:
            temporary.write_text("half of it")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop_half_way()
    assert path.read_text() == "former"
    assert [file.name for file in tmp_path.iterdir()] == ["model.keras"]


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "link").symlink_to("target")
    with files.atomic_write(tmp_path / "link") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "new"


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="choose another folder") as error:
        files.ensure_writable_dir(tmp_path / "file")
    assert error.value.filename == str(tmp_path / "file")
