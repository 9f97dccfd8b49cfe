"""Models as programs: each answers in NumPy, JAX and PyTorch as in Keras, and what is not written is named."""

import importlib.util
import json
import sys

import keras
import numpy as np
import pytest
from conftest import hello_mnist
from mobile_net import mobile_net
from small_models import MODELS, sequential, with_random_weights

from study_keras import formats
from study_keras.cli import main
from study_keras.formats.convert import convert
from study_keras.formats.keras_internals import as_float32
from study_keras.formats.keras_runner import keras_answers
from study_keras.formats.proof.differences import differences
from study_keras.formats.proof.random_inputs import random_inputs
from study_keras.formats.verify import verify_all
from study_keras.runtimes import program_worker
from study_keras.runtimes.program import allow_code

layers = keras.layers
HAS_TORCH = importlib.util.find_spec("torch") is not None and importlib.util.find_spec("safetensors") is not None
needs_torch = pytest.mark.skipif(not HAS_TORCH, reason="needs PyTorch and safetensors")
SUFFIXES = ["_numpy.py", pytest.param("_torch.py", marks=needs_torch)]


def answers(path, framework, arrays):
    """What a program answers, without a process of its own, to be quick."""
    floats = [array.astype("float32") if array.dtype.kind == "f" else array for array in arrays]
    return program_worker.CALLS[framework](program_worker._import(path))(floats)


@pytest.mark.parametrize(
    "framework", ["numpy", pytest.param("jax", marks=pytest.mark.slow), pytest.param("torch", marks=needs_torch)]
)
@pytest.mark.parametrize("name", MODELS)
def test_each_layer_answers_as_in_keras(tmp_path, name, framework):
    model = with_random_weights(MODELS[name]())
    path = tmp_path / f"model_{framework.replace('jax', 'numpy')}.py"
    formats.save(model, path, prove=False)
    arrays = random_inputs(model)
    with as_float32(model):
        expected = keras_answers(model, arrays)
    found = answers(path, framework, arrays)
    assert len(found) == len(expected)
    for one, other in zip(expected, found, strict=True):
        assert (one.shape, "float32") == (other.shape, other.dtype.name)
        assert differences(one, other, len(one)).max() < 1e-5


@pytest.fixture
def saved(tmp_path):
    """The path of a small model as .keras."""
    model = sequential((6, 5, 2), layers.Conv2D(3, 3, activation="gelu"), layers.Flatten(), layers.Dense(4, "softmax"))
    formats.save(model, tmp_path / "digits.keras")
    return tmp_path / "digits.keras"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_convert_proves_and_verify_runs(saved, suffix):
    target = saved.with_name(f"digits{suffix}")
    proof = convert(saved, target)["proof"]
    assert proof["difference"] < 1e-5
    assert proof["examples"] == 5
    assert proof["missing"] is None
    (row,) = verify_all(formats.load(saved), [target])
    assert row["passed"], row
    assert row["agree"] == row["images"]


def test_verify_everywhere_compiles_the_numpy_program_in_jax(saved, capsys):
    target, given = saved.with_name("digits_numpy.py"), saved.with_name("inputs.npy")
    convert(saved, target, prove=False)
    inputs = np.random.default_rng(1).random((20, 6, 5, 2), "float32")
    np.save(given, inputs)
    assert main(["verify", str(saved), str(target), "--everywhere", "--json", "--data", str(given)]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["runtime"] for row in rows] == ["NumPy", "JAX"]
    assert all(row["passed"] for row in rows)
    text = target.read_text()
    target.write_text(text.replace("np=numpy):", "np=numpy):\n    import numpy as np"))  # NumPy takes no traced arrays
    with allow_code():
        numpy_row, jax_row = verify_all(formats.load(saved), [target], inputs, everywhere=True)
    assert numpy_row["passed"]
    assert "JAX failed: its process ended with code 1: jax.errors.TracerArrayConversionError: The" in jax_row["error"]


