"""Random architectures: chains of image layers with residual connections, nested in another model."""

from keras import Input, Model, layers

# name -> a layer, of which a number from 1 to 5 decides something
STEPS = {
    "conv": lambda n: layers.Conv2D(n, 3, padding="same", activation="leaky_relu"),
    "strided": lambda n: layers.Conv2D(n, 2, strides=3, padding="same", use_bias=False),
    "depthwise": lambda n: layers.DepthwiseConv2D(3, padding="same", depth_multiplier=1 + n % 2),
    "separable": lambda n: layers.SeparableConv2D(n, 3, padding="same", activation="hard_silu"),
    "transpose": lambda n: layers.Conv2DTranspose(n, 3, strides=2, padding="same"),
    "norm": lambda n: layers.BatchNormalization(),
    "layer norm": lambda n: layers.LayerNormalization(),
    "pool": lambda n: layers.MaxPooling2D(2, padding="same"),
    "average": lambda n: layers.AveragePooling2D(3, strides=1 + n % 2, padding="same"),
    "elu": lambda n: layers.ELU(n / 3),
    "prelu": lambda n: layers.PReLU(shared_axes=[1, 2]),
    "pad": lambda n: layers.ZeroPadding2D(((1, 0), (0, n % 3))),
    "up": lambda n: layers.UpSampling2D(2, interpolation="bilinear" if n % 2 else "nearest"),
    "permute": lambda n: layers.Permute((2, 1, 3)),
    "dense": lambda n: layers.Dense(n, activation="gelu"),
    "drop": lambda n: layers.SpatialDropout2D(0.3),
}


def random_model(steps: list[tuple[str, int, bool]], twice: bool) -> Model:
    """A chain of layers with residual connections, as a model called once or twice within another."""
    inputs = x = Input((7, 5, 3))
    for name, number, residual in steps:
        y = STEPS[name](number)(x)
        if y.shape[1] > 20:
            y = layers.AveragePooling2D(4)(y)
        x = layers.Maximum()([x, y]) - 0.5 * x if residual and y.shape == x.shape else y
    inner = Model(inputs, layers.Dense(3, activation="tanh")(layers.GlobalAveragePooling2D()(x)))
    outside, other = Input((7, 5, 3)), Input((7, 5, 3))
    once = layers.Concatenate()([inner(outside), layers.Flatten()(other)])
    return Model([outside, other], [inner(outside), inner(other)] if twice else once)
