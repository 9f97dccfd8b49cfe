"""ONNX: any model answers in onnxruntime as in Keras, or is refused by the name of what ONNX lacks."""

import keras
import onnx
import pytest
from conftest import mobile

from study_keras import formats


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return mobile("onnx", tmp_path_factory.mktemp("onnx"))


def test_every_kind_of_model_answers_as_in_keras(found):
    answered = {name: result["far"] for name, result in found.items() if "far" in result}
    assert len(answered) > 12
    wrong = {name: far for name, far in answered.items() if any(isinstance(x, str) or x > 2e-6 for x in far)}
    assert not wrong


def test_what_onnx_lacks_is_refused_by_the_name_of_its_layer(found):
    refused = {name: result["refused"] for name, result in found.items() if "refused" in result}
    words = {"stateful": "'kept'", "strings": "strings", "random": "'noise'", "inverse": "'inverting'"}
    words["float8"] = "'tiny'"
    assert set(refused) == set(words)
    assert all(word in refused[name] for name, word in words.items())
    assert not any(result["left"] for result in found.values() if "refused" in result)


def test_an_opset_can_be_chosen(tmp_path):
    model = keras.Sequential([keras.Input((4, 3)), keras.layers.Conv1D(2, 3, groups=1), keras.layers.Dense(2, "gelu")])
    path = formats.export_onnx(model, tmp_path / "model.onnx", opset=17)
    versions = {each.domain: each.version for each in onnx.load(path).opset_import}
    assert versions[""] == 17
    for opset in (12, 99):
        with pytest.raises(ValueError, match=f"opset={opset}; expected 13 to 18"):
            formats.export_onnx(model, tmp_path / "other.onnx", opset=opset)
    assert [file.name for file in tmp_path.iterdir()] == ["model.onnx"]