@needs_torch
@pytest.mark.slow
def test_a_known_architecture_becomes_a_module(tmp_path):
    model = mobile_net()
    proofs = []
    formats.save(model, tmp_path / "net_torch.py", prove=proofs.append)
    assert proofs[0].runtime == "PyTorch"
    assert proofs[0].difference < 1e-4  # 50 layers round more than one; a kernel changed by 1 % moves more
    other = keras.models.clone_model(model)
    formats.load_weights(other, tmp_path / "net_torch.safetensors")
    for one, again in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(one, again)


@needs_torch
def test_a_layer_is_shared_with_another_padding(tmp_path):
    shared = layers.Conv2D(2, 3, strides=2, padding="same")
    one, two = keras.Input((8, 8, 1)), keras.Input((7, 7, 1))
    model = keras.Model([one, two], [shared(one), shared(two)])
    formats.save(model, tmp_path / "model_torch.py")
    assert (tmp_path / "model_torch.py").read_text().count("torch.nn.Conv2d(") == 1


def test_numpy_and_jax_prove_it(saved):
    assert convert(saved, saved.with_name("digits_numpy.py"))["proof"]["runtime"] == "NumPy and JAX"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_changed_program_runs_only_when_told(saved, suffix):
    target = saved.with_name(f"digits{suffix}")
    convert(saved, target)
    trace = saved.with_name("trace")
    target.write_text(target.read_text() + f"\nPath({str(trace)!r}).touch()\n")
    (row,) = verify_all(formats.load(saved), [target])
    assert "is not the program that this version writes for this model" in row["error"]
    with pytest.raises(ValueError, match="is a program, and a program can do anything"):
        formats.open(target)
    assert not trace.exists()
    with allow_code():
        (row,) = verify_all(formats.load(saved), [target])
    assert row["passed"]
    assert trace.exists()


def test_the_command_refuses_a_strangers_program(saved, tmp_path):
    stranger = tmp_path / "stranger_numpy.py"
    stranger.write_text("raise SystemExit('it ran')\n")
    np.savez(tmp_path / "stranger_numpy.npz", a=np.zeros(3))
    refused = hello_mnist("verify", saved, stranger)
    assert refused.returncode == 1
    assert "--run-code" in refused.stdout
    told = hello_mnist("verify", saved, stranger, "--run-code")
    assert "it ran" in told.stdout.replace("\n", " ")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_wrong_weights_are_found(saved, suffix):
    target = saved.with_name(f"digits{suffix}")
    convert(saved, target)
    other = formats.load(saved)
    other.set_weights([array + 0.1 for array in other.get_weights()])
    (row,) = verify_all(other, [target])
    assert not row["passed"]
    assert row["max_abs_diff"] > 1e-3


