"""The model in a web page, on a phone and anywhere else: every export answers as Keras does, in its real runtime."""

import io
import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import keras
import numpy as np
import pytest
from conftest import ROOT

from study_keras import formats, mnist
from study_keras.cli import main
from study_keras.formats import verify as verifying
from study_keras.formats.everywhere import variants
from study_keras.formats.proof.differences import THRESHOLDS
from study_keras.formats.verify import verify, verify_all
from study_keras.formats.written.c_file import list_c
from study_keras.formats.written.fold import fold_batch_normalization
from study_keras.formats.written.model_steps import program_of
from study_keras.report import evaluation
from study_keras.runtimes.program import allow_code
from study_keras.train import models, recipes

VARIANTS = [variant for variant in variants.VARIANTS if variant.in_run]
KEYS = {"artifact", "runtime", "bytes", "images", "random", "agree", "accuracy", "ms_per_image", "passed"}
DIFFERENCES = {"max_abs_diff", "mean_abs_diff", "max_relative_diff", "mean_relative_diff"}
FLOAT32 = ["Keras"] * 7 + ["TensorFlow", "TF.js", "LiteRT", "onnxruntime", "OpenVINO", "NumPy", "PyTorch", "C"]


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """What `hello-mnist run` left after three epochs on all digits, what it printed, and what running each export gave.

    The thresholds are published for the tutorial's network, trained on all digits.
    """
    folder, rows = tmp_path_factory.mktemp("run"), []

    def recorded(*arguments, **options):
        rows.extend(verify_all(*arguments, **options))
        return rows

    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as shown:
        patch.setattr(recipes, "TUTORIAL", recipes.Recipe(epochs=3, seed=1))
        patch.setattr(verifying, "verify_all", recorded)
        assert main(["run", "--output", str(folder)]) == 0
    return folder, shown.getvalue(), rows


@pytest.fixture(scope="module")
def tutorial(ran):
    """The path of the tutorial's network, with all its exports beside it."""
    return ran[0] / "hello_mnist.keras"


@pytest.fixture(scope="module", params=["jax", pytest.param("tensorflow", marks=pytest.mark.slow)])
def everywhere(request, ran, tutorial, tmp_path_factory):
    """The folder with all exports of the trained model, what running them gave, and what they are to another model."""
    if request.param == "jax":
        inputs = evaluation.to_model_inputs(formats.load(tutorial), mnist.load_data()[1][0][:200])
        with allow_code():  # the programs were written just now
            return ran[0], ran[2], verify_all(models.mlp(), [row["artifact"] for row in ran[2]], inputs)
    folder = tmp_path_factory.mktemp("everywhere")
    environment = {**os.environ, "KERAS_BACKEND": request.param}
    command = [sys.executable, ROOT / "tests/formats/export/export_everywhere.py", tutorial, folder]
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return folder, *json.loads(result.stdout.splitlines()[-1])


def test_run_takes_the_model_everywhere(ran):
    _, shown, rows = ran
    assert len(rows) == len(VARIANTS) + 3  # the model itself, ONNX in a browser's runtime, and NumPy's program in JAX
    assert len(re.findall(r" ok *$", shown, re.MULTILINE)) == len(rows)
    assert "DIFFERS" not in shown
    assert len({row["artifact"] for row in rows}) >= 23
    assert len({row["runtime"] for row in rows}) >= 12


