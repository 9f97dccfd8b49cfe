"""A model as a `.pt2` file: PyTorch answers as Keras does, and no other file is loaded unasked."""

import importlib.util
import io
import pickle
import zipfile

import numpy as np
import pytest
from keras import layers
from small_models import FUNCTIONS, MODELS, sequential, with_random_weights

from study_keras import formats
from study_keras.cli import main
from study_keras.formats.convert import convert
from study_keras.formats.keras_internals import as_float32
from study_keras.formats.keras_runner import keras_answers
from study_keras.formats.proof.differences import differences
from study_keras.formats.proof.random_inputs import random_inputs
from study_keras.formats.saving.safetensors_file import to_safetensors
from study_keras.formats.verify import verify_all
from study_keras.formats.written.torch_program import torch_text
from study_keras.runtimes import installed, program, program_worker
from study_keras.runtimes.program import allow_code

HAS_TORCH = importlib.util.find_spec("torch") is not None and importlib.util.find_spec("safetensors") is not None
pytestmark = pytest.mark.skipif(not HAS_TORCH, reason="needs PyTorch and safetensors")
QUICK = ("convolution", "two inputs and outputs")
INPUTS = np.random.default_rng(1).random((7, 5, 4, 3), "float32")


@pytest.fixture
def saved(tmp_path):
    """The path of a small model as .keras, and that of its .pt2."""
    model = with_random_weights(MODELS["batch norm"]())
    formats.save(model, tmp_path / "model.keras")
    return tmp_path / "model.keras", tmp_path / "model.pt2"


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in QUICK else pytest.mark.slow)
        for name in MODELS
        if name not in FUNCTIONS or name in ("gelu", "mish")
    ],
)
def test_each_layer_answers_as_in_keras(tmp_path, name):
    model = with_random_weights(MODELS[name]())
    arrays = random_inputs(model)
    contents = {"program.py": torch_text(model).encode(), "program.safetensors": to_safetensors(model, as_float32=True)}
    program._write(tmp_path, contents, [np.zeros_like(array[:2]) for array in arrays])
    program_worker.export(str(tmp_path))  # without a process of its own, to be quick
    floats = [array.astype("float32") if array.dtype.kind == "f" else array for array in arrays]
    found = program_worker.CALLS["torch_export"](tmp_path / "program.pt2")(floats)
    with as_float32(model):
        expected = keras_answers(model, arrays)
    assert len(found) == len(expected)
    for one, other in zip(expected, found, strict=True):
        assert (one.shape, "float32") == (other.shape, other.dtype.name)
        assert differences(one, other, len(one)).max() < 1e-5


@pytest.mark.slow
def test_pytorch_loads_it_without_the_program(saved):
    import torch

    source, target = saved
    proof = convert(source, target)["proof"]
    assert (proof["runtime"], proof["examples"]) == ("PyTorch", 5)
    assert proof["difference"] < 1e-5
    module = torch.export.load(target).module()
    for inputs in (INPUTS[:1], INPUTS):  # any batch size
        answer = module(torch.tensor(inputs)).detach().numpy()
        np.testing.assert_allclose(answer, formats.load(source).predict(inputs, verbose=0), rtol=1e-4, atol=1e-5)
    with zipfile.ZipFile(target) as archive:
        assert not [
            name for name in archive.namelist() if b"program.py" in archive.read(name)
        ]  # no path of this machine


@pytest.mark.slow
def test_this_versions_own_file_is_loaded(saved):
    source, target = saved
    convert(source, target, prove=False)
    (row,) = verify_all(formats.load(source), [target], INPUTS)  # written anew, it is the same byte for byte
    assert row["passed"], row


def test_code_in_a_file_of_others_does_not_run(saved, capsys):
    source, target = saved
    convert(source, target, prove=False)
    trace = target.with_name("trace")
    plant(target, trace)
    assert main(["verify", str(source), str(target), "--json"]) == 1
    assert "is not the program that this version writes for this model" in capsys.readouterr().out
    with pytest.raises(ValueError, match="is a program, and a program can do anything"):
        formats.open(target)
    assert not trace.exists()
    with allow_code():
        runner = formats.open(target)
    runner.run([INPUTS])
    assert trace.exists()  # PyTorch does run it


class Touch:
    """Pickled, it makes a file where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def plant(target, trace):
    """Put code into the example inputs of a .pt2 file."""
    import torch

    content = io.BytesIO()
    torch.save(((Touch(trace),), {}), content, pickle_module=pickle)
    with zipfile.ZipFile(target) as archive:
        entries = {info: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(target, "w") as archive:
        for info, old in entries.items():
            archive.writestr(info.filename, content.getvalue() if "sample_inputs" in info.filename else old)


def test_what_is_not_written_is_refused_by_name(tmp_path):
    model = sequential((6, 6, 2), layers.Conv2DTranspose(2, 2, name="up"))
    with pytest.raises(ValueError, match=r"Conv2DTranspose 'up': .* no such layer"):
        formats.save(model, tmp_path / "model.pt2")
    with pytest.raises(ValueError, match=r"expected a name that ends in \.pt2"):
        formats.export_pt2(sequential((3,), layers.Dense(2)), tmp_path / "model.pt")
    assert not list(tmp_path.iterdir())


def test_a_missing_pytorch_is_named(saved, monkeypatch):
    monkeypatch.setattr(installed, "version", lambda runtime: None)
    with pytest.raises(FileNotFoundError, match=r"PyTorch is not installed; run: pip install 'hello-mnist\[torch\]'"):
        convert(*saved)
    assert not saved[1].exists()
