"""LiteRT and ONNX: any model answers in its runtime as in Keras, or is refused by the name of what the target lacks."""

import json
import os
import subprocess
import sys

import keras
import onnx
import pytest
from conftest import ROOT

from study_keras import formats

ONE_AT_A_TIME = {
    "ConvLSTM", "GRU with states", "LSTM", "each step", "masked both ways", "mixed_float16",
    "subclassed", "zeros for the mask",
}  # fmt: skip


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What `mobile_models.py` found on TensorFlow."""
    command = [sys.executable, ROOT / "tests/formats/export/mobile_models.py", tmp_path_factory.mktemp("mobile")]
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow"}
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert result.returncode == 0, result.stderr[-3000:]
    assert "serializing" not in result.stderr  # of tables
    return json.loads(result.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.parametrize("target", ["onnx", "litert"])
def test_every_kind_of_model_answers_as_in_keras(found, target):
    answered = {name: result["far"] for name, result in found[target].items() if "far" in result}
    assert len(answered) > 12
    wrong = {name: far for name, far in answered.items() if any(isinstance(x, str) or x > 2e-6 for x in far)}
    assert not wrong


@pytest.mark.slow
def test_several_inputs_batch_sizes_and_quantizations_answer_as_in_keras(found):
    assert found["shapes"] == [True] * 16


@pytest.mark.slow
def test_recurrent_layers_are_written_for_one_at_a_time_and_all_others_for_any_number(found):
    answered = {name: result["batch"] for name, result in found["litert"].items() if "batch" in result}
    assert {name for name, batch in answered.items() if batch == 1} == ONE_AT_A_TIME
    assert {batch for name, batch in answered.items() if name not in ONE_AT_A_TIME} == {None}


@pytest.mark.slow
@pytest.mark.parametrize("target", ["onnx", "litert"])
def test_what_a_target_lacks_is_refused_by_the_name_of_its_layer(found, target):
    refused = {name: result["refused"] for name, result in found[target].items() if "refused" in result}
    words = {"stateful": "'kept'", "strings": "strings", "random": "'noise'", "inverse": "'inverting'"}
    words["float8"] = "'tiny'"
    assert set(refused) == set(words)
    assert all(word in refused[name] for name, word in words.items())
    assert not any("tf." in words or "loc(" in words for words in refused.values())
    assert not any(result["left"] for result in found[target].values() if "refused" in result)


def test_an_opset_can_be_chosen(tmp_path):
    model = keras.Sequential([keras.Input((4, 3)), keras.layers.Conv1D(2, 3, groups=1), keras.layers.Dense(2, "gelu")])
    path = formats.export_onnx(model, tmp_path / "model.onnx", opset=17)
    versions = {each.domain: each.version for each in onnx.load(path).opset_import}
    assert versions[""] == 17
    for opset in (12, 99):
        with pytest.raises(ValueError, match=f"opset={opset}; expected 13 to 18"):
            formats.export_onnx(model, tmp_path / "other.onnx", opset=opset)
    assert [file.name for file in tmp_path.iterdir()] == ["model.onnx"]


class Own(keras.layers.Layer):
    def call(self, x):
        return x * 2


@pytest.mark.parametrize("layer", [lambda: Own(name="mine"), lambda: keras.layers.Lambda(lambda x: x, name="mine")])
def test_code_of_ones_own_is_refused_where_it_cannot_travel(layer, tmp_path):
    assert keras.backend.backend() != "tensorflow"
    nested = keras.Sequential([keras.Input((3,)), layer()])
    model = keras.Sequential([keras.Input((3,)), nested])
    with pytest.raises(ValueError, match=r"'mine' is code of your own.*KERAS_BACKEND=tensorflow"):
        formats.export_litert(model, tmp_path / "model.tflite")
    assert not list(tmp_path.iterdir())
