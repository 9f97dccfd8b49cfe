"""Weights as .safetensors: in PyTorch's layouts, back bit for bit, and hostile files refused in a sentence."""

import json

import keras
import numpy as np
import pytest
from conftest import check_refused

from study_keras import formats, limits
from study_keras.formats.convert import convert, stored_weights

pytest.importorskip("safetensors")
from safetensors.numpy import load_file, save

layers = keras.layers


def network(scale=True):
    """Every layer with a layout of its own, one in a nested model, and an LSTM, which keeps Keras'."""
    image = keras.Input((6, 6, 2), name="image")
    inner = keras.Sequential([keras.Input((6, 6, 4)), layers.DepthwiseConv2D(3, depth_multiplier=2)], name="in ner")
    x = layers.Conv2D(4, (3, 2), padding="same", name="conv")(image)
    x = layers.BatchNormalization(scale=scale, name="norm")(x)
    x = layers.SeparableConv2D(3, 2, name="separable")(inner(x))
    x = layers.Reshape((3, 9))(x)
    x = layers.LSTM(4, return_sequences=True, name="lstm")(layers.Conv1D(4, 2, name="conv1d")(x))
    x = layers.Dense(3, name="dense")(layers.LayerNormalization(center=False, name="layer norm")(x))
    model = keras.Model(image, x)
    random = np.random.default_rng(0)
    model.set_weights([random.normal(size=item.shape).astype("float32") for item in model.weights])
    return model


@pytest.mark.parametrize("scale", [True, False])
def test_weights_come_back_bit_for_bit(tmp_path, scale):
    model, other = network(scale), network(scale)
    other.set_weights([np.zeros(item.shape) for item in other.weights])
    formats.save(model, tmp_path / "weights.safetensors")
    formats.load_weights(other, tmp_path / "weights.safetensors")
    for one, again in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(one, again)


def test_names_and_layouts_are_pytorchs(tmp_path):
    formats.save(network(), tmp_path / "weights.safetensors")
    shapes = dict(stored_weights(tmp_path / "weights.safetensors"))
    assert shapes["conv.weight"] == (4, 2, 3, 2)
    assert shapes["in_ner_depthwise_conv2d.weight"] == (8, 1, 3, 3)
    assert shapes["separable_pointwise.weight"] == (3, 8, 1, 1)
    assert shapes["norm.running_var"] == (4,)
    assert shapes["dense.weight"] == (3, 4)
    assert shapes["layer_norm.bias"] == (4,)
    assert shapes["lstm.lstm_cell.kernel"] == (4, 16)


