"""`formats` prints the whole table of formats, and what is missing on this machine."""

import json
import re
import subprocess
import sys
from importlib.metadata import version

import pytest
from conftest import ROOT

from study_keras import formats
from study_keras.cli import main


def printed(capsys, *arguments):
    assert main(["formats", *arguments]) == 0
    return capsys.readouterr().out


def test_every_format_that_can_be_written_is_in_it_by_its_suffix(capsys):
    rows = json.loads(printed(capsys, "--json"))
    assert {row["name"] for row in rows} == {item.name for item in formats.FORMATS}
    for row in rows:
        for suffix in row["suffixes"]:
            target = formats.detect_target(f"model{suffix}")
            assert row["read_by"] is None or target.name in (row["name"], "tfjs")
        assert row["title"]
        assert row["runtimes"]


def test_it_says_which_version_of_a_runtime_is_here(capsys):
    rows = {row["name"]: row for row in json.loads(printed(capsys, "--json"))}
    assert rows["litert"]["runtimes"] == [{"name": "LiteRT", "version": version("ai-edge-litert")}]
    assert [runtime["name"] for runtime in rows["onnx"]["runtimes"]] == ["onnxruntime", "onnxruntime-web in Node"]
    assert f"LiteRT {version('ai-edge-litert')}" in " ".join(printed(capsys).split())


def test_what_is_missing_is_named_with_a_line_that_can_be_pasted():
    """In a process that finds no OpenVINO and no safetensors, and no Keras, which the table does not import."""
    code = (
        "import sys; from importlib import metadata\n"
        "real = metadata.version\n"
        "def version(name):\n"
        "    if name in ('openvino', 'safetensors'): raise metadata.PackageNotFoundError(name)\n"
        "    return real(name)\n"
        "metadata.version = version\n"
        "sys.modules['keras'] = sys.modules['openvino'] = None\n"
        "from study_keras.cli import main\n"
        "sys.exit(main(['formats']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert "OpenVINO is missing; to install it: pip install 'hello-mnist[openvino]'" in lines
    assert "safetensors is missing; to install it: pip install 'hello-mnist[safetensors]'" in lines
    assert "PyTorch is missing; to install it: pip install 'hello-mnist[torch]'" in lines  # its programs need both


@pytest.mark.parametrize("name", ["4_formats.en.md"])
def test_the_table_in_the_notes_is_the_one_that_is_printed(name, capsys):
    rows = {cells[0]: cells for cells in map(cells_of, printed(capsys, "--markdown").splitlines())}
    text = (ROOT / "notes/study_keras" / name).read_text()
    lines = text.partition("## What each format keeps")[2].partition("```")[0].strip().splitlines()
    noted = [cells_of(line) for line in lines if line.startswith("| ")]
    assert len(noted) > 10
    for title, suffixes, keeps, written_for, reads in noted:
        row = rows[title]
        assert re.findall("`[^`]+`", suffixes) == re.findall("`[^`]+`", row[1]) or title == "format"
        assert (written_for, reads) == (row[3], row[4])
        if title != "TensorFlow.js":  # its graphs have a line of their own in the printed table
            assert keeps == row[2]


def cells_of(line):
    return [cell.strip() for cell in line.strip("|").split(" | ")]
