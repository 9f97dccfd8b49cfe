"""Models as users build them, and what ``convert`` says of them."""

import json
import re

import keras
import numpy as np
import pytest
from conftest import hello_mnist
from keras import Input, Sequential, layers

from study_keras import formats
from study_keras.runtimes.tfjs import run_tfjs


def test_default_names_of_keras_do_not_collide_in_tfjs(tmp_path):
    """A part of one layer was once called as the user's next layer."""
    model = Sequential(
        [Input((6,)), layers.Dense(5), layers.Activation("hard_sigmoid"), layers.Dense(3), layers.Activation("tanh")]
    )
    inputs = np.random.default_rng(0).normal(size=(4, 6)).astype("float32")
    folder = formats.export_tfjs(model, tmp_path / "names.tfjs")
    np.testing.assert_allclose(run_tfjs(folder, inputs)[0], keras.ops.convert_to_numpy(model(inputs)), atol=1e-6)


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    """The path of a model that TF.js' layers cannot say."""
    path = tmp_path_factory.mktemp("graph") / "gelu.keras"
    Sequential([Input((7,)), layers.Dense(4, activation="hard_silu"), layers.Dense(3)]).save(path)
    return path


def test_convert_says_which_model_of_tfjs_it_wrote_and_why(graph, trained, tmp_path):
    done = hello_mnist("convert", graph, tmp_path / "graph.tfjs")
    assert done.returncode == 0, done.stderr
    assert re.search(
        r"graph model for tf.loadGraphModel: Dense '\w+': TF.js has no activation 'hard_silu'", done.stdout
    )
    assert "proof: TF.js answers as Keras does" in done.stdout
    done = hello_mnist("convert", trained, tmp_path / "layers.tfjs", "--json")
    assert json.loads(done.stdout)["note"].startswith("a layers model")
    refused = hello_mnist("convert", graph, tmp_path / "refused.tfjs", "--kind", "layers")
    assert refused.returncode == 1
    assert "hard_silu" in refused.stderr
    assert not (tmp_path / "refused.tfjs").exists()


def test_a_graph_model_is_shown_and_quantized_but_makes_no_keras_model(graph, tmp_path):
    folder = tmp_path / "graph.tfjs"
    done = hello_mnist("convert", graph, folder, "--quantize", "uint8")
    assert done.returncode == 0, done.stderr
    content = json.loads((folder / "model.json").read_text())
    assert content["format"] == "graph-model"
    assert any("quantization" in weight for weight in content["weightsManifest"][0]["weights"])
    nodes = content["modelTopology"]["node"]
    names = [node["name"] for node in nodes]
    for index, node in enumerate(nodes):  # in no order of chance: the file is the same each time
        assert {tensor.partition(":")[0] for tensor in node.get("input", [])} <= set(names[:index])
    assert hello_mnist("show", folder).returncode == 0
    with pytest.raises(ValueError, match="inference"):
        formats.load(folder)


def test_a_wide_slice_stays_small(tmp_path):
    """Every second of 16,000 samples once took a matrix of 512 MB."""
    inputs, path = Input((16_000,)), tmp_path / "wide.keras"
    keras.Model(inputs, inputs[:, ::2]).save(path)
    done = hello_mnist("convert", path, tmp_path / "wide.tfjs")
    assert done.returncode == 0, done.stderr
    assert sum(file.stat().st_size for file in (tmp_path / "wide.tfjs").iterdir()) < 100_000
