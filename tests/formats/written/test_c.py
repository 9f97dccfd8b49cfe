"""A model as plain C: it compiles without a warning, answers as Keras does, and reads and writes only what is its own."""


import keras
import pytest
from c_models import MODELS, inputs

from study_keras import formats
from study_keras.formats.proof.differences import THRESHOLDS, differences
from study_keras.runtimes import c_code, own_code

SANITIZED = ("-O1", "-fsanitize=undefined,address", "-fno-sanitize-recover=all")


@pytest.mark.parametrize("name", MODELS)
def test_c_answers_as_keras(name, tmp_path):
    """Each layer and option, without undefined behaviour, and without a byte outside of an array."""
    model = MODELS[name]()
    path = formats.save(model, tmp_path / "net.c", prove=False)
    with own_code.allow():
        runner = c_code.open(path, SANITIZED)
    arrays = inputs(model)
    wanted = keras.tree.flatten(model.predict(arrays if len(arrays) > 1 else arrays[0], verbose=0))
    found = runner.run(arrays).outputs
    assert [array.shape for array in found] == [array.shape for array in wanted]
    for one, other in zip(wanted, found, strict=True):
        assert differences(one, other, len(one)).max() <= THRESHOLDS["float32"][1]


def test_mobile_net_is_proven(tmp_path):
    model = keras.applications.MobileNetV2((96, 96, 3), alpha=0.35, weights=None, classes=10)
    proofs = []
    path = formats.save(model, tmp_path / "mobile.c", prove=proofs.append)
    assert proofs[0].runtime == "C"
    assert proofs[0].examples == 5
    assert "batch_normalization" not in path.read_text().lower().split("void mobile_predict")[0]
    assert {name.rpartition("_")[2] for name, _ in formats.list_c(path)} == {"kernel", "bias"}
