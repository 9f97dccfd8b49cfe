"""`convert --all`: every format of a stranger's model is right or refused by name, and the README's code runs."""

import json

import keras
import numpy as np
import pytest
import readme_code
import strangers

from study_keras import formats
from study_keras.cli import main
from study_keras.formats.everywhere.folder import RECORD, check_free, convert_all
from study_keras.formats.everywhere.variants import VARIANTS
from study_keras.formats.keras_runner import keras_answers
from study_keras.formats.proof.random_inputs import random_inputs
from study_keras.formats.table import BY_NAME
from study_keras.runtimes import installed, openvino

SOURCES = {"c", "numpy_program", "torch_program", "torch_export"}  # which are written layer by layer
RUN = {"python", "js", "c"}  # the languages that run here


def converted(name, place, capsys, *options):
    """The folder with every format of a model, what was printed as JSON, and the model."""
    model = strangers.randomized(getattr(strangers, name)())
    source, folder = place / f"{name} 2.keras", place / "everywhere"
    formats.save(model, source)
    assert main(["convert", str(source), str(folder), "--all", "--json", *options]) == 0
    return folder, json.loads(capsys.readouterr().out)["formats"], model


def check_rows(rows, folder, refused):
    """Every format is proven in its runtime, or refused with a reason that names what it lacks."""
    assert [row["format"] for row in rows] == ["keras", *(item.format.name for item in VARIANTS)]
    for row in rows:
        if not row["files"]:
            assert row["proofs"] == []
            assert row["reason"], row
            assert str(folder.parent) not in row["reason"]
            continue
        assert all((folder / file).exists() for file in row["files"]), row
        assert row["bytes"] > 0
        assert [proof["missing"] for proof in row["proofs"]] == [None] * (1 + len(BY_NAME[row["format"]].also)), row
    missing = {row["format"]: row["reason"] for row in rows if not row["files"] and row["quantize"] != "int8"}
    assert set(missing) == set(refused), missing
    for name, word in refused.items():
        assert word in missing[name]
    assert sorted(json.loads((folder / RECORD).read_text())["files"]) == sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


def check_code(folder, rows, model, tmp_path, monkeypatch):
    """All code of the README.md that runs here gives Keras' outputs for an example of zeros."""
    expected = keras_answers(model, [np.zeros_like(array) for array in random_inputs(model, 1)])
    found = readme_code.blocks(folder)
    readme_code.forget(folder)
    openvino.library()  # without its telemetry
    for (heading, language), code in found.items():
        if language == "python":
            outputs = readme_code.run_python(folder, code, monkeypatch)
        elif language == "js":
            outputs = readme_code.run_js(folder, code, heading.removeprefix("Web: "), tmp_path)
        elif language == "c":
            outputs = [readme_code.run_c(folder, code, tmp_path)]
        else:
            continue
        numbers = np.concatenate([np.ravel(output) for output in outputs])
        wanted = np.concatenate([np.ravel(output) for output in expected])
        np.testing.assert_allclose(numbers, wanted, rtol=1e-4, atol=1e-5, err_msg=heading)
    assert len({heading for heading, language in found if language in RUN}) >= 8
    return found


@pytest.mark.slow
def test_every_format_is_proven_and_the_code_of_the_readme_runs(tmp_path, tmp_path_factory, monkeypatch, capsys):
    folder, rows, model = converted("two_in_two_out", tmp_path, capsys)
    check_rows(rows, folder, {"litert_micro": "TFLite Micro cannot run it"})
    found = check_code(folder, rows, model, tmp_path_factory.mktemp("code"), monkeypatch)
    headings = {heading for heading, _ in found}
    assert {"Android", "iOS", "Rust", "C", "Web: onnxruntime-web"} <= headings
    for language in ("kotlin", "swift", "rust"):
        code = next(code for (_, found_language), code in found.items() if found_language == language)
        assert '"age"' in code
        assert '"job_title"' in code
        assert '"class"' in code


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("dicts", {}),
        ("resnet", {}),
        ("mobile_net", {}),
        ("text", {"litert_micro": "TFLite Micro cannot run it"}),
        ("open_text", {"litert_micro": "", **dict.fromkeys(SOURCES, "tokens")}),
        ("lstm", dict.fromkeys(SOURCES, "lstm")),
    ],
)
def test_each_format_of_a_strangers_model_is_right_or_refused_by_name(name, refused, tmp_path, monkeypatch, capsys):
    folder, rows, model = converted(name, tmp_path, capsys)
    check_rows(rows, folder, refused)
    check_code(folder, rows, model, tmp_path, monkeypatch)


