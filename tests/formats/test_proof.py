"""An export gets its name once its own runtime has answered as Keras does on random inputs, and no sooner."""

import json
import os
import re
import subprocess
import sys

import keras
import numpy as np
import pytest
from conftest import ROOT
from keras import layers, ops

from study_keras import formats
from study_keras.cli import main
from study_keras.formats.keras_runner import keras_answers
from study_keras.formats.proof import rounding
from study_keras.formats.proof.prove import prove
from study_keras.formats.proof.random_inputs import random_inputs


@pytest.fixture(scope="module")
def everywhere(tmp_path_factory):
    """What `proof_everywhere.py` found on TensorFlow."""
    folder = tmp_path_factory.mktemp("proofs")
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow"}
    command = [sys.executable, ROOT / "tests/formats/proof_everywhere.py", folder]
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


def test_an_export_tells_what_was_proven(everywhere):
    proofs = everywhere["proofs"]
    assert [runtime for runtime, *_ in proofs] == ["onnxruntime", "LiteRT", "TensorFlow", *["LiteRT"] * 3]
    assert all(examples == 5 for _, examples, *_ in proofs)
    assert all(difference <= 1e-5 for _, _, difference, _ in proofs[:3])
    assert [random for *_, random in proofs] == [True] * 5 + [False]  # int8 is proven on what it was fitted to


def test_an_export_that_answers_otherwise_is_refused_and_leaves_nothing(everywhere):
    for suffix, (message, changed, _) in everywhere["refusals"].items():
        name = {".onnx": "ONNX", ".tflite": "LiteRT", ".savedmodel": "SavedModel"}[suffix]
        expected = f"model{suffix}: {name} does not answer as Keras does: output 0 of 1 differs by 5.0e-02"
        assert message.startswith(expected), message
        assert changed == []


def test_what_verify_says_without_data(everywhere):
    rows = everywhere["rows"]
    different = rows.pop("of another model")
    assert [row["passed"] for row in different] == [False] * 3
    assert all(row["max_relative_diff"] > 0.1 for row in different)
    for name, found in rows.items():
        assert all(row["passed"] and row["random"] for row in found), name
        assert all(row["images"] == 1000 for row in found), name
        assert all((row["agree"] is None) == (name != "text") for row in found), name  # the one that ends in a softmax
        assert all(0 <= row["mean_relative_diff"] <= row["max_relative_diff"] for row in found), name
    assert [row["runtime"] for row in rows["dicts"]] == ["onnxruntime", "LiteRT", "TensorFlow", "Keras", "Keras"]


def linear(rows=4, columns=3):
    return keras.Sequential([keras.Input((rows,), name="x"), layers.Dense(columns, name="y")])


def write_onnx(model, path, *, name="x", dtype="FLOAT", twice=False, batch="n", factor=1.0):
    """Write what a Dense computes by hand, perhaps with one thing wrong."""
    from onnx import TensorProto, helper, numpy_helper, save

    kernel, bias = model.get_weights()
    given = getattr(TensorProto, dtype)
    nodes = [
        helper.make_node("Cast", [name], ["cast"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["cast", "kernel"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["y"]),
    ]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, kernel.shape[1]])]
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info(name, given, [batch, kernel.shape[0]])],
        outputs * (2 if twice else 1),
        [numpy_helper.from_array(kernel * np.float32(factor), "kernel"), numpy_helper.from_array(bias, "bias")],
    )
    if twice:
        nodes.append(helper.make_node("Identity", ["y"], ["z"]))
        graph.node.append(nodes[-1])
        graph.output[1].name = "z"
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


def test_a_file_by_other_hands_is_proven(tmp_path):
    model = linear()
    proof = prove(model, write_onnx(model, tmp_path / "model.onnx"))
    assert (proof.runtime, proof.examples, proof.missing) == ("onnxruntime", 5, None)
    assert proof.difference < 1e-6
    assert re.fullmatch(r"onnxruntime answers as Keras does: 5 random examples, largest difference \S+", str(proof))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"factor": 1.001}, r"output 0 of 1 differs by \S+, more than \S+; nothing was written"),
        ({"factor": np.nan}, "output 0 of 1 differs by inf"),
        ({"name": "input"}, "has the inputs input; expected x"),
        ({"dtype": "DOUBLE"}, r"takes float64 of \(None, 4\) as x; expected float32 of \(None, 4\)"),
        ({"twice": True}, "gives 2 outputs; expected 1"),
        ({"batch": 1}, "ONNX takes batches of 1 only; expected a dynamic batch size"),
    ],
)
def test_each_way_to_be_wrong_is_named(wrong, message, tmp_path):
    model = linear()
    path = write_onnx(model, tmp_path / "model.onnx", **wrong)
    with pytest.raises(ValueError, match=rf"^model.onnx: .*{message}"):
        prove(model, path)


