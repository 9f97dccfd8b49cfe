"""A model file is run by one code, whoever asks: `predict`, `serve`, `evaluate` and `verify`."""

import subprocess
import sys
from functools import partial

import keras
import numpy as np
import onnx
import pytest
from conftest import ROOT

from study_keras import formats
from study_keras.cli import main
from study_keras.formats.export import tensorflow_process
from study_keras.runtimes import tfjs
from study_keras.runtimes.runner import Runner, TensorSpec
from study_keras.vision.classifier import SHIPPED, load_network

TFJS = SHIPPED.with_suffix(".tfjs")


@pytest.mark.parametrize("path", [SHIPPED, TFJS], ids=["tflite", "tfjs"])
def test_a_file_for_inference_is_run_without_keras(path):
    picture = ROOT / "tests/golden/paper_3.png"
    code = f"import sys; from study_keras.cli import main; main({['predict', '--model', str(path), str(picture)]}); "
    done = subprocess.run(
        [sys.executable, "-c", code + "print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    answer, modules = done.stdout.splitlines()
    assert answer.startswith(f"{picture}: 0 (")
    assert not {"keras", "jax", "tensorflow"} & set(modules.split())


def test_predict_evaluate_and_verify_run_a_tfjs_model_by_the_same_code(monkeypatch, small, trained, tmp_path, capsys):
    path = formats.export_tfjs(formats.load(trained), tmp_path / "model.tfjs", prove=False)
    opened = []
    monkeypatch.setattr(tfjs, "open", lambda path, run=tfjs.open: opened.append(run(path)) or opened[-1])
    assert main(["evaluate", str(path), "--data", str(small), "--json"]) == 0
    assert main(["predict", str(ROOT / "tests/golden/paper_3.png"), "--model", str(path)]) == 0
    assert main(["verify", str(trained), str(path), "--data", str(small)]) == 0
    assert [runner.runtime for runner in opened] == ["TF.js"] * 3


def test_without_node_keras_reads_a_tfjs_model_of_layers(monkeypatch, trained, tmp_path):
    path = formats.export_tfjs(formats.load(trained), tmp_path / "model.tfjs", prove=False)
    images = np.random.default_rng(0).random((3, 28, 28), "float32")
    expected = load_network(path)(images)

    def missing():
        raise FileNotFoundError("Node is not installed")

    monkeypatch.setattr(tfjs, "find_node", missing)
    np.testing.assert_allclose(load_network(path)(images), expected, atol=1e-6)


def test_a_fixed_batch_size_is_filled_up_and_cut_off(tmp_path):
    model = keras.Sequential([keras.Input((4,), batch_size=3), keras.layers.Dense(2)])
    paths = [tmp_path / f"model{suffix}" for suffix in (".tflite", ".onnx", ".keras")]
    tensorflow_process.export_many(model, [partial(formats.save, path=path, prove=False) for path in paths[:2]])
    formats.save(model, paths[2])
    inputs = np.random.default_rng(0).random((7, 4), "float32")
    kernel, bias = model.get_weights()
    for path in paths:
        runner = formats.open(path)
        assert runner.batch_size == 3
        np.testing.assert_allclose(runner.run([inputs]).outputs[0], inputs @ kernel + bias, atol=1e-5)


def test_inputs_and_outputs_are_reordered_by_name(tmp_path):
    specs = [TensorSpec(name, (None, 1), "float32") for name in ("a", "b")]
    runner = Runner("none", tmp_path, lambda arrays: [arrays[0] - arrays[1], arrays[1]], specs, specs)
    one, two = np.ones((2, 1)), np.full((2, 1), 2.0)
    first, second = runner.reorder(["b", "a"], ["b", "a"]).run([two, one]).outputs
    assert (first[0, 0], second[0, 0]) == (2, -1)
    same = runner.reorder(["c", "d"], ["e", "f"]).run([one, two]).outputs  # other names: the order of the file
    assert same[0][0, 0] == -1


def test_a_tfjs_model_that_fails_leaves_no_process_behind(tmp_path):
    with tfjs.Node("wasm") as node:
        result = node.run(TFJS, np.zeros((2, 5), "float32"), 8)
        assert "expected input_layer to have 3 dimension(s)" in result.error
        good = node.run(TFJS, np.zeros((2, 28, 28), "float32"), 8)
        assert good.outputs[0].shape == (2, 10)
        process = node._process
    assert process.poll() is not None


def test_opening_is_quick_to_import():
    code = "import sys; from study_keras import formats; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"keras", "h5py", "onnxruntime", "ai_edge_litert", "PIL"} & set(done.stdout.split())


def onnx_with_weights_in(location):
    weights = onnx.TensorProto(name="w", data_type=onnx.TensorProto.FLOAT, dims=[4], data_location=1)
    for key, value in {"location": location, "offset": "0", "length": "16"}.items():
        weights.external_data.add(key=key, value=value)
    x, y = (onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [4]) for name in "xy")
    graph = onnx.helper.make_graph([onnx.helper.make_node("Add", ["x", "w"], ["y"])], "g", [x], [y], [weights])
    opset = onnx.helper.make_opsetid("", 17)
    return onnx.helper.make_model(graph, opset_imports=[opset], ir_version=8).SerializeToString()


def test_onnx_weights_are_read_from_the_models_folder_only(tmp_path, monkeypatch):
    folder = tmp_path / "models"
    folder.mkdir()
    np.arange(4, dtype=np.float32).tofile(folder / "w.bin")
    np.arange(4, dtype=np.float32).tofile(tmp_path / "secret.bin")
    monkeypatch.chdir(tmp_path)
    (folder / "m.onnx").write_bytes(onnx_with_weights_in("w.bin"))
    (answer,) = formats.open(folder / "m.onnx").run([np.ones(4, np.float32)]).outputs
    np.testing.assert_array_equal(answer, [1, 2, 3, 4])
    for location in ("../secret.bin", str(tmp_path / "secret.bin"), "secret.bin", "/dev/zero"):
        (folder / "m.onnx").write_bytes(onnx_with_weights_in(location))
        with pytest.raises(ValueError, match="onnxruntime cannot run it"):
            formats.open(folder / "m.onnx")