@pytest.mark.slow
def test_int8_is_calibrated_on_the_inputs_of_data(tmp_path, capsys):
    random = np.random.default_rng(0)
    np.savez(tmp_path / "inputs.npz", x=random.random((50, 16, 16, 3), "float32"))
    folder, rows, _ = converted("resnet", tmp_path, capsys, "--data", str(tmp_path / "inputs.npz"))
    int8 = {row["format"]: row for row in rows if row["quantize"] == "int8"}
    assert set(int8) == {"litert", "c", "litert_micro"}
    assert "written C in int8 has only" in int8.pop("c")["reason"]  # it lacks the sums of a ResNet
    assert all(row["files"] and not row["proofs"][0]["random"] for row in int8.values())
    assert "interpreter.input(0)" in readme_code.blocks(folder)["Microcontrollers", "cpp"]


def little(folder):
    """The path of a model that is written in no time."""
    return formats.save(keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)]), folder / "model.keras")


@pytest.fixture
def former(tmp_path):
    """A folder as a former run left it."""
    folder = tmp_path / "everywhere"
    folder.mkdir()
    (folder / "README.md").write_text("former")
    (folder / RECORD).write_text(json.dumps({"files": ["README.md", RECORD]}))
    return folder


def test_a_folder_that_is_not_ours_is_refused(former, tmp_path, capsys):
    source = little(tmp_path)

    def refused(target, *options):
        assert main(["convert", str(source), str(target), "--all", *options]) != 0
        return capsys.readouterr().err.splitlines()[-1]

    (former / "mine.txt").write_text("mine")
    assert "contains mine.txt, which convert --all did not write" in refused(former)
    assert (former / "README.md").read_text() == "former"
    (former / "mine.txt").unlink()
    (former / RECORD).write_text("broken")
    assert "contains README.md, which convert --all did not write" in refused(former)
    assert "contains model.keras" in refused(tmp_path)
    assert "is a file" in refused(source)
    assert "--quantize is for one TARGET" in refused(tmp_path / "new", "--quantize", "int8")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["everywhere", "model.keras"]


def test_what_python_compiled_of_the_programs_is_no_file_of_the_user(former):
    (former / "__pycache__").mkdir()
    (former / "__pycache__" / "model_numpy.cpython-311.pyc").write_bytes(b"")
    check_free(former)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_run_that_fails_leaves_the_former_folder(former, tmp_path, error):
    def fail(_):
        raise error

    for target in (former, tmp_path / "new"):
        with pytest.raises(type(error)):
            convert_all(little(tmp_path), target, images=fail)
    assert (former / "README.md").read_text() == "former"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["everywhere", "model.keras"]


def test_a_format_without_its_runtime_is_left_out_with_what_to_type(tmp_path, monkeypatch, capsys):
    version = installed.version
    monkeypatch.setattr(installed, "version", lambda name: version(name) if name == "keras" else None)
    assert main(["convert", str(little(tmp_path)), str(tmp_path / "new"), "--all", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["formats"]
    assert {row["format"] for row in rows if row["files"]} == {
        *("keras", "h5", "json", "yaml", "weights_h5", "tf_checkpoint")
    }
    missing = {row["format"]: (row["reason"], row["install"]) for row in rows if not row["files"]}
    assert missing["safetensors"] == ("safetensors is not installed", "pip install 'hello-mnist[safetensors]'")
    assert missing["torch_program"] == ("PyTorch is not installed", "pip install 'hello-mnist[torch]'")
    assert main(["convert", str(little(tmp_path)), str(tmp_path / "new"), "--all"]) == 0  # replaces its own
    shown = capsys.readouterr().out
    line = "not written: model_torch.py: PyTorch is not installed; run: pip install 'hello-mnist[torch]'"
    assert line in shown.splitlines()
    assert "PyTorch is not installed" in (tmp_path / "new" / "README.md").read_text()
