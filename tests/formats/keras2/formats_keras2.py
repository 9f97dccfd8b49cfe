"""Keras 2 (``tf_keras``) in a process of its own: ``write FOLDER`` its files, ``read FOLDER`` ours."""

import json
import os
import sys
import warnings
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
warnings.simplefilter("ignore")

import numpy as np
import tf_keras as keras

layers = keras.layers


def mlp():
    model = keras.Sequential(
        [
            layers.Flatten(input_shape=(28, 28)),
            layers.Dense(16, activation="relu"),
            layers.Dropout(0.0),  # whose mask would differ between the two Keras
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, [28, 28], "classes"


def cnn():
    model = keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            layers.Conv2D(4, 3, padding="same"),
            layers.BatchNormalization(),
            layers.LeakyReLU(0.1),
            layers.MaxPooling2D(),
            layers.DepthwiseConv2D(3),
            layers.Conv2DTranspose(3, 2),
            layers.SeparableConv2D(5, 2, kernel_regularizer=keras.regularizers.l2(1e-3)),
            layers.GlobalAveragePooling2D(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy()
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), loss, metrics=["accuracy"])
    return model, [12, 12, 1], "classes"


def branches():
    inputs = keras.Input((6,))
    shared = layers.Dense(5, activation="tanh")
    nested = keras.Sequential([keras.Input((5,)), layers.Dense(5), layers.LeakyReLU(0.2)], name="nested")
    left, right = shared(inputs), layers.Dense(5)(inputs)
    again = shared(layers.Dense(6, activation="elu")(inputs))
    joined = layers.Concatenate()([nested(left), nested(right), layers.Add()([left, again])])
    model = keras.Model(inputs, layers.Dense(10, activation="softmax")(joined))
    model.compile(keras.optimizers.RMSprop(0.001), "sparse_categorical_crossentropy")
    return model, [6], "classes"


def lstm():
    model = keras.Sequential(
        [
            layers.Embedding(20, 8, input_length=7),
            layers.Bidirectional(layers.LSTM(4, return_sequences=True)),
            layers.GRU(5, return_sequences=True),
            layers.LSTM(3),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.build((None, 7))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, [7], "words"


def states():
    """A layer that starts from the state of another, and attention: tensors in keyword arguments."""
    inputs = keras.Input((4, 3))
    _, hidden, cell = layers.LSTM(3, return_state=True)(inputs)
    decoded = layers.LSTM(3, return_sequences=True)(inputs, initial_state=[hidden, cell])
    attended = layers.MultiHeadAttention(2, 3)(decoded, value=inputs)
    normed = layers.LayerNormalization()(layers.TimeDistributed(layers.Dense(4))(attended))
    model = keras.Model(inputs, layers.Dense(10, activation="softmax")(layers.Flatten()(normed)))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, [4, 3], "classes"


MODELS = (mlp, cnn, branches, lstm, states)


def write(folder: Path) -> None:
    """Train each model a step, and save it in each format with an input, its answer, and what comes next."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)  # a few small steps are not worth compiling
    for build in MODELS:
        keras.utils.set_random_seed(1)
        name = build.__name__
        model, shape, what = build()
        random = np.random.default_rng(0)
        x = random.integers(0, 20, (8, *shape)) if what == "words" else random.random((8, *shape))
        x, y = x.astype("float32"), random.integers(0, 10, 8)
        model.fit(x, y, epochs=2, verbose=0)
        answer = model(x, training=False).numpy()
        (folder / f"{name}.json").write_text(model.to_json())
        model.save(folder / f"{name}.keras")
        model.save(folder / f"{name}.h5")
        model.save_weights(folder / f"{name}.weights.h5", save_format="h5")  # nearly Keras 3's layout
        model.save_weights(folder / f"{name}_weights.h5", save_format="h5")  # Keras 2's own
        model.save_weights(folder / f"{name}.ckpt", save_format="tf")
        tf.train.Checkpoint(model=model).write(str(folder / f"{name}.wrapped"))
        if build is mlp:
            model.save(folder / f"{name}_saved_model", save_format="tf")
        model.fit(x, y, epochs=1, verbose=0, shuffle=False)
        np.savez(folder / f"{name}.npz", x=x, y=y, answer=answer, next=model(x, training=False).numpy())


def read(folder: Path) -> None:
    """Load each file of ours that Keras 2 can read; print the largest difference to our answer for each."""
    differences = {}
    for build in MODELS:
        name = build.__name__
        expected = np.load(folder / f"{name}.npz")
        for suffix in ("weights.h5", "ckpt"):
            if (name, suffix) == ("states", "weights.h5"):
                continue  # Keras 2's .weights.h5 has other names for the parts of attention
            model, _, _ = build()
            model(expected["x"])
            path = folder / f"{name}.{suffix}"
            if suffix == "ckpt":
                model.load_weights(path).assert_existing_objects_matched()
            else:
                model.load_weights(path)
            answer = model(expected["x"], training=False).numpy()
            differences[f"{name}.{suffix}"] = float(np.abs(answer - expected["answer"]).max())
    print(json.dumps(differences))


if __name__ == "__main__":
    {"write": write, "read": read}[sys.argv[1]](Path(sys.argv[2]))
