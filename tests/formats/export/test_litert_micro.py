"""A model for microcontrollers: a C array that TensorFlow Lite for Microcontrollers runs as LiteRT runs the file."""

import re
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import layers

from study_keras import formats, runtimes
from study_keras.formats.verify import verify_all
from study_keras.runtimes import c_compiler, tflite_micro

pytest.importorskip("tflite_micro", reason="its package is for Linux only")


def net():
    body = [layers.Reshape((28, 28, 1)), layers.Conv2D(4, 3, strides=2, activation="relu"), layers.MaxPooling2D()]
    return keras.Sequential([keras.Input((28, 28)), *body, layers.Flatten(), layers.Dense(10, activation="softmax")])


@pytest.fixture(scope="module")
def images(digits):
    return (digits[1][0] / 255).astype("float32")


@pytest.fixture(scope="module")
def written(tmp_path_factory, images):
    """A model, the path of its int8 array, and its proof."""
    keras.utils.set_random_seed(1)
    model, proofs = net(), []
    path = tmp_path_factory.mktemp("micro") / "net.micro.c"
    formats.save(model, path, quantize="int8", images=images, prove=proofs.append)
    return model, path, proofs[0]


def test_int8_is_proven_and_answers_as_litert(written, images, tmp_path):
    model, path, proof = written
    assert (proof.runtime, proof.examples, proof.random) == ("TFLite Micro", 5, False)
    flat = tmp_path / "net.tflite"
    flat.write_bytes(tflite_micro.read_model(path))
    micro, lite = runtimes.open(path, "tflite_micro"), runtimes.open(flat, "litert")
    assert (micro.inputs, micro.outputs, micro.stored) == (lite.inputs, lite.outputs, "int8")
    found, wanted = micro.run([images]).outputs[0], lite.run([images]).outputs[0]
    assert np.abs(found - wanted).max() <= 2 / 256  # both round, not always alike
    (row,) = verify_all(model, [path], images)
    assert (row["runtime"], row["images"], row["bytes"]) == ("TFLite Micro", 200, path.stat().st_size)
    assert row["mean_abs_diff"] < 0.02
    assert len(formats.list_litert_micro(path)) > 5


def test_it_compiles_and_the_arena_is_the_smallest(written, tmp_path):
    path = written[1]
    for options in (["-std=c11"], ["-x", "c++", "-std=c++11"]):
        command = [*c_compiler.find_compiler(), *options, "-Wall", "-Wextra", "-Werror", "-pedantic", "-c"]
        subprocess.run([*command, path, "-o", tmp_path / "net.o"], check=True)
    header, content = path.with_suffix(".h").read_text(), tflite_micro.read_model(path)
    assert f"NET_MODEL_LENGTH {len(content)}\n" in header
    assert "CONV_2D, DEQUANTIZE, FULLY_CONNECTED, MAX_POOL_2D, QUANTIZE, RESHAPE, SOFTMAX" in header
    arena = int(re.search(r"NET_ARENA_SIZE (\d+)", header)[1])
    tflite_micro.interpreter_of(path, content, arena)
    with pytest.raises(ValueError, match="failed to allocate"):
        tflite_micro.interpreter_of(path, content, arena - 16)


def test_broken_arrays_are_refused(written, tmp_path):
    """Before the runtime sees them; a cut one in a process of its own, which may crash."""
    text = written[1].read_text()
    for words, content in {
        "expected the array": "int x;",
        "something else than bytes": re.sub("0x(..), 0x", "0x0, 0x", text),
        "cannot run it|crashes": re.sub(r"\{.*?\};", "{0x00, 0x01};", text, flags=re.DOTALL),
    }.items():
        path = tmp_path / "net.micro.c"
        path.write_text(content)
        with pytest.raises(ValueError, match=words):
            formats.open(path)


def test_bad_targets_and_options(written, tmp_path, images, monkeypatch):
    model, path, _ = written
    with pytest.raises(ValueError, match="expected None or int8"):
        formats.save(model, tmp_path / "net.micro.c", quantize="float16")
    (tmp_path / "net.micro.h").write_text("#define MINE")
    with pytest.raises(ValueError, match="in use"):
        formats.save(model, tmp_path / "net.micro.c", quantize="int8", images=images)
    monkeypatch.setitem(sys.modules, "tflite_micro", None)
    with pytest.raises(FileNotFoundError, match=r"pip install 'hello-mnist\[micro\]'"):
        formats.save(model, tmp_path / "other.micro.c")
    assert [file.name for file in tmp_path.iterdir()] == ["net.micro.h"]
    (row,) = verify_all(model, [path], images)
    assert row["missing"]