def test_pytorch_answers_alike(tmp_path):
    torch = pytest.importorskip("torch")
    model = keras.Sequential([keras.Input((6, 5, 4)), layers.DepthwiseConv2D(3, depth_multiplier=2, name="depth")])
    formats.save(model, tmp_path / "weights.safetensors")
    arrays = load_file(tmp_path / "weights.safetensors")
    theirs = torch.nn.Conv2d(4, 8, 3, groups=4)
    theirs.load_state_dict({name.removeprefix("depth."): torch.tensor(array) for name, array in arrays.items()})
    x = np.random.default_rng(0).normal(size=(2, 6, 5, 4)).astype("float32")
    found = theirs(torch.tensor(x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1).detach().numpy()
    np.testing.assert_allclose(found, model.predict(x, verbose=0), atol=1e-5)


def test_other_layer_names_are_matched_by_order(tmp_path):
    first = keras.Sequential([keras.Input((3,)), layers.Dense(4, name="b"), layers.Dense(4, name="a")])
    second = keras.Sequential([keras.Input((3,)), layers.Dense(4), layers.Dense(4)])
    formats.save(first, tmp_path / "weights.safetensors")
    formats.load_weights(second, tmp_path / "weights.safetensors")
    np.testing.assert_array_equal(first.get_weights()[2], second.get_weights()[2])


def test_convert_tells_what_is_lost(tmp_path):
    model = keras.Sequential([keras.Input((3,)), layers.Dense(4)])
    model.compile("adam", "mse")
    model.fit(np.zeros((4, 3)), np.zeros((4, 4)), verbose=0)
    formats.save(model, tmp_path / "model.keras")
    result = convert(tmp_path / "model.keras", tmp_path / "weights.safetensors")
    assert result["lost"] == ["optimizer", "structure"]


def test_half_precision_stays(tmp_path):
    model = keras.Sequential([keras.Input((3,)), layers.Dense(4, dtype="bfloat16")])
    before = [np.asarray(item.value) for item in model.weights]
    formats.save(model, tmp_path / "weights.safetensors")
    model.set_weights([np.zeros(item.shape) for item in model.weights])
    formats.load_weights(model, tmp_path / "weights.safetensors")
    assert all((one == np.asarray(item.value)).all() for one, item in zip(before, model.weights, strict=True))
    assert model.weights[0].dtype == "bfloat16"


def with_header(header, data=bytes(48)):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


KERNEL = {"dtype": "F32", "shape": [4, 3], "data_offsets": [0, 48]}
BROKEN = {
    "empty": (b"", "less than its header says"),
    "cut": (with_header({"dense.weight": KERNEL})[:-1], "cannot be read as safetensors"),
    "cut header": (with_header({"dense.weight": KERNEL})[:40], "less than its header says"),
    "huge header": ((2**62).to_bytes(8, "little") + b"{}", "less than its header says"),
    "offsets outside": (with_header({"a": {**KERNEL, "data_offsets": [48, 96]}}), "cannot be read as safetensors"),
    "offsets overlap": (with_header({"a": KERNEL, "b": KERNEL}), "cannot be read as safetensors"),
    "negative": (with_header({"a": {**KERNEL, "shape": [-4, -3]}}), "cannot be read as safetensors"),
    "overflow": (with_header({"a": {**KERNEL, "shape": [2**62, 2**62]}}), "cannot be read as safetensors"),
    "dtype": (with_header({"a": {**KERNEL, "dtype": "PICKLE"}}), "is of the dtype 'PICKLE'"),
    "twice": (with_header(b'{"a": %s, "a": %s}' % ((json.dumps(KERNEL).encode(),) * 2)), "'a' is there twice"),
    "deep": (with_header(b"[" * 100_000), "header is broken"),
    "no object": (with_header([1]), "cannot be read as safetensors"),
    "no text": (with_header(b"\xff\xfe"), "header is broken"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_refused(tmp_path, name):
    content, message = BROKEN[name]
    path = tmp_path / "broken.safetensors"
    path.write_bytes(content)
    model = keras.Sequential([keras.Input((3,)), layers.Dense(4, name="dense", use_bias=False)])
    before = model.get_weights()
    check_refused(lambda path: formats.load_weights(model, path), path, message)
    np.testing.assert_array_equal(before, model.get_weights())


def test_a_header_beyond_the_limit_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "broken.safetensors"
    path.write_bytes(with_header({"a": KERNEL}))
    monkeypatch.setattr(limits, "MAX_JSON_BYTES", 10)
    check_refused(stored_weights, path, "header has .* bytes; expected at most 10")


def test_memory_is_limited(tmp_path):
    path = tmp_path / "weights.safetensors"
    path.write_bytes(save({"a": np.zeros(100_000, "float32")}))
    with limits.allow(500_000):
        check_refused(stored_weights, path, "bytes of memory")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"dense.weight": np.zeros((3, 4), "float32")}, r"layer dense: expected dense.weight of the shape \(4, 3\)"),
        ({"other.weight": np.zeros((4, 3), "float32")}, "expected dense.weight of the shape .* found nothing"),
        ({"dense.weight": np.zeros((4, 3), "float32"), "b": np.ones(3)}, "has the weight b .*which the model"),
    ],
)
def test_weights_of_another_model_are_refused(tmp_path, arrays, message):
    (tmp_path / "weights.safetensors").write_bytes(save(arrays))
    model = keras.Sequential([keras.Input((3,)), layers.Dense(4, name="dense", use_bias=False)])
    with pytest.raises(ValueError, match=message):
        formats.load_weights(model, tmp_path / "weights.safetensors")


def test_pytorchs_own_counter_is_passed_over(tmp_path):
    model = keras.Sequential([keras.Input((3,)), layers.BatchNormalization(name="norm")])
    formats.save(model, tmp_path / "weights.safetensors")
    arrays = load_file(tmp_path / "weights.safetensors") | {"norm.num_batches_tracked": np.array(7)}
    (tmp_path / "theirs.safetensors").write_bytes(save(arrays))
    formats.load_weights(model, tmp_path / "theirs.safetensors")