def test_a_wrong_program_gets_no_name(saved, monkeypatch):
    from study_keras.formats.written import numpy_lines

    monkeypatch.setitem(numpy_lines.ACTIVATIONS, "gelu", "np.tanh({x})")
    with pytest.raises(ValueError, match="does not answer as Keras does"):
        convert(saved, saved.with_name("digits_numpy.py"))
    assert [file.name for file in saved.parent.iterdir()] == ["digits.keras"]


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (
            lambda: layers.Conv2DTranspose(2, 2, name="up"),
            "Conv2DTranspose 'up': .* no such layer; it has Activation, ",
        ),
        (lambda: layers.Conv2D(2, 2, activation="glu", name="gated"), "Conv2D 'gated': .* no activation 'glu'"),
        (lambda: layers.Conv2D(2, 2, data_format="channels_first", name="first"), "'first': .* no data_format"),
        (lambda: layers.BatchNormalization(axis=1, name="norm"), "BatchNormalization 'norm': .* no axis=1"),
        (lambda: layers.UpSampling2D(2, interpolation="bilinear", name="up"), "'up': .* no interpolation='bilinear'"),
        (lambda: layers.Softmax(axis=1, name="soft"), "Softmax 'soft': .* no softmax over axis 1"),
        (lambda: layers.LayerNormalization(axis=(2, 3), name="norm"), "'norm': .* no axis="),
        (lambda: layers.Lambda(lambda x: x, name="mine"), "Lambda 'mine': .* no such layer"),
    ],
)
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_not_written_is_refused_by_name(tmp_path, part, message, suffix):
    model = sequential((6, 6, 2), part())
    with pytest.raises(ValueError, match=message):
        formats.save(model, tmp_path / f"model{suffix}")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (lambda: sequential((None, None, 3), layers.Conv2D(2, 2)), "the input 'input' has the shape .* full shape"),
        (lambda: sequential((4,), layers.Embedding(3, 2, mask_zero=True, name="words")), "'words': .* no masks"),
        (lambda: keras.Sequential([layers.Dense(3)]), "was never built"),
    ],
)
def test_models_that_cannot_be_written(tmp_path, model, message):
    with pytest.raises(ValueError, match=message):
        formats.save(model(), tmp_path / "model_numpy.py")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("model.py", "expected a name that ends in"),
        ("_numpy.py", "expected a name that ends in _numpy.py, such as digits_numpy.py"),
        ("missing/model_numpy.py", "cannot write here|No such file"),
        ("folder_numpy.py", "is a folder"),
    ],
)
def test_bad_paths_are_refused(tmp_path, name, message):
    (tmp_path / "folder_numpy.py").mkdir()
    with pytest.raises((ValueError, OSError), match=message):
        formats.save(sequential((3,), layers.Dense(2)), tmp_path / name)


def test_names_from_a_file_cannot_become_code(tmp_path):
    evil = 'x"""\nraise SystemExit("code ran")\n"""'
    dense = layers.Dense(2, name='d"]; raise SystemExit("code ran") #\n')
    model = keras.Sequential([keras.Input((3,)), dense], name=evil)
    formats.save(model, tmp_path / "model_numpy.py", prove=False)
    (answer,) = answers(tmp_path / "model_numpy.py", "numpy", [np.ones((1, 3), "float32")])
    np.testing.assert_allclose(answer, model.predict(np.ones((1, 3)), verbose=0), rtol=1e-5)


@pytest.mark.parametrize(
    ("content", "message"), [(b"", "ZIP archive"), (b"PK\x05\x06", "ZIP archive"), (None, "No such file")]
)
def test_broken_weights_are_refused(saved, content, message):
    target = saved.with_name("digits_numpy.py")
    convert(saved, target, prove=False)
    weights = target.with_suffix(".npz")
    weights.unlink()
    if content is not None:
        weights.write_bytes(content)
    (row,) = verify_all(formats.load(saved), [target])
    assert message in row["error"]
    assert str(weights) in row["error"]


@pytest.mark.parametrize("name", ["two inputs and outputs", "residual", "separable", "batch norm"])
def test_the_program_is_the_same_for_a_model_that_was_saved(tmp_path, name):
    model = MODELS[name]()
    formats.save(model, tmp_path / "model.keras")
    formats.save(model, tmp_path / "one_numpy.py", prove=False)
    formats.save(formats.load(tmp_path / "model.keras"), tmp_path / "two_numpy.py", prove=False)
    assert (tmp_path / "one_numpy.py").read_text() == (tmp_path / "two_numpy.py").read_text()


@needs_torch
def test_a_changed_weight_fails_to_load_in_a_sentence(saved):
    target = saved.with_name("digits_torch.py")
    convert(saved, target, prove=False)
    target.with_suffix(".safetensors").write_bytes(b"\x08" + bytes(7) + b"{}      ")
    (row,) = verify_all(formats.load(saved), [target])
    assert "PyTorch failed" in row["error"]
    assert "\n" not in row["error"]


def test_a_missing_package_is_named(saved, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.delitem(sys.modules, "safetensors.numpy", raising=False)
    with pytest.raises(FileNotFoundError, match=r"safetensors is not installed; run: pip install 'hello-mnist\["):
        convert(saved, saved.with_name("digits_torch.py"))
    assert [file.name for file in saved.parent.iterdir()] == ["digits.keras"]
