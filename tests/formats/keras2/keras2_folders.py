"""Keras 2 (``tf_keras``) in a process of its own: writes models in its formats. Usage: keras2_folders.py FOLDER."""

import json
import os
import sys
import warnings
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
warnings.simplefilter("ignore")

import numpy as np
import tensorflow as tf
import tf_keras as keras

layers = keras.layers
RANDOM = np.random.default_rng(0)


def sequential():
    hidden = [layers.Dense(16, activation="hard_sigmoid"), layers.Dropout(0.2)]
    model = keras.Sequential([layers.Flatten(input_shape=(28, 28)), *hidden, layers.Dense(10, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def two():
    """Two inputs and two outputs, not in the order of their names; a shared layer, a shared model in the model."""
    first, second = keras.Input((4,), name="b"), keras.Input((3,), name="a")
    inner = keras.Input((5,))
    nested = keras.Model(inner, layers.LeakyReLU(0.2)(layers.Dense(5)(inner)), name="nested")
    shared = layers.Dense(5, name="shared")
    joined = layers.Concatenate()([nested(shared(first)), nested(shared(layers.Dense(4)(second)))])
    model = keras.Model([first, second], [layers.Dense(2, name="z")(joined), layers.Dense(3, name="y")(joined)])
    model.compile(keras.optimizers.legacy.Adam(), "mse")  # as before Keras 2.11
    return model


def cnn():
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(4, 3, padding="same"),
            layers.BatchNormalization(),
            layers.DepthwiseConv2D(3),
            layers.GlobalAveragePooling2D(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.legacy.SGD(0.01, momentum=0.9), "sparse_categorical_crossentropy")
    return model


def lstm():
    """What an LSTM was before Keras 2.3: with hard_sigmoid."""
    cell = layers.LSTM(4, recurrent_activation="hard_sigmoid")
    return keras.Sequential([layers.Embedding(9, 8, input_length=5), layers.Bidirectional(cell), layers.Dense(2)])


def nested():
    """A functional model in a functional model in a functional one, and two that take their input from a call."""
    encoder = keras.Sequential([layers.Dense(4), layers.Flatten()], name="encoder")
    decoder = keras.Sequential([layers.Flatten(), layers.Dense(5)], name="decoder")
    inputs = keras.Input((5,))
    inmost = keras.Model(inputs, layers.Dense(5, activation="tanh")(inputs), name="inmost")
    inputs = keras.Input((5,))
    middle = keras.Model(inputs, inmost(layers.Dense(5)(inmost(inputs))), name="middle")
    inputs = keras.Input((5,))
    return keras.Model(inputs, layers.Add()([middle(decoder(encoder(inputs))), inmost(inputs), middle(inputs)]))


def hard():
    """Wherever Keras 2 has its hard_sigmoid; and a backward layer that is not the forward one turned round."""
    inputs = keras.Input((4, 3))
    back = layers.LSTM(3, activation="relu", go_backwards=True, return_sequences=True, recurrent_activation="sigmoid")
    ahead = layers.LSTM(3, return_sequences=True, recurrent_activation="hard_sigmoid")
    y = layers.Bidirectional(ahead, backward_layer=back)(inputs)
    y = layers.GRU(3, return_sequences=True, recurrent_activation="hard_sigmoid", reset_after=False)(y)
    y = layers.Flatten()(layers.TimeDistributed(layers.Dense(4, activation="hard_sigmoid"))(y))
    return keras.Model(inputs, layers.Activation("hard_sigmoid")(layers.Dense(3)(y)))


def fields():
    """ConvLSTM2D, whose default stayed hard_sigmoid, behind a Normalization of large means."""
    model = keras.Sequential([keras.Input((3, 5, 5, 2)), layers.Normalization(), layers.ConvLSTM2D(3, 3)])
    model.layers[0].adapt(RANDOM.normal(50, 3, (10, 3, 5, 5, 2)))
    return model


def unbuilt():
    """A Sequential that saw its first input in a call, with an activation as a layer."""
    model = keras.Sequential([layers.Dense(3), layers.Activation("hard_sigmoid"), layers.Dense(2)])
    model(np.zeros((2, 5), "float32"))
    return model


def words():
    image, ids = keras.Input((6, 6, 1), name="image"), keras.Input((6,), dtype="int32", name="ids")
    series = layers.GlobalAveragePooling1D()(layers.Embedding(7, 4, mask_zero=True)(ids))
    return keras.Model([image, ids], layers.Dense(3)(layers.Concatenate()([series, layers.Flatten()(image)])))


def stateful():
    return keras.Sequential([layers.SimpleRNN(3, stateful=True, batch_input_shape=(2, 4, 3)), layers.Dense(2)])


def bias(true, given):
    """A loss of somebody's own."""
    return keras.backend.mean(given - true)


def own_loss():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    model.compile("adam", bias)
    return model


class Twice(layers.Layer):
    """A layer of somebody's own."""

    def call(self, inputs):
        return inputs * 2


class Own(keras.Model):
    """A model of somebody's own, with no structure to save."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(2)

    def call(self, inputs):
        return self.dense(inputs)


MODELS = (sequential, two, cnn, lstm, nested, hard, fields, unbuilt, words, stateful, own_loss)


def example(model):
    arrays = []
    for item in model.inputs:
        shape = [2 if size is None else size for size in item.shape]
        whole = item.dtype == "int32" or isinstance(model.layers[0], layers.Embedding)
        arrays.append((RANDOM.integers(0, 7, shape) if whole else RANDOM.normal(size=shape)).astype(item.dtype.name))
    return arrays


def fit(model, inputs):
    """Train a step, so that the optimizer has a state."""
    targets = [RANDOM.random((2, size)) for size in (2, 3)] if len(model.outputs) > 1 else RANDOM.integers(0, 2, 2)
    model.fit(inputs, targets, verbose=0)


def write(model, folder: Path, name: str) -> None:
    keras.utils.set_random_seed(1)
    inputs = example(model)
    first = len(model.weights) - 3 if name == "fields" else 0  # what was adapted stays
    fixed = model.get_weights()[:3] if first else []
    drawn = [RANDOM.normal(size=weight.shape) for weight in model.get_weights()]
    random = [array if array.ndim > 1 else abs(array) for array in drawn]  # a variance is positive
    model.set_weights(fixed + random[len(fixed) :])
    if model.optimizer is not None and name != "own_loss":
        fit(model, inputs)
    model.save(folder / name, save_format="tf", signatures=of_bytes(model) if name == "cnn" else None)
    answers = model(inputs if len(inputs) > 1 else inputs[0], training=False)
    arrays = {f"x{place}": array for place, array in enumerate(inputs)}
    np.savez(folder / f"{name}.npz", **arrays, **{f"y{n}": y for n, y in enumerate(tf.nest.flatten(answers))})
    if name in ("hard", "fields", "own_loss"):
        (folder / f"{name}.json").write_text(model.to_json())
        model.save(folder / f"{name}.keras")
        model.save(folder / f"{name}.h5")
        model.save_weights(folder / f"{name}.weights.h5", save_format="h5")
        model.save_weights(folder / f"{name}_weights.h5", save_format="h5")
        model.save_weights(folder / f"{name}.ckpt", save_format="tf")
    if name == "hard":
        write_tfjs(model, folder / "hard.tfjs")


def of_bytes(model):
    """A signature of somebody's own, which takes something else than the model."""

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string)])
    def serve(texts):
        return {"classes": model(tf.reshape(tf.io.decode_raw(texts, tf.float32), (-1, 8, 8, 1)))}

    return serve