def test_a_file_of_other_shapes_or_no_file_is_named(tmp_path):
    path = write_onnx(linear(5), tmp_path / "model.onnx")
    with pytest.raises(ValueError, match=r"takes float32 of \(None, 5\) as x; expected float32 of \(None, 4\)"):
        prove(linear(4), path)
    path.write_bytes(b"no model")
    with pytest.raises(ValueError, match=r"^model.onnx: onnxruntime cannot run it"):
        prove(linear(4), path)


def test_rounding_is_no_fault_and_a_fault_no_rounding(tmp_path):
    """A sum of 4,000 numbers in the hundreds, less another: float32 leaves few digits, in another order other ones."""
    model = linear(4000, 2)
    kernel = np.random.default_rng(0).normal(0, 100, (4000, 2)).astype("float32")
    kernel -= kernel.mean(axis=0)
    model.set_weights([kernel, np.zeros(2, "float32")])
    assert prove(model, write_onnx(model, tmp_path / "model.onnx")).difference < 1
    with pytest.raises(ValueError, match="does not answer as Keras does"):
        prove(model, write_onnx(model, tmp_path / "model.onnx", factor=1.001))


@pytest.mark.parametrize("stored", ["float32", "float16", "uint16", "uint8", "int8"])
def test_the_last_digit_of_a_sure_answer_is_rounding(stored):
    """A class of probability 1 stays 1 whatever happens to the weights; its last digit may differ all the same."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, activation="softmax")])
    model.set_weights([np.zeros((2, 3), "float32"), np.array([90, 0, 0], "float32")])
    assert rounding.allowed(model, stored, [np.ones((4, 2), "float32")])[0].min() > 1.2e-7


def test_tfjs_is_proven_in_node(tmp_path, monkeypatch, capsys):
    model, path = linear(), tmp_path / "model.tfjs"
    told = []
    formats.export_tfjs(model, path, prove=told.append)
    assert told[0].runtime == "TF.js"
    assert told[0].difference < 1e-5
    (weights,) = path.glob("*.bin")
    weights.write_bytes((np.frombuffer(weights.read_bytes(), "float32") * np.float32(1.01)).tobytes())
    with pytest.raises(ValueError, match=r"model.tfjs: TF.js does not answer as Keras does: output 0 of 1 differs by"):
        prove(model, path)
    formats.save(model, tmp_path / "model.keras")
    call = ["convert", str(tmp_path / "model.keras"), str(tmp_path / "other.tfjs")]
    assert main(call) == 0
    assert "proof: TF.js answers as Keras does: 5 random examples, largest difference" in capsys.readouterr().out
    assert main([*call, "--no-proof"]) == 0
    assert "proof" not in capsys.readouterr().out
    assert main([*call, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["proof"]["runtime"] == "TF.js"
    from study_keras.runtimes import tfjs

    monkeypatch.setattr(tfjs, "find_node", missing_node)
    assert main(call) == 0
    assert "proof: not run: Node is missing" in capsys.readouterr().out


def missing_node():
    raise FileNotFoundError("Node is not installed")


def test_random_inputs_are_what_the_model_takes():
    words, tags = keras.Input((6,), name="words"), keras.Input((None,), dtype="int32", name="tags")
    embedded = layers.Flatten()(layers.Embedding(50, 3)(words))  # of float32, as by default
    masked = layers.LSTM(3)(layers.Embedding(7, 4, mask_zero=True)(tags))
    first, second = random_inputs(keras.Model([words, tags], [embedded, masked]), count=64)
    assert (first.shape, first.dtype, second.dtype) == ((64, 6), "float32", "int32")
    assert set(np.unique(first)) <= set(range(50))
    assert first.max() > 40
    assert set(np.unique(second)) == set(range(7))
    assert (second[0, :2] == 0).all()
    assert (second[2, -2:] == 0).all()


def test_random_inputs_follow_values_into_nested_models():
    inner = keras.Sequential(
        [keras.Input((6,)), layers.Reshape((2, 3)), layers.TimeDistributed(layers.Embedding(9, 2))]
    )
    x, flag = keras.Input((6,), name="x"), keras.Input((2,), dtype="bool", name="flag")
    model = keras.Model({"x": x, "flag": flag}, {"a": inner(x), "b": ops.logical_not(flag)})
    flags, values = random_inputs(model, count=32)
    assert flags.dtype == bool
    assert set(np.unique(values)) == set(range(9))


@pytest.mark.parametrize(
    ("layer", "shape", "dtype", "fits"),
    [
        (lambda: layers.CategoryEncoding(4), (3,), "int32", lambda x: set(np.unique(x)) == {0, 1, 2, 3}),
        (lambda: layers.IntegerLookup(vocabulary=[11, 22]), (2,), "int32", lambda x: {11, 22} < set(np.unique(x))),
        (lambda: layers.Normalization(mean=1e5, variance=4.0), (3,), "float32", lambda x: np.median(x) > 9e4),
        (lambda: layers.Rescaling(1 / 255), (4, 4, 3), "uint8", lambda x: x.max() > 200),
        (lambda: layers.Rescaling(0.5), (3,), "int32", lambda x: x.min() < 0 < x.max() < 100),
        (lambda: layers.Lambda(ops.log), (3,), "float32", lambda x: x.min() > 0),
        (lambda: layers.Lambda(lambda x: x * 2), (), "float32", lambda x: x.shape == (32,)),
        (layers.Masking, (6, 2), "float32", lambda x: (x[0, :2] == 0).all() and (x[3] == 0).all()),
    ],
)
def test_random_inputs_are_of_values_with_a_meaning(layer, shape, dtype, fits):
    (values,) = random_inputs(keras.Sequential([keras.Input(shape, dtype=dtype), layer()]), count=32)
    assert values.dtype == dtype
    assert fits(values)


def test_random_inputs_are_seeded_and_of_a_size_that_runs():
    wide = [layers.Conv2D(2, 5, strides=2), layers.Conv2D(2, 3, strides=2), layers.GlobalAveragePooling2D()]
    model = keras.Sequential([keras.Input((None, None, 1)), *wide])
    (one,), (same,), (other,) = random_inputs(model), random_inputs(model), random_inputs(model, seed=1)
    assert one.shape == (5, 16, 16, 1)  # 8 leaves nothing for the second convolution
    assert (one == same).all()
    assert (one != other).any()
    assert np.abs(one[1]).mean() > 50
    assert one[2].max() <= 0
    assert not one[3].any()
    (fixed,) = random_inputs(keras.Sequential([keras.Input(batch_shape=(4, 2)), layers.Dense(1)]))
    assert fixed.shape == (8, 2)
    assert random_inputs(model, length=20)[0].shape == (5, 20, 20, 1)


class Own(keras.Model):
    """A subclass with an Embedding inside."""

    def __init__(self):
        super().__init__()
        self.embedding, self.dense = layers.Embedding(9, 3), layers.Dense(2)

    def call(self, inputs):
        return self.dense(self.embedding(inputs))


def test_a_subclassed_model_is_known_once_it_was_called():
    model = Own()
    with pytest.raises(ValueError, match="call the model once"):
        random_inputs(model)
    model(np.zeros((2, 4), "int32"))
    (values,) = random_inputs(model)
    assert (values.shape, values.dtype) == ((5, 4), "int32")
    assert values.max() < 9


def test_the_proof_leaves_the_model_as_it_is():
    model = keras.Sequential([keras.Input(batch_shape=(2, 3, 4)), layers.LSTM(3, stateful=True), layers.Dropout(0.5)])
    before = [np.array(variable) for variable in model.variables]
    (first,) = keras_answers(model, random_inputs(model, 2))
    (second,) = keras_answers(model, random_inputs(model, 2))
    assert (first == second).all()
    assert all((old == np.array(new)).all() for old, new in zip(before, model.variables, strict=True))
