"""Random small models through every format, on the backend in force; run as a script for the other one."""

import tempfile
from pathlib import Path

import keras
import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from study_keras import formats

layers = keras.layers
KINDS = ("dense", "convolution", "LSTM", "GRU", "SimpleRNN")
PLANS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(KINDS),
        "widths": st.tuples(st.integers(1, 5), st.integers(1, 5)),
        "activation": st.sampled_from(("relu", "tanh", "sigmoid", "elu", "linear")),
        "functional": st.booleans(),
        "shared": st.booleans(),
        "nested": st.booleans(),
        "optimizer": st.sampled_from((None, "adam", "sgd", "rmsprop")),
        "seed": st.integers(0, 99),
    }
)


def build(plan):
    """A Sequential or functional model of a few layers with random weights; (n, 6, 4) in."""
    inputs, (width, end), kind = keras.Input((6, 4)), plan["widths"], plan["kind"]
    if kind == "dense":
        hidden = [layers.Flatten(), layers.Dense(width, activation=plan["activation"])]
    elif kind == "convolution":
        hidden = [layers.Conv1D(width, 3, padding="same"), layers.BatchNormalization()]
    else:
        hidden = [getattr(layers, kind)(width)]
    chain = [*hidden, layers.Flatten(), layers.Dropout(0.1), layers.Dense(end)]
    if plan["functional"]:
        tensor, shared = inputs, layers.Dense(4)
        if plan["shared"]:
            tensor = layers.Add()([shared(tensor), shared(shared(tensor))])
        if plan["nested"]:
            steps = [keras.Input((6, 4)), layers.Dense(4), layers.LeakyReLU(negative_slope=0.1)]
            tensor = keras.Sequential(steps)(tensor)
        for layer in chain:
            tensor = layer(tensor)
        model = keras.Model(inputs, tensor)
    else:
        model = keras.Sequential([inputs, *chain])
    if plan["optimizer"]:
        model.compile(plan["optimizer"], "mse", metrics=["mae"])
    random = np.random.default_rng(plan["seed"])
    for variable in model.weights:
        variable.assign(random.random(variable.shape))
    return model


def check_roundtrip(model, saved_model=False):
    """Write, read and compare in every format."""
    inputs = np.random.default_rng(0).random((2, 6, 4)).astype("float32")
    expected = np.asarray(model(inputs))
    with tempfile.TemporaryDirectory() as folder:
        for name in ("m.keras", "m.h5"):
            loaded = formats.load(formats.save(model, Path(folder, name)))
            np.testing.assert_allclose(np.asarray(loaded(inputs)), expected, atol=1e-6)
            assert loaded.get_config() == model.get_config()
            assert loaded.compiled == model.compiled
        weights = [formats.save(model, Path(folder, name)) for name in ("w.weights.h5", "w.ckpt")]
        for name, path in zip(("m.json", "m.yaml"), weights, strict=True):
            loaded = formats.load(formats.save(model, Path(folder, name)))
            formats.load_weights(loaded, path)
            np.testing.assert_allclose(np.asarray(loaded(inputs)), expected, atol=1e-6)
        if saved_model:
            predict = formats.load(formats.save(model, Path(folder, "saved")))
            np.testing.assert_allclose(predict(inputs), expected, atol=1e-6)


@settings(
    max_examples=8,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],  # shrinking would compile hundreds of models
    suppress_health_check=list(HealthCheck),
)
@given(PLANS)
def roundtrip(plan):
    check_roundtrip(build(plan))


if __name__ == "__main__":
    roundtrip()
    print(keras.backend.backend(), "passed")
