"""Small models for the programs: each layer that they have, and how layers meet."""

import keras
import numpy as np

layers = keras.layers


def sequential(shape, *parts, dtype="float32"):
    return keras.Sequential([keras.Input(shape, dtype=dtype), *parts])


def residual():
    image = keras.Input((6, 6, 4))
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(image)
    x = x + image
    x = layers.Multiply()([x, layers.GlobalAveragePooling2D(keepdims=True)(x)])
    x = layers.Concatenate()([x, image])
    return keras.Model(image, layers.Dense(3)(layers.GlobalMaxPooling2D()(x)))


def two_and_two():
    image, number = keras.Input((5, 4, 2), name="an image"), keras.Input((3,), dtype="int32", name="class")
    shared = layers.Dense(4, name="return")
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(4, "tanh")], name='x"""; import os')
    one = shared(layers.Dense(3)(number))
    two = inner(shared(layers.Dense(3)(layers.GlobalMaxPooling2D()(image))))
    joined = layers.Concatenate(axis=1)([inner(one), two])
    outputs = {"b": layers.Dense(3, "softmax", name="np")(joined), "a": layers.Subtract()([one, two])}
    return keras.Model([image, number], outputs)


def mixed_precision():
    return keras.Sequential([keras.Input((5, 5, 2)), layers.Conv2D(3, 2, dtype="mixed_float16"), layers.Flatten()])


MODELS = {
    "dense": lambda: sequential((7,), layers.Dense(5, "relu"), layers.Dropout(0.5), layers.Dense(3, "softmax")),
    "dense on images": lambda: sequential((4, 5, 3), layers.Dense(2), layers.Softmax()),
    "convolution": lambda: sequential((8, 7, 2), layers.Conv2D(4, (3, 2), activation="relu"), layers.Flatten()),
    "same": lambda: sequential((8, 7, 2), layers.Conv2D(4, (3, 4), padding="same", use_bias=False)),
    "uneven same": lambda: sequential((8, 7, 2), layers.Conv2D(4, 3, strides=2, padding="same")),
    "strides": lambda: sequential((9, 8, 2), layers.Conv2D(3, 2, strides=(3, 2), padding="same")),
    "dilation": lambda: sequential((9, 8, 2), layers.Conv2D(3, 3, dilation_rate=(2, 1), padding="same")),
    "groups": lambda: sequential((6, 6, 4), layers.Conv2D(6, 3, groups=2)),
    "depthwise": lambda: sequential(
        (6, 5, 3), layers.DepthwiseConv2D(3, strides=2, padding="same", depth_multiplier=2)
    ),
    "separable": lambda: sequential((6, 5, 3), layers.SeparableConv2D(4, 3, padding="same", activation="silu")),
    "one dimension": lambda: sequential(
        (9, 3), layers.Conv1D(4, 3, padding="causal", dilation_rate=2), layers.GlobalAveragePooling1D()
    ),
    "strides in one dimension": lambda: sequential(
        (8, 4), layers.Conv1D(4, 3, strides=2, padding="same", groups=2), layers.GlobalMaxPooling1D()
    ),
    "pooling": lambda: sequential((7, 8, 2), layers.MaxPooling2D(3, 2, "same"), layers.AveragePooling2D(2)),
    "mean of the edge": lambda: sequential((7, 8, 2), layers.AveragePooling2D(3, 2, "same")),
    "padding": lambda: sequential((5, 4, 2), layers.ZeroPadding2D(((0, 1), (2, 0))), layers.UpSampling2D((2, 3))),
    "batch norm": lambda: sequential((5, 4, 3), layers.Conv2D(4, 2), layers.BatchNormalization(), layers.ReLU(6.0)),
    "batch norm without scale": lambda: sequential((5,), layers.BatchNormalization(scale=False, center=False)),
    "batch norm of sequences": lambda: sequential((5, 3), layers.Conv1D(4, 2), layers.BatchNormalization()),
    "layer norm": lambda: sequential((5, 6), layers.LayerNormalization(), layers.LayerNormalization(center=False)),
    "embedding": lambda: sequential(
        (6,), layers.Embedding(9, 4), layers.Permute((2, 1)), layers.Reshape((3, 8)), layers.Flatten(), dtype="int32"
    ),
    "rescaling": lambda: sequential(
        (5, 5, 3), layers.Rescaling(1 / 255, [0.1, 0.2, 0.3]), layers.RandomFlip(), layers.Conv2D(2, 3), dtype="uint8"
    ),
    "softmax over classes": lambda: sequential((4, 4, 2), layers.Conv2D(5, 1, activation="softmax")),
    "relus": lambda: sequential(
        (30,), layers.ReLU(3.0, 0.1, 0.5), layers.LeakyReLU(0.3), layers.ELU(0.7), layers.Dense(9, "relu6")
    ),
    "average and maximum": lambda: merged(3),
    "residual": residual,
    "two inputs and outputs": two_and_two,
    "mixed precision": mixed_precision,
}
FUNCTIONS = ("elu", "exponential", "gelu", "hard_sigmoid", "hard_silu", "leaky_relu", "mish", "relu", "selu", "sigmoid")
MODELS |= {
    name: lambda name=name: sequential((9,), layers.Dense(40, name), layers.Dense(4))
    for name in (*FUNCTIONS, "silu", "softplus", "softsign", "tanh", "linear")
}


def merged(channels):
    one, two = keras.Input((5, 4, channels)), keras.Input((5, 4, channels))
    first, second = layers.Conv2D(channels, 1)(one), layers.Conv2D(channels, 1)(two)
    x = layers.Average()([first, second, two])
    return keras.Model([one, two], layers.Minimum()([layers.Maximum()([x, first]), two]))


def with_random_weights(model):
    """Give every weight a number of its own, also the statistics of the normalizations."""
    random = np.random.default_rng(1)
    model.set_weights([random.uniform(-1, 1, item.shape) + ("variance" in item.path) * 1.5 for item in model.weights])
    return model
