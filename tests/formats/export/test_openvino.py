"""OpenVINO's files answer as Keras does in OpenVINO itself; hostile ones are refused by one line."""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import keras
import numpy as np
import pytest
from conftest import ROOT

from study_keras import formats
from study_keras.cli import main

if find_spec("openvino") is None:
    pytest.skip("the extra openvino is not installed", allow_module_level=True)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The folder that openvino_models.py wrote, and what it said of each model."""
    folder = tmp_path_factory.mktemp("openvino")
    command = [sys.executable, ROOT / "tests/formats/export/openvino_models.py", folder]
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return folder, {line["name"]: line for line in lines}


@pytest.mark.parametrize("name", ["unused", "several", "recurrent", "stacked", "images", "no weights"])
def test_openvino_answers_as_keras_does(exported, name):
    result = exported[1][name]
    assert result["proof"].startswith("OpenVINO answers as Keras does: 5 random examples")
    assert result["far"] < 1e-6


def test_inputs_and_outputs_have_the_names_and_the_order_of_keras(exported):
    folder, results = exported
    assert results["several"]["names"] == ["zebra", "less", "one_1"]
    runner = formats.open(folder / "several.xml")
    assert [spec.name for spec in runner.inputs] == ["two", "one"]
    assert [spec.shape for spec in runner.inputs] == [(None, 4)] * 2


@pytest.mark.parametrize(
    ("name", "word"), [("text", "Hashing 'bins'"), ("wraps", "Lambda 'sum': OpenVINO has no arithmetic in u8")]
)
def test_what_openvino_cannot_say_is_refused_and_leaves_nothing_behind(exported, name, word):
    result = exported[1][name]
    assert word in result["refused"]
    assert result["left"] == []


def test_a_failed_write_leaves_the_former_files_as_they_were(exported):
    said = exported[1]["failed writes"]["said"]
    assert said.pop("left") == []
    assert len(said) == 5
    for words in said.values():
        assert re.fullmatch(r"unchanged: cannot be written \(.+\); the old content is unchanged; .+", words), said


def test_the_weights_are_listed_without_openvino(exported, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    shapes = dict(formats.list_openvino(exported[0] / "several.xml"))
    assert sorted(shapes.values()).count((4, 4)) == 2


def test_a_missing_runtime_is_named_with_what_to_type(exported):
    """In a process that finds no OpenVINO; a mutation of ``sys.modules`` would not hide its version."""
    code = (
        "import sys; from importlib import metadata\n"
        "real = metadata.version\n"
        "def version(name):\n"
        "    if name == 'openvino': raise metadata.PackageNotFoundError(name)\n"
        "    return real(name)\n"
        "metadata.version = version\n"
        "from study_keras.cli import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    command = [
        sys.executable,
        "-c",
        code,
        "predict",
        "--model",
        exported[0] / "several.xml",
        "tests/golden/paper_3.png",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == "hello-mnist: OpenVINO is not installed; run: pip install 'hello-mnist[openvino]'\n"


def test_on_the_backend_of_this_process_too_it_is_written_proven_and_verified(tmp_path, capsys):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "softmax")])
    model.save(tmp_path / "model.keras")
    assert main(["convert", str(tmp_path / "model.keras"), str(tmp_path / "model.xml")]) == 0
    assert "proof: OpenVINO answers as Keras does" in capsys.readouterr().out
    assert main(["verify", str(tmp_path / "model.keras"), str(tmp_path / "model.xml"), "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    sizes = [(tmp_path / name).stat().st_size for name in ("model.xml", "model.bin")]
    assert (row["runtime"], row["bytes"]) == ("OpenVINO", sum(sizes))


def test_a_bin_of_something_else_is_not_overwritten(tmp_path):
    (tmp_path / "model.bin").write_bytes(b"mine")
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    with pytest.raises(ValueError, match=r"model\.bin: exists, and would be replaced"):
        formats.save(model, tmp_path / "model.xml")
    assert {file.name for file in tmp_path.iterdir()} == {"model.bin"}
    assert (tmp_path / "model.bin").read_bytes() == b"mine"


def broadcast(text):
    """A constant that grows to 2^40 values when OpenVINO folds it."""
    first = '<layer id="{}" name="{}" type="Const" version="opset1">'
    first += '<data element_type="i64" shape="1" offset="0" size="8"/>'
    port = '<output><port id="0" precision="I64"><dim>1</dim></port></output></layer>'
    value = "".join(first.format(*pair) + port for pair in ((0, "value"), (1, "one")))
    tile = "".join(
        f'<layer id="{9 + n}" name="tile{n}" type="Concat" version="opset1"><data axis="0"/><input>'
        + "".join(f'<port id="{i}" precision="I64"><dim>{64**n}</dim></port>' for i in range(64))
        + f'</input><output><port id="64" precision="I64"><dim>{64 ** (n + 1)}</dim></port></output></layer>'
        for n in range(6)
    )
    end = '<layer id="99" name="out" type="Result" version="opset1"><input><port id="0"/></input></layer>'
    edges = "".join(
        f'<edge from-layer="{8 + n if n else 0}" from-port="{64 if n else 0}" to-layer="{9 + n}" to-port="{i}"/>'
        for n in range(6)
        for i in range(64)
    )
    last = '<edge from-layer="14" from-port="64" to-layer="99" to-port="0"/>'
    return (
        f'<?xml version="1.0"?><net name="x" version="11"><layers>{value}{tile}{end}</layers>'
        f"<edges>{edges}{last}</edges></net>"
    )


def const(text, **changes):
    """The model with other attributes of its first constant."""
    found = re.search(r'<data element_type="\w+" shape="[^"]*" offset="\d+" size="\d+" />', text)
    changed = found[0]
    for key, value in changes.items():
        changed = re.sub(rf'{key}="[^"]*"', f'{key}="{value}"', changed)
    return text.replace(found[0], changed, 1)


DOCTYPE = '<!DOCTYPE net [<!ENTITY a "lol"><!ENTITY b SYSTEM "file:///etc/hostname">]>'
HOSTILE = {
    "an entity of a file": (lambda t: t.replace("<net", f"{DOCTYPE}<net", 1), "document type"),
    "a document type in UTF-16": (
        lambda t: t.replace('<?xml version="1.0"?>', f'<?xml version="1.0" encoding="UTF-16"?>{DOCTYPE}').encode(
            "utf-16"
        ),
        "document type",
    ),
    "a style sheet": (lambda t: t.replace("<net", '<?xml-stylesheet href="x"?><net', 1), "document type or entity"),
    "a library's operation": (
        lambda t: t.replace('type="MatMul" version="opset1"', 'type="MatMul" version="extension"'),
        "not of OpenVINO's own opsets",
    ),
    "an unknown operation": (lambda t: t.replace('type="MatMul"', 'type="System"'), "OpenVINO cannot run it"),
    "values behind the end": (lambda t: const(t, offset=10**9), "the .bin has"),
    "an offset that wraps around in 64 bits": (lambda t: const(t, offset=2**64 - 8), "whole number"),
    "an offset in digits that only Python reads": (lambda t: const(t, offset="1_6"), "whole number"),
    "a shape of more than the values": (lambda t: const(t, shape="1000000000000"), "its shape needs"),
    "a negative size": (lambda t: const(t, shape="-4, -4"), "whole number"),
    "deep": (lambda t: t.replace("<rt_info>", "<rt_info>" + "<a>" * 300 + "</a>" * 300, 1), "200 deep"),
    "constants that grow": (broadcast, "bytes of memory"),
    "cut off": (lambda t: t[: len(t) // 2], "it is no XML"),
    "another document": (lambda t: "<project><layers/></project>", "expected <net>"),
    "empty": (lambda t: "", "it is no XML"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_by_one_line(exported, name, tmp_path):
    change, words = HOSTILE[name]
    text = change((exported[0] / "several.xml").read_text())
    (tmp_path / "model.xml").write_bytes(text.encode() if isinstance(text, str) else text)
    shutil.copy(exported[0] / "several.bin", tmp_path / "model.bin")
    with pytest.raises(ValueError, match=re.escape(words)) as refused:
        formats.open(tmp_path / "model.xml")
    assert "\n" not in str(refused.value)
    assert str(refused.value).startswith(str(tmp_path))


def test_a_bin_that_never_ends_is_not_read(exported, tmp_path):
    shutil.copy(exported[0] / "several.xml", tmp_path / "model.xml")
    Path(tmp_path / "model.bin").symlink_to("/dev/zero")
    with pytest.raises(ValueError, match="expected a regular file"):
        formats.open(tmp_path / "model.xml")


def test_a_changed_weight_shows(exported, tmp_path):
    folder, _ = exported
    shutil.copy(folder / "several.xml", tmp_path / "model.xml")
    values = bytearray((folder / "several.bin").read_bytes())
    values[-4:] = np.float32(9).tobytes()
    (tmp_path / "model.bin").write_bytes(values)
    inputs = [np.ones((2, 4), "float32")] * 2
    pairs = zip(
        *(formats.open(path).run(inputs).outputs for path in (folder / "several.xml", tmp_path / "model.xml")),
        strict=True,
    )
    assert any(np.any(one != other) for one, other in pairs)


def test_nobody_is_told_of_a_use():
    """OpenVINO's own import starts a process that reports it to its maker."""
    code = (
        "import multiprocessing.process as process, threading\n"
        "def start(self): raise SystemExit('a process was started')\n"
        "process.BaseProcess.start = start\n"
        "from study_keras.runtimes import openvino\n"
        "openvino.library().Core()\n"
        "import sys\n"
        "sys.exit(str(sorted(name for name in sys.modules if name.startswith('openvino_telemetry.'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (1, "[]")
