"""What the real Keras 2 wrote is read here, and what is written here the real Keras 2 reads."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from study_keras import formats

SCRIPT = Path(__file__).with_name("formats_keras2.py")
MODELS = ("mlp", "cnn", "branches", "lstm", "states")


def keras2(*arguments):
    command = [sys.executable, SCRIPT, *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keras2")
    keras2("write", folder)
    return folder


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("name", MODELS)
def test_a_whole_model_of_keras_2_answers_the_same_and_trains_on_the_same(artifacts, name, suffix):
    expected = np.load(artifacts / f"{name}.npz")
    model = formats.load(artifacts / f"{name}{suffix}")
    np.testing.assert_allclose(np.asarray(model(expected["x"])), expected["answer"], atol=1e-6)
    assert int(model.optimizer.iterations.value) == 2
    assert all(np.any(np.asarray(variable.value)) for variable in model.optimizer.variables)
    if name == "mlp":  # one more step ends where Keras 2 ended only if the optimizer's state came along
        model.fit(expected["x"], expected["y"], shuffle=False, verbose=0)
        np.testing.assert_allclose(model.predict(expected["x"], verbose=0), expected["next"], atol=1e-5)


@pytest.mark.parametrize("suffix", [".weights.h5", "_weights.h5", ".ckpt", ".wrapped"])
@pytest.mark.parametrize("name", MODELS)
def test_structure_and_weights_of_keras_2_come_together(artifacts, name, suffix):
    expected = np.load(artifacts / f"{name}.npz")
    model = formats.load(artifacts / f"{name}.json")
    formats.load_weights(model, artifacts / f"{name}{suffix}")
    np.testing.assert_allclose(np.asarray(model(expected["x"])), expected["answer"], atol=1e-6)


def test_a_saved_model_of_keras_2_answers_the_same(artifacts):
    expected = np.load(artifacts / "mlp.npz")
    predict = formats.load(artifacts / "mlp_saved_model")
    np.testing.assert_allclose(predict(expected["x"]), expected["answer"], atol=1e-6)


def test_keras_2_reads_our_weights(artifacts, tmp_path):
    for name in MODELS:
        expected = np.load(artifacts / f"{name}.npz")
        model = formats.load(artifacts / f"{name}.keras")
        for variable in model.trainable_variables:
            variable.assign_add(0.01 * np.ones(variable.shape, "float32"))
        formats.save(model, tmp_path / f"{name}.ckpt")
        formats.save(model, tmp_path / f"{name}.ckpt")  # a second save takes the way through two parts
        formats.save(model, tmp_path / f"{name}.weights.h5")
        np.savez(tmp_path / f"{name}.npz", x=expected["x"], answer=np.asarray(model(expected["x"])))
    differences = json.loads(keras2("read", tmp_path).splitlines()[-1])
    written = {f"{name}.{suffix}" for name in MODELS for suffix in ("ckpt", "weights.h5")}
    assert set(differences) == written - {"states.weights.h5"}  # attention: see the script
    assert max(differences.values()) < 1e-6, differences


def test_yaml_as_keras_2_4_wrote_it():
    """By the rules of its format: `yaml.dump` of the config, tuples tagged, shared values as aliases."""
    model = formats.load_yaml(Path(__file__).with_name("keras_2_4.yaml"))
    assert [layer.__class__.__name__ for layer in model.layers] == ["Flatten", "Dense", "Dropout", "Dense"]
    assert model.input_shape == (None, 28, 28)
    assert model.count_params() == 784 * 128 + 128 + 128 * 10 + 10
