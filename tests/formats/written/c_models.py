"""Small models, one for each layer and option that C is written for."""

import keras
import numpy as np
from keras import layers


def sequential(shape, *body, dtype=None):
    return keras.Sequential([keras.Input(shape, dtype=dtype), *body])


def normalized(**options):
    """A batch normalization whose numbers are not those of a new layer."""
    random = {
        name: keras.initializers.RandomUniform(0.5, 1.5, seed=1)
        for name in ("beta", "gamma", "moving_mean", "moving_variance")
    }
    return layers.BatchNormalization(**{f"{name}_initializer": value for name, value in random.items()}, **options)


def biased(layer, *arguments, **options):
    return layer(*arguments, bias_initializer="normal", **options)


def residual():
    image = keras.Input((8, 6, 3), name="image")
    first = normalized()(biased(layers.Conv2D, 4, 3, padding="same", activation="relu")(image))
    second = layers.Conv2D(4, 3, padding="same", use_bias=False)(first)
    together = layers.Add()([first, normalized()(second)])
    gate = layers.Dense(4, activation="sigmoid")(layers.GlobalAveragePooling2D(keepdims=True)(together))
    return keras.Model(
        image, layers.Dense(5, activation="softmax")(layers.Flatten()(layers.Multiply()([gate, together])))
    )


def two_and_two():
    one, other = keras.Input((4, 3), name="one"), keras.Input((2, 3), name="other")
    joined = layers.Concatenate(axis=1)([one, other])
    dense = biased(layers.Dense, 3, activation="tanh")
    shared = layers.Maximum()([dense(one), layers.Rescaling(2.0, -1.0)(dense(one))])
    beside = layers.Concatenate()([shared, one, shared])
    return keras.Model([one, other], [layers.Permute((2, 1))(joined), shared, layers.Flatten()(beside)])


def outputs_inside():
    given = keras.Input((5,))
    first = layers.Dense(4)(given)
    second = layers.ReLU()(first)
    return keras.Model(given, [first, second, layers.Reshape((2, 2))(second), given])


def merges():
    one, other, third = (keras.Input((3, 4), name=name) for name in ("one", "other", "third"))
    several = [
        layers.Add()([one, other, third]),
        layers.Subtract()([one, other]),
        layers.Average()([one, other, third]),
    ]
    several += [layers.Multiply()([one, other, third]), layers.Minimum()([one, third]), layers.Add()([one, one])]
    return keras.Model([one, other, third], layers.Add()(several))


def repeated(place):
    """Merges in which the input at ``place`` has one number for several of the others."""
    given = [keras.Input((3, 1) if index == place else (3, 4), name=f"x{index}") for index in range(3)]
    return keras.Model(given, layers.Add()(given))


def normalized_twice():
    """A convolution that two normalizations share, which must not be folded."""
    given = keras.Input((4, 4, 2))
    made = layers.Conv2D(3, 2)(given)
    return keras.Model(given, [normalized()(made), normalized()(made)])


def long_chain():
    """Buffers that are used in turn, while the first value is still needed at the end."""
    given = keras.Input((6,))
    first = made = layers.Dense(7, activation="softsign")(given)
    for units in (9, 3, 12, 7):
        made = layers.Dense(units, activation="elu")(made)
    return keras.Model(given, layers.Subtract()([made, first]))


def activation(name):
    return sequential((3, 5), layers.Dense(6), layers.Activation(name))


ACTIVATIONS = [
    "elu",
    "exponential",
    "gelu",
    "hard_sigmoid",
    "hard_silu",
    "leaky_relu",
    "mish",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
]
ACTIVATIONS += ["softsign", "tanh"]
MODELS = {
    "dense": lambda: sequential((7,), biased(layers.Dense, 5, activation="relu"), layers.Dense(3)),
    "dense on the last axis": lambda: sequential((2, 3, 4), biased(layers.Dense, 5)),
    "convolution": lambda: sequential((9, 8, 3), biased(layers.Conv2D, 4, (3, 2))),
    "uneven same padding": lambda: sequential((9, 8, 3), biased(layers.Conv2D, 4, (4, 3), strides=2, padding="same")),
    "dilation": lambda: sequential((9, 8, 3), layers.Conv2D(4, 3, dilation_rate=(2, 3), padding="same")),
    "groups": lambda: sequential((5, 5, 6), biased(layers.Conv2D, 9, 2, groups=3)),
    "one dimension": lambda: sequential((9, 4), biased(layers.Conv1D, 3, 4, padding="causal", dilation_rate=2)),
    "depthwise": lambda: sequential((7, 6, 3), biased(layers.DepthwiseConv2D, 3, depth_multiplier=2, padding="same")),
    "depthwise, folded": lambda: sequential((7, 6, 3), layers.DepthwiseConv2D(3, depth_multiplier=2), normalized()),
    "separable": lambda: sequential((7, 6, 3), biased(layers.SeparableConv2D, 4, 3, strides=2, padding="same")),
    "pooling": lambda: sequential(
        (9, 8, 3), layers.MaxPooling2D(3, 2, padding="same"), layers.AveragePooling2D(3, 2, padding="same")
    ),
    "global maximum": lambda: sequential((5, 4, 3), layers.GlobalMaxPooling2D()),
    "global, one dimension": lambda: sequential((5, 3), layers.GlobalAveragePooling1D()),
    "zero padding": lambda: sequential((3, 4, 2), layers.ZeroPadding2D(((1, 2), (0, 3))), layers.Conv2D(2, 2)),
    "normalization alone": lambda: sequential((3, 4), normalized()),
    "normalized twice": normalized_twice,
    "layer normalization": lambda: sequential((3, 8), layers.LayerNormalization(beta_initializer="normal")),
    "embedding": lambda: sequential((6,), layers.Embedding(11, 4), layers.Flatten(), layers.Dense(3), dtype="int32"),
    "bytes": lambda: sequential((4, 4, 1), layers.Rescaling(1 / 255), layers.Conv2D(2, 2), dtype="uint8"),
    "rescaled channels": lambda: sequential((4, 3), layers.Rescaling([1.0, 2.0, 3.0], [0.0, 1.0, 0.5])),
    "permute and reshape": lambda: sequential((2, 3, 4), layers.Permute((3, 1, 2)), layers.Reshape((8, 3))),
    "upsampling": lambda: sequential((2, 3, 2), layers.UpSampling2D((2, 3))),
    "limited relu": lambda: sequential((9,), layers.ReLU(max_value=1.5, negative_slope=0.1, threshold=0.2)),
    "relu with a threshold": lambda: sequential((9,), layers.ReLU(threshold=0.4)),
    "residual": residual,
    "two inputs, three outputs": two_and_two,
    "outputs inside": outputs_inside,
    "merges": merges,
    "long chain": long_chain,
    "nothing to compute": lambda: sequential((3, 2), layers.Dropout(0.5), layers.Flatten()),
    **{f"repeated {place}": lambda place=place: repeated(place) for place in range(3)},
    **{name: lambda name=name: activation(name) for name in ACTIVATIONS},
}


def inputs(model, count=5):
    random = np.random.default_rng(3)
    shapes = [(count, *item.shape[1:]) for item in model.inputs]
    return [
        random.integers(0, 11, shape).astype(item.dtype)
        if "int" in item.dtype
        else random.normal(size=shape).astype("f")
        for shape, item in zip(shapes, model.inputs, strict=True)
    ]
