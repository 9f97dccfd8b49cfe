"""A file is written whole or not at all."""

import errno
import fcntl
import subprocess
import sys

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


HOLD = """
import sys
from study_keras import files
with files.lock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_lock_is_held_until_its_process_ends_even_if_it_is_killed(tmp_path):
    path = tmp_path / ".name.lock"
    for end in ("kill", "close"):
        command = [sys.executable, "-c", HOLD, path]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout.readline() == "held\n"
            with pytest.raises(BlockingIOError), files.lock(path):
                pass
            with files.lock(tmp_path / ".other.lock"):
                pass
            process.kill() if end == "kill" else process.stdin.close()
            process.wait()
        assert path.exists() == (end == "kill")
        with files.lock(path):
            assert path.exists()
        assert not path.exists()


def test_a_file_system_without_locks_locks_nothing_and_a_link_is_not_followed(tmp_path, monkeypatch):
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "link").symlink_to("mine")
    with pytest.raises(OSError, match="symbolic link"), files.lock(tmp_path / "link"):
        pass
    assert (tmp_path / "mine").read_text() == "mine"

    def refuse(*_):
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with files.lock(tmp_path / "lock"), files.lock(tmp_path / "lock"):
        pass
