"""Every reader refuses a mutated file with one clear line, or reads it."""

import subprocess
import sys

import pytest
from conftest import ROOT


@pytest.mark.slow
def test_a_minute_of_mutated_files_finds_nothing(tmp_path):
    command = [sys.executable, "-W", "ignore", ROOT / "tools/fuzz.py", "60"]
    done = subprocess.run([*command, "0", tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert "0 kinds of findings" in done.stdout
