"""`show` lists the arrays of a file that holds no model of Keras; a broken one is refused."""

import os

import keras
import numpy as np
import pytest
from conftest import check_refused

from study_keras import formats

SUFFIXES = ("weights.h5", "ckpt", "savedmodel", "tfjs", "tflite", "onnx")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3)])
    for suffix in SUFFIXES:
        formats.save(model, folder / f"m.{suffix}")
    return folder


def list_weights(path):
    return formats.detect(path).function("list_weights")(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_arrays_of_a_file_are_listed(suffix, folder):
    shapes = {shape for _, shape in list_weights(folder / f"m.{suffix}")}
    assert shapes & {(5, 3), (3, 5)}


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("keep", [0, 40, -20])
def test_a_file_that_ends_early_is_refused(suffix, keep, folder):
    path = folder / f"m.{suffix}"
    parts = {"ckpt": "m.ckpt.index", "savedmodel": "m.savedmodel/variables/variables.index"}
    file = folder / parts.get(suffix, "m.tfjs/group1-shard1of1.bin" if suffix == "tfjs" else path.name)
    content = file.read_bytes()
    os.truncate(file, keep if keep >= 0 else len(content) + keep)
    try:
        check_refused(list_weights, path, path.name)
    finally:
        file.write_bytes(content)


@pytest.mark.parametrize("suffix", ["tflite", "onnx"])
def test_a_file_for_inference_is_no_model_of_keras(suffix, folder):
    check_refused(formats.load, folder / f"m.{suffix}", "for inference only")
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3)])
    check_refused(lambda path: formats.load_weights(model, path), folder / f"m.{suffix}", "no weights that can be put")


@pytest.mark.parametrize("suffix", ["weights.h5", "ckpt"])
def test_weights_of_another_model_name_the_difference_and_change_nothing(suffix, folder):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    before = model.get_weights()
    check_refused(lambda path: formats.load_weights(model, path), folder / f"m.{suffix}", r"expected \(4, 3\)|\(5, 3\)")
    np.testing.assert_array_equal(model.get_weights()[0], before[0])
