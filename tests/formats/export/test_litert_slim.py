"""Slim ``.tflite`` files: smaller, with the same signature, and the same answers bit for bit."""

import keras
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from keras import layers

from study_keras import formats
from study_keras.formats.export import litert_file, litert_slim
from study_keras.runtimes import litert
from study_keras.train import models


def two_inputs():
    left, right = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    both = layers.Concatenate()([layers.Dense(3, activation="relu")(left), layers.Dense(3)(right)])
    return keras.Model([left, right], [layers.Dense(2, name="sum")(both), layers.Softmax(name="odds")(both)])


def with_loop():
    return keras.Sequential([keras.Input((5, 3)), layers.LSTM(4), layers.Dense(2)])


CASES = [
    (models.tiny, {"quantize": "int8", "batch": 1}, 0.8),
    (models.tiny, {"quantize": "dynamic"}, 0.9),
    (models.tiny, {"quantize": "float16"}, 0.9),
    (models.mlp, {}, 1.0),
    (two_inputs, {}, 0.8),
    (with_loop, {}, 0.9),
]


@pytest.mark.parametrize(("build", "options", "share"), CASES)
def test_a_slim_file_is_smaller_and_answers_the_same(tmp_path, build, options, share):
    keras.utils.set_random_seed(1)
    model, rng = build(), np.random.default_rng(1)
    arrays = [rng.random((9, *item.shape[1:]), "float32") for item in model.inputs]
    images = {"images": arrays} if options.get("quantize") == "int8" else {}
    paths = [tmp_path / "named.tflite", tmp_path / "slim.tflite"]
    for path, names in zip(paths, (True, False), strict=True):
        formats.export_litert(model, path, **options, **images, names=names, prove=False)
    assert paths[1].stat().st_size < share * paths[0].stat().st_size
    named, slim = map(litert.open, paths)
    assert (named.inputs, named.outputs) == (slim.inputs, slim.outputs)
    size = named.batch_size or 9
    for first, second in zip(*(one.call([array[:size] for array in arrays]) for one in (named, slim)), strict=True):
        np.testing.assert_array_equal(first, second)
    content = paths[1].read_bytes()
    assert litert_slim.slim(content) == content
    assert b"CONVERSION_METADATA" not in content
    weights = [buffer.data for buffer in schema.ModelT.InitFromPackedBuf(content, 0).buffers if buffer.data is not None]
    start = np.frombuffer(content, np.uint8).ctypes.data
    assert len(weights) >= 3
    assert not any((part.ctypes.data - start) % litert_slim.ALIGNMENT for part in weights)
    listed = [litert_file.list_litert(path) for path in paths]
    assert [shape for _, shape in listed[0]] == [shape for _, shape in listed[1]]
    assert any(name.startswith("tensor ") for name, _ in listed[1])
