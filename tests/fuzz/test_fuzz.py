"""A minute of changed files: each is read, or refused with one line."""

import subprocess
import sys

import pytest
from conftest import ROOT


@pytest.mark.slow
def test_a_minute_of_changed_files_shows_nothing_wrong(tmp_path):
    command = [sys.executable, ROOT / "tests/fuzz/fuzz.py", "--seconds", "60", "--output", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert "0 kinds of findings" in done.stdout
