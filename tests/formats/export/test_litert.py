"""LiteRT: any model answers in its interpreter as in Keras, or is refused by the name of what LiteRT lacks."""

import keras
import pytest
from conftest import mobile

from study_keras import formats

ONE_AT_A_TIME = {
    "ConvLSTM", "GRU with states", "LSTM", "each step", "masked both ways", "mixed_float16",
    "subclassed", "zeros for the mask",
}  # fmt: skip


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return mobile("litert", tmp_path_factory.mktemp("litert"))


def test_every_kind_of_model_answers_as_in_keras(found):
    answered = {name: result["far"] for name, result in found.items() if "far" in result}
    assert len(answered) > 12
    wrong = {name: far for name, far in answered.items() if any(isinstance(x, str) or x > 2e-6 for x in far)}
    assert not wrong


def test_recurrent_layers_are_written_for_one_at_a_time_and_all_others_for_any_number(found):
    answered = {name: result["batch"] for name, result in found.items() if "batch" in result}
    assert {name for name, batch in answered.items() if batch == 1} == ONE_AT_A_TIME
    assert {batch for name, batch in answered.items() if name not in ONE_AT_A_TIME} == {None}


def test_what_litert_lacks_is_refused_by_the_name_of_its_layer(found):
    refused = {name: result["refused"] for name, result in found.items() if "refused" in result}
    words = {"stateful": "'kept'", "strings": "strings", "random": "'noise'", "inverse": "'inverting'"}
    words["float8"] = "'tiny'"
    assert set(refused) == set(words)
    assert all(word in refused[name] for name, word in words.items())
    assert not any("tf." in words or "loc(" in words for words in refused.values())
    assert not any(result["left"] for result in found.values() if "refused" in result)


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
