"""Plain C in int8: bit for bit what LiteRT answers, and a refusal by name of what it has not."""

import keras
import numpy as np
import pytest
from c_models import sequential
from keras import layers

from study_keras import formats, runtimes
from study_keras.runtimes import c_code
from study_keras.runtimes.program import allow_code

SANITIZED = ("-O1", "-fsanitize=undefined,address", "-fno-sanitize-recover=all")

WIDE = keras.initializers.RandomNormal(stddev=3.0, seed=1)  # so that the answers differ


def normalized(*body):
    return [*body, layers.BatchNormalization(), layers.ReLU()]


def net():
    """Each operation: convolutions of both kinds, uneven padding, strides, dilation, limits, pooling, two dense."""
    body = [layers.Reshape((28, 28, 1)), *normalized(layers.Conv2D(4, (3, 4), strides=2, padding="same"))]
    body += [layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same"), layers.ReLU(max_value=6)]
    body += [layers.MaxPooling2D(3, 2, padding="same"), layers.Conv2D(5, 2, dilation_rate=2, activation="relu")]
    body += [
        layers.Flatten(),
        layers.Dense(12, activation="relu"),
        layers.Dense(10, "softmax", kernel_initializer=WIDE),
    ]
    return sequential((28, 28), *body)


def test_int8_answers_as_litert_bit_for_bit(digits, tmp_path):
    images = (digits[1][0] / 255).astype("float32")
    keras.utils.set_random_seed(1)
    model, proofs = net(), []
    path = formats.save(model, tmp_path / "net.c", quantize="int8", images=images, prove=proofs.append)
    assert (proofs[0].runtime, proofs[0].random) == ("C", False)
    flat = formats.save(model, tmp_path / "net.tflite", quantize="int8", images=images, batch=1, prove=False)
    with allow_code():
        runner = c_code.open(path, None, SANITIZED)
    assert runner.stored == "int8"
    wanted = runtimes.open(flat, "litert").run([images]).outputs[0]
    assert np.array_equal(runner.run([images]).outputs[0], wanted)
    assert len(np.unique(wanted)) > 20
    assert "stored as int8" in path.with_suffix(".h").read_text()


def test_what_int8_has_not_is_refused_by_name(digits, tmp_path):
    images = (digits[1][0][:20] / 255).astype("float32")
    model = sequential((28, 28), layers.Dense(4, activation="tanh"))
    with pytest.raises(ValueError, match=r"TANH of .*has only CONV_2D, .*; leave out --quantize"):
        formats.save(model, tmp_path / "net.c", quantize="int8", images=images)
    with pytest.raises(ValueError, match="quantize='int8' needs images="):
        formats.save(model, tmp_path / "net.c", quantize="int8")
    with pytest.raises(ValueError, match="expected None or int8"):
        formats.save(model, tmp_path / "net.c", quantize="uint8")
    assert not list(tmp_path.iterdir())
