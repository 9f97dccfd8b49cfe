"""A model as plain C: it compiles without a warning, answers as Keras does, and stays within its own arrays."""

import sys

import keras
import pytest
from c_models import MODELS, inputs
from keras import layers
from mobile_net import mobile_net

from study_keras import formats
from study_keras.formats.proof.differences import THRESHOLDS, differences
from study_keras.formats.verify import verify_all
from study_keras.formats.written import c_elementwise
from study_keras.runtimes import c_code
from study_keras.runtimes.program import allow_code

SANITIZED = ("-O1", "-fsanitize=undefined,address", "-fno-sanitize-recover=all")


# A compiler with its sanitizers takes a second or two: every second model waits for `make test-slow`.
CASES = [pytest.param(name, marks=[pytest.mark.slow] if number % 2 else []) for number, name in enumerate(MODELS)]


@pytest.mark.parametrize("name", CASES)
def test_c_answers_as_keras(name, tmp_path):
    """Each layer and option, without undefined behaviour, and without a byte outside of an array."""
    model = MODELS[name]()
    path = formats.save(model, tmp_path / "net.c", prove=False)
    with allow_code():
        runner = c_code.open(path, None, SANITIZED)
    arrays = inputs(model)
    wanted = keras.tree.flatten(model.predict(arrays if len(arrays) > 1 else arrays[0], verbose=0))
    found = runner.run(arrays).outputs
    assert [array.shape for array in found] == [array.shape for array in wanted]
    for one, other in zip(wanted, found, strict=True):
        assert differences(one, other, len(one)).max() <= THRESHOLDS["float32"][1]


@pytest.mark.slow
def test_mobile_net_is_proven(tmp_path):
    model = mobile_net()
    proofs = []
    path = formats.save(model, tmp_path / "mobile.c", prove=proofs.append)
    assert proofs[0].runtime == "C"
    assert proofs[0].difference > 0  # and within what rounding explains, or it would be refused
    assert "batch_normalization" not in path.read_text().lower().split("void mobile_predict")[0]
    assert {name.rpartition("_")[2] for name, _ in formats.list_c(path)} == {"kernel", "bias"}


def test_what_c_is_not_written_for_is_refused_by_name(tmp_path):
    """Before a file is written."""
    steps = keras.Input((3, 4))
    refused = {
        "LSTM 'memory'": keras.Sequential([steps, layers.LSTM(2, name="memory")]),
        "Softmax 'rows'": keras.Sequential([steps, layers.Softmax(axis=1, name="rows")]),
        "Permute 'turned'": keras.Sequential(
            [keras.Input((3, 4), dtype="int32"), layers.Permute((2, 1), name="turned")]
        ),
        "Embedding 'words'": keras.Sequential([keras.Input((3,)), layers.Embedding(5, 2, name="words")]),
        "input 'flag' is bool": keras.Sequential([keras.Input((3,), dtype="bool", name="flag"), layers.Rescaling(1.0)]),
        "NaN or infinite": keras.Sequential(
            [steps, layers.Dense(2, bias_initializer=keras.initializers.Constant("nan"))]
        ),
        "open|None": keras.Sequential([keras.Input((None, 4)), layers.Dense(2)]),
    }
    for words, model in refused.items():
        with pytest.raises(ValueError, match=words):
            formats.save(model, tmp_path / "net.c")
    assert not list(tmp_path.iterdir())


def test_names_become_identifiers(tmp_path):
    """Of files, layers and inputs: digits, letters of other alphabets, keywords, what would end a comment."""
    given = keras.Input((3,), name="int"), keras.Input((3,), name="double")
    shared = layers.Dense(2, name="*\n??")
    made = layers.Concatenate(name="memcpy")([shared(item) for item in given])
    model = keras.Model(given, [layers.Dense(2, name="dense")(made), layers.Dense(2, name="output.1")(made)])
    for stem, function in (("2-Ziffern ü", "model_2_Ziffern__"), ("while", "model_while"), ("_net", "model__net")):
        path = formats.save(model, tmp_path / f"{stem}.c")
        assert f"void {function}_predict(const float *input_" in path.with_suffix(".h").read_text()
    with pytest.raises(ValueError, match="cannot include a file of this name"):
        formats.save(model, tmp_path / 'a"b.c')


def test_source_of_others_is_not_replaced(tmp_path):
    model = MODELS["dense"]()
    for name in ("net.c", "net.h"):
        (tmp_path / name).write_text("int main(void);")
        with pytest.raises(ValueError, match=f"{name} is in use"):
            formats.save(model, tmp_path / "net.c")
        assert [file.name for file in tmp_path.iterdir()] == [name]
        (tmp_path / name).unlink()
    (tmp_path / "net.h").mkdir()
    with pytest.raises(ValueError, match="is a folder"):
        formats.save(model, tmp_path / "net.c")
    (tmp_path / "net.h").rmdir()
    formats.save(model, tmp_path / "net.c", prove=False)
    formats.save(MODELS["residual"](), tmp_path / "net.c", prove=False)  # an earlier export is


def test_a_wrong_program_is_not_written(tmp_path, monkeypatch):
    """The proof finds it, and what was there stays."""
    path = formats.save(MODELS["dense"](), tmp_path / "net.c", prove=False)
    before = path.read_text()
    wrong = c_elementwise.ACTIVATIONS["relu"].replace("0.0f : x", "0.1f : x")
    monkeypatch.setitem(c_elementwise.ACTIVATIONS, "relu", wrong)
    with pytest.raises(ValueError, match=r"net\.c: C does not answer as Keras does"):
        formats.save(MODELS["dense"](), path)
    assert path.read_text() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["net.c", "net.h"]


def test_without_a_compiler_it_is_written_and_not_run(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "ziglang", None)
    model, proofs = MODELS["dense"](), []
    path = formats.save(model, tmp_path / "net.c", prove=proofs.append)
    assert str(proofs[0]) == (
        "not run: a C compiler is not installed; get it from your system, or: pip install 'hello-mnist[c]'"
    )
    with allow_code():
        (row,) = verify_all(model, [path])
    assert row["missing"]


def test_a_header_of_another_export_is_refused(tmp_path):
    paths = [formats.save(MODELS[name](), tmp_path / f"{name}.c", prove=False) for name in ("dense", "convolution")]
    paths[1].with_suffix(".h").write_text(paths[0].with_suffix(".h").read_text().replace("dense", "convolution"))
    with allow_code(), pytest.raises(ValueError, match="refuses it"):
        c_code.open(paths[1])


def test_verify_runs_only_its_own_program(tmp_path):
    """One that was changed, by whomever, runs only where that is asked for."""
    model = MODELS["dense"]()
    path = formats.save(model, tmp_path / "net.c", prove=False)
    (row,) = verify_all(model, [path])
    assert (row["runtime"], row["passed"]) == ("C", True)
    path.write_text(path.read_text() + "\nint changed;\n")
    (row,) = verify_all(model, [path])
    assert "--run-code" in row["error"]
    with allow_code():
        (row,) = verify_all(model, [path])
    assert row["passed"]