def test_every_export_gives_the_answers_of_keras_on_10000_digits(everywhere):
    found = [row for row in everywhere[1] if row["runtime"] not in ("onnxruntime-web", "JAX")]
    assert len(found) == len(VARIANTS) + 1
    quantize = {variant.suffix: variant.quantize for variant in VARIANTS}
    exact = []
    for result in found:
        assert set(result) == KEYS | DIFFERENCES
        name = result["artifact"].rpartition("/")[2].removeprefix("hello_mnist")
        fraction, limit = THRESHOLDS[quantize.get(name) or "float32"]
        assert result["images"] == 10_000
        assert result["agree"] >= 10_000 * fraction, name
        assert limit is None or result["max_abs_diff"] <= limit, name
        assert 0 <= result["mean_abs_diff"] <= result["max_abs_diff"]
        assert result["passed"]
        assert result["ms_per_image"] > 0
        if quantize.get(name) is None:
            exact.append(result["runtime"])
            assert result["accuracy"] == found[0]["accuracy"] > 0.97
        else:
            assert result["max_abs_diff"] > 1e-5, name  # it is what its name says
    assert sorted(exact) == sorted(FLOAT32)
    sizes = {result["artifact"].rpartition("/")[2]: result["bytes"] for result in found}
    assert sizes["hello_mnist_float16.tflite"] < 0.52 * sizes["hello_mnist.tflite"]
    assert sizes["hello_mnist_int8.tflite"] < 0.28 * sizes["hello_mnist.tflite"]
    assert sizes["hello_mnist_uint8.tfjs"] < 0.28 * sizes["hello_mnist.tfjs"]


def test_no_export_passes_for_another_model(everywhere):
    _, _, rows = everywhere
    passed = [Path(row["artifact"]).name for row in rows if row["passed"]]
    assert passed == ["hello_mnist.model.json", "hello_mnist.model.yaml"]  # structures


def test_an_app_finds_inputs_and_outputs_by_name(everywhere):
    from ai_edge_litert.interpreter import Interpreter

    for name in ("hello_mnist.tflite", "hello_mnist_int8.tflite"):
        interpreter = Interpreter(str(everywhere[0] / name))
        assert interpreter.get_signature_list() == {"serving_default": {"inputs": ["input"], "outputs": ["dense"]}}
        (given,), (answered,) = interpreter.get_input_details(), interpreter.get_output_details()
        assert given["shape_signature"].tolist() == [-1, 28, 28]
        assert answered["shape_signature"].tolist() == [-1, 10]
        assert given["dtype"] is answered["dtype"] is np.float32


def test_verify_is_exit_code_1_where_a_threshold_is_missed(tutorial, small, tmp_path, capsys):
    good, bad = tutorial.with_suffix(".tflite"), tmp_path / "bad.tfjs"
    model = formats.load(tutorial)
    model.set_weights([weight + np.float32(0.01) * np.sign(weight) for weight in model.get_weights()])
    formats.export_tfjs(model, bad)
    assert main(["verify", str(tutorial), str(good), "--data", str(small), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["passed"]
    assert main(["verify", str(tutorial), str(good), str(bad), "--data", str(small), "--json"]) == 1
    assert [result["passed"] for result in json.loads(capsys.readouterr().out)] == [True, False]
    assert main(["verify", str(tutorial), str(bad), "--data", str(small)]) == 1
    assert "DIFFERS" in capsys.readouterr().out


@pytest.mark.parametrize("suffix", [".tflite", ".onnx", ".tfjs", ".savedmodel", ".h5"])
def test_what_is_missing_or_broken_has_a_row_and_the_others_are_measured(tutorial, small, tmp_path, capsys, suffix):
    whole, good = tutorial.with_suffix(suffix), tutorial.with_suffix(".tflite")
    path = tmp_path / whole.name
    call = ["verify", str(tutorial), str(path), str(good), "--data", str(small)]
    for broken in ("missing", "cut short"):
        if broken == "cut short":
            (shutil.copytree if whole.is_dir() else shutil.copy)(whole, path)
            files = [path] if path.is_file() else [file for file in path.rglob("*") if file.suffix in (".bin", ".pb")]
            for file in files:
                file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
        assert main([*call, "--json"]) == 1, broken
        shown = capsys.readouterr()
        assert shown.err == ""
        bad, measured = json.loads(shown.out)
        assert measured["passed"]
        assert not bad["passed"]
        assert path.name in bad["error"]
        assert "runtime" not in bad
        assert main(call) == 1
        assert "BROKEN" in capsys.readouterr().out


def test_verify_names_a_model_of_another_shape(trained, tmp_path):
    model = formats.load(trained)
    other = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(3)])
    formats.save(other, tmp_path / "other.h5")
    with pytest.raises(ValueError, match=r"gives \[\(2, 3\)\], the model gives \[\(2, 10\)\]"):
        verify(model, tmp_path / "other.h5", np.zeros((2, 28, 28), "float32"))
    with pytest.raises(ValueError, match="at least one"):
        verify(model, tmp_path / "other.h5", np.zeros((0, 28, 28), "float32"))


