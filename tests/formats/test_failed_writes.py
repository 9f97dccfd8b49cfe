"""A write that fails leaves the former content, no temporary file, and one line that says what to do."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("failed_writes.py")


@pytest.mark.parametrize("options", [[], pytest.param(["--all"], marks=pytest.mark.slow)])
def test_every_writer_survives_a_failure_at_any_byte_at_the_flush_and_at_the_rename(tmp_path, options):
    command = [sys.executable, SCRIPT, tmp_path, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]  # a crash in native code is a negative number
    cases = [json.loads(line) for line in done.stdout.splitlines()]
    assert [case for case in cases if case["problems"]] == []
    assert len(cases) > 100
    assert len({case["writer"] for case in cases}) == 26
