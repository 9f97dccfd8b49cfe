"""An ``.onnx`` that `serve` offers is read by onnxruntime in a real browser, and in Node as `verify` asks for it."""

import json
import re
from functools import partial

import keras
import numpy as np
import pytest
from browser_checks import run_checks
from conftest import COMMAND

from study_keras import formats
from study_keras.cli import main
from study_keras.formats.export import tensorflow_process
from study_keras.runtimes import onnx_web
from study_keras.vision.classifier import SHIPPED


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """The shipped network as TensorFlow.js and as ONNX; as ONNX of a fixed batch size; and one of several dtypes."""
    folder = tmp_path_factory.mktemp("onnx")
    digits = formats.load_tfjs(SHIPPED.with_suffix(".tfjs"))
    digits.save(folder / "digits.keras")
    formats.export_tfjs(digits, folder / "seven.tfjs", prove=False)
    fixed = keras.Input((28, 28), batch_size=3)
    for name, model in {"seven": digits, "threes": keras.Model(fixed, digits(fixed)), "house": house()}.items():
        tensorflow_process.export_many(model, [partial(formats.export_onnx, path=folder / f"{name}.onnx", prove=False)])
    return folder


def house():
    rooms, city = keras.Input((3,), name="rooms"), keras.Input((), dtype="int32", name="city")
    joined = keras.layers.Concatenate()([rooms, keras.layers.Embedding(20, 2)(city)])
    return keras.Model([city, rooms], [keras.layers.Dense(1, name="price")(joined), keras.ops.equal(city, 3)])


@pytest.fixture(scope="module")
def seen(models, tmp_path_factory):
    offered = [part for name in ("seven.tfjs", "seven.onnx", "threes.onnx") for part in ("--model", str(models / name))]
    spec = {"server": [str(COMMAND), "serve", "--port", "0", *offered]}
    return run_checks("check_onnx.mjs", spec, tmp_path_factory.mktemp("seen"))


def test_an_onnx_reads_a_seven(seen):
    found = seen("reads")
    assert {name: re.search(r"\d", found[name])[0] for name in ("tfjs", "onnx", "fixed")} == {
        "tfjs": "7",
        "onnx": "7",
        "fixed": "7",
    }
    assert [name.partition(",")[0] for name in found["names"][:3]] == ["TensorFlow.js", "ONNX Runtime", "ONNX Runtime"]


def test_its_runtime_is_loaded_when_it_is_first_used_and_then_works_offline(seen):
    found = seen("reads")
    assert not [path for path in found["before"] if "ort-" in path or "/onnx-" in path]
    assert [path for path in found["after"] if path.startswith("/ort-wasm")]
    assert re.search(r"\d", found["offline"])[0] == "7"


def test_the_strict_policy_of_the_page_holds(seen):
    assert seen("errors") == []
    assert {request.split("/")[2].partition(":")[0] for request in seen("requests")} == {"127.0.0.1"}


def test_verify_runs_an_onnx_also_where_a_browser_would(models, capsys):
    paths = [str(models / name) for name in ("digits.keras", "seven.onnx")]
    assert main(["verify", *paths, "--everywhere", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["runtime"] for row in rows] == ["onnxruntime", "onnxruntime-web"]
    assert all(row["images"] == 10_000 and row["max_abs_diff"] < 1e-5 for row in rows)


def test_node_gives_the_dtypes_and_numbers_of_onnxruntime(models):
    inputs = [np.array([3, 19, 0], "int32"), np.arange(9, dtype="float32").reshape(3, 3)]
    one, other = formats.open(models / "house.onnx"), onnx_web.open(models / "house.onnx")
    assert (other.inputs, other.outputs) == (one.inputs, one.outputs)
    for wanted, found in zip(one.run(inputs, 2).outputs, other.run(inputs, 2).outputs, strict=True):
        assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
        np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_a_fixed_batch_size_is_filled_up_in_node_too(models):
    images = np.random.default_rng(0).random((5, 28, 28), "float32")
    (found,) = onnx_web.open(models / "threes.onnx").run([images]).outputs
    (wanted,) = formats.open(models / "seven.onnx").run([images]).outputs
    np.testing.assert_allclose(found, wanted, atol=1e-6)


@pytest.mark.parametrize("content", [b"", b"\x08\x07not a model", None])
def test_a_broken_onnx_is_refused_by_one_line(models, content, tmp_path):
    path = tmp_path / "broken.onnx"
    path.write_bytes((models / "seven.onnx").read_bytes()[:-100] if content is None else content)
    with pytest.raises(ValueError, match="onnxruntime-web cannot run it") as refused:
        onnx_web.open(path)
    assert "\n" not in str(refused.value)