def test_an_answer_that_is_no_number_never_passes(trained, tmp_path):
    model = formats.load(trained)
    formats.export_tfjs(model, tmp_path / "model.tfjs", "uint8")
    weights = model.get_weights()
    model.set_weights([np.full_like(weight, np.nan) for weight in weights])
    formats.save(model, tmp_path / "nan.h5")
    model.set_weights(weights)
    result = verify(model, tmp_path / "nan.h5", np.ones((2, 28, 28), "float32"))
    assert result["agree"] == 0
    assert not result["passed"]


class Own(keras.Model):
    """A subclass that has no layers which an export could follow."""

    def call(self, inputs):
        return inputs * 2.0


def mlp():
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])


def subclassed():
    model = Own()
    model(np.zeros((1, 2), "float32"))
    return model


@pytest.mark.parametrize(("suffix", "export"), [(".tflite", formats.export_litert), (".onnx", formats.export_onnx)])
def test_a_model_or_path_that_cannot_be_exported_is_refused(suffix, export, tmp_path):
    path = tmp_path / f"model{suffix}"
    with pytest.raises(ValueError, match="never built; start it with"):
        export(keras.Sequential([keras.layers.Dense(3)]), path)
    with pytest.raises(ValueError, match=r"Own 'own.*' is code of your own.*KERAS_BACKEND=tensorflow"):
        export(subclassed(), path)
    with pytest.raises(ValueError, match=f"expected a name that ends in {suffix}"):
        export(mlp(), tmp_path / "model.txt")
    path.mkdir()
    with pytest.raises(ValueError, match="is a folder"):
        export(mlp(), path)
    path.rmdir()
    with pytest.raises(OSError, match="cannot be written"):
        export(mlp(), tmp_path / "nowhere" / path.name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"quantize": "int4"}, "quantize='int4'; expected None or one of float16, dynamic, int8"),
        ({"quantize": "int8"}, "quantize='int8' needs images="),
        ({"quantize": "int8", "images": np.zeros((5, 3), "float32")}, r"expected at least one image of \[\(\(2,\)"),
        ({"quantize": "int8", "images": np.zeros((5, 2), "uint8")}, "'uint8'"),
        ({"quantize": "int8", "images": np.zeros((0, 2), "float32")}, "expected at least one image"),
        ({"quantize": "int8", "images": [np.zeros((5, 2), "float32")] * 2}, "expected at least one image"),
        ({"batch": 0}, "batch=0; expected None or a whole number of at least 1"),
    ],
)
def test_litert_options_that_cannot_be_are_refused(options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        formats.export_litert(mlp(), tmp_path / "model.tflite", **options)
    assert not list(tmp_path.iterdir())


def test_convert_quantizes_and_refuses_where_it_cannot(trained, small, tmp_path, capsys):
    target = tmp_path / "model.tflite"
    assert main(["convert", str(trained), str(target), "--quantize", "int8", "--data", str(small)]) == 0
    shown = capsys.readouterr()
    assert "TensorFlow subprocess" in shown.err
    assert "cannot store it: optimizer" in shown.out
    assert main(["show", str(target)]) == 0
    assert "128" in capsys.readouterr().out
    assert main(["evaluate", str(target), "--data", str(small), "--json"]) == 0  # in its own runtime
    assert json.loads(capsys.readouterr().out)["images"] == 200
    folder = tmp_path / "model.tfjs"
    assert main(["convert", str(trained), str(folder), "--quantize", "uint8", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["lost"] == ["optimizer"]
    assert main(["convert", str(folder), str(tmp_path / "again.h5")]) == 0
    before = target.read_bytes()
    for name, quantize in [("model.tfjs", "int8"), ("model.tflite", "uint16"), ("model.h5", "float16")]:
        assert main(["convert", str(trained), str(tmp_path / name), "--quantize", quantize]) == 1
        shown = capsys.readouterr()
        assert quantize in shown.err or "can be quantized" in shown.err
    assert target.read_bytes() == before
    assert not (tmp_path / "model.h5").exists()


def test_the_tiny_network_fits_into_9200_bytes(tmp_path, small, capsys):
    model = models.build(recipes.Recipe(network="tiny"))
    rng = np.random.default_rng(1)  # a network as new has biases of 0, which take no bytes
    model.set_weights([array + 0.1 * rng.random(array.shape) for array in model.get_weights()])
    path = formats.save(model, tmp_path / "tiny.keras")
    options = ["--quantize", "int8", "--batch", "1", "--data", str(small)]
    assert main(["convert", str(path), str(tmp_path / "tiny.tflite"), *options]) == 0
    assert 8_700 < (tmp_path / "tiny.tflite").stat().st_size <= 9_200
    assert main(["convert", str(path), str(tmp_path / "tiny.onnx"), "--batch", "1"]) == 2
    assert "--batch is only for .tflite files" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "count"), [("tiny", 4934), ("micro", 982)])
def test_the_smallest_networks_have_these_weights_without_batch_normalization(tmp_path, name, count):
    model = models.build(recipes.RECIPES[name])
    program = fold_batch_normalization(program_of(model))
    assert sum(array.size for step in program.steps for array in step.weights.values()) == count
    assert {step.kind for step in program.steps}.isdisjoint({"BatchNormalization"})
    path = formats.save(model, tmp_path / f"{name}.c", prove=False)
    assert sum(np.prod(shape) for _, shape in list_c(path)) == count


def test_without_node_the_others_are_still_verified(trained, small, tmp_path):
    formats.export_tfjs(formats.load(trained), tmp_path / "model.tfjs")
    code = f"""if True:
    from pathlib import Path
    from study_keras.cli.shared import verify_artifacts
    from study_keras.runtimes import tfjs
    from study_keras.data import dataset
    from study_keras.startup import import_keras
    tfjs.FOLDER = Path({str(tmp_path)!r}) / "no" / "study_keras" / "page"
    import_keras()
    from study_keras import formats, mnist
    paths = [Path({str(trained)!r}), Path({str(tmp_path)!r}) / "model.tfjs"]
    from study_keras.report import evaluation
    model = formats.load(paths[0])
    images, labels = dataset.load_data({str(small)!r})[1]
    assert verify_artifacts(model, paths, evaluation.to_model_inputs(model, images), labels, leave_out=True)"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "model.tfjs is left out: TF.js is not installed; run: npm ci" in done.stderr
    assert "ok" in done.stdout
    assert "model.tfjs" not in done.stdout


@pytest.mark.parametrize(("gap", "agree"), [(1e-6, 5), (1e-3, 0)])
def test_a_tie_may_fall_to_either_class(tmp_path, gap, agree):
    def leaning(to):
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, kernel_initializer="zeros")])
        model.layers[0].set_weights([np.zeros((4, 3)), 1 + gap * np.eye(3)[to]])
        return model

    artifact = formats.save_keras(leaning(1), tmp_path / "model.keras")
    result = verify(leaning(0), artifact, np.zeros((5, 4), "float32"), np.zeros(5, int))
    assert (result["agree"], result["passed"]) == (agree, agree == 5)


def test_a_custom_layer_that_tensorflow_cannot_see_is_named(tmp_path):
    class Twice(keras.layers.Layer):
        def call(self, inputs):
            return inputs * 2.0

    model = keras.Sequential([keras.Input((2,)), Twice()])
    with pytest.raises(ValueError, match="Twice"):
        formats.export_onnx(model, tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())