def write_tfjs(model, folder: Path) -> None:
    """As the official converter did: weights in order, under Keras 2's names."""
    folder.mkdir()
    specs = [{"name": w.name.removesuffix(":0"), "shape": list(w.shape), "dtype": "float32"} for w in model.weights]
    (folder / "group1-shard1of1.bin").write_bytes(b"".join(w.numpy().tobytes() for w in model.weights))
    topology = {"keras_version": "2.15.0", "backend": "tensorflow", "model_config": json.loads(model.to_json())}
    manifest = [{"paths": ["group1-shard1of1.bin"], "weights": specs}]
    content = {"format": "layers-model", "modelTopology": topology, "weightsManifest": manifest}
    (folder / "model.json").write_text(json.dumps(content))


def main(folder: Path) -> None:
    tf.config.run_functions_eagerly(True)  # a few small steps are not worth compiling
    for build in MODELS:
        write(build(), folder, build.__name__)
    twice = keras.Sequential([keras.Input((3,)), Twice(), layers.Dense(2)])
    twice.save(folder / "custom", save_format="tf")
    keras.Sequential([keras.Input((3,)), layers.Lambda(lambda x: x * 2), layers.Dense(2)]).save(
        folder / "lambda", save_format="tf"
    )
    own = Own()
    own(np.zeros((1, 3), "float32"))
    own.save(folder / "subclassed", save_format="tf")
    sequential().export(folder / "exported")
    called = tf.function(tf.nn.relu, input_signature=[tf.TensorSpec((1, 3))]).get_concrete_function()
    plain = tf.lite.TFLiteConverter.from_concrete_functions([called]).convert()
    (folder / "no_signature.tflite").write_bytes(plain)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
