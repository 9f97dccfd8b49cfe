"""Models as other people have them, with weights, biases and batch statistics that are not the initial ones."""

import keras
import numpy as np
from keras import layers


def randomized(model):
    """Return the model with other weights; the variances of a batch stay positive."""
    random = np.random.default_rng(0)
    for layer in model._flatten_layers():
        if isinstance(layer, layers.BatchNormalization):
            shape = layer.moving_mean.shape
            layer.moving_mean.assign(random.normal(0, 0.3, shape))
            layer.moving_variance.assign(random.uniform(0.5, 2, shape))
        for variable in layer.trainable_variables:
            if len(variable.shape) == 1:
                variable.assign(variable + random.uniform(-0.2, 0.2, variable.shape))
    return model


def two_in_two_out():
    """Inputs of different dtypes, and names that are no identifiers of C or any other language."""
    age, job = keras.Input((), name="age"), keras.Input((3,), dtype="int32", name="job-title")
    embedded = layers.Flatten()(layers.Embedding(7, 2)(job))
    joined = layers.Concatenate()([layers.Reshape((1,))(age), embedded])
    price = layers.Dense(1, name="price-eur")(joined)
    return keras.Model([age, job], [price, layers.Dense(3, activation="softmax", name="class")(joined)])


def dicts():
    age, job = keras.Input((2,), name="age"), keras.Input((3,), name="job")
    joined = layers.Concatenate()([age, job])
    return keras.Model(
        {"age": age, "job": job},
        {"price": layers.Dense(1, name="price")(joined), "sum": layers.Dense(2, name="sum")(joined)},
    )


def resnet():
    inputs = x = keras.Input((16, 16, 3))
    x = layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same", use_bias=False)(x))
    for filters, strides in ((8, 1), (16, 2)):
        short = layers.Conv2D(filters, 1, strides=strides)(x)
        x = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(filters, 3, strides, padding="same")(x)))
        x = layers.BatchNormalization()(layers.Conv2D(filters, 3, padding="same")(x))
        x = layers.ReLU()(layers.Add()([x, short]))
    return keras.Model(inputs, layers.Dense(5, activation="softmax")(layers.GlobalAveragePooling2D()(x)), name="resnet")


def mobile_net():
    return keras.applications.MobileNetV2((32, 32, 3), alpha=0.35, weights=None, classes=10)


def text():
    tokens = keras.Input((12,), dtype="int32", name="tokens")
    x = layers.Conv1D(8, 3, activation="relu")(layers.Embedding(50, 8)(tokens))
    return keras.Model(tokens, layers.Dense(2, activation="softmax")(layers.GlobalMaxPooling1D()(x)))


def open_text():
    """A text of any length, which neither C nor the programs have."""
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    x = layers.Conv1D(8, 3, activation="relu")(layers.Embedding(50, 8)(tokens))
    return keras.Model(tokens, layers.Dense(2, activation="softmax")(layers.GlobalMaxPooling1D()(x)))


def lstm():
    return keras.Sequential([keras.Input((7, 3)), layers.LSTM(6), layers.Dense(2)])
