"""Convolutions of one, two and three dimensions, with each option that matters."""

from itertools import product

from keras import Input, Sequential, layers

from models.building import FIRST, IMAGE, RANKS, SERIES, Build, chain, first, layer

MODELS: dict[str, Build] = {
    "Conv1D causal": chain(SERIES, layer("Conv1D", 4, 3, padding="causal", dilation_rate=2)),
    "Conv1D causal any length": chain((None, 4), layer("Conv1D", 5, 2, padding="causal")),
    "Conv1D causal strides": chain(SERIES, layer("Conv1D", 4, 3, padding="causal", strides=2)),
    "Conv1D causal twice": chain(
        SERIES, layer("Conv1D", 4, 3, padding="causal"), layer("Conv1D", 4, 3, padding="causal", dilation_rate=3)
    ),
    "Conv1D causal groups": chain(SERIES, layer("Conv1D", 4, 3, padding="causal", groups=2)),
    "Conv1D same any length": chain((None, 4), layer("Conv1D", 5, 3, strides=2, padding="same")),
    "Conv1D window below stride": chain(SERIES, layer("Conv1D", 3, 1, strides=3, padding="same")),
    "Conv2D any size": chain((None, None, 3), layer("Conv2D", 4, 3), layer("GlobalMaxPooling2D")),
    "Conv2D same any size": chain((None, None, 3), layer("Conv2D", 4, 3, strides=2, padding="same")),
    "Conv2D dilated any size": chain((None, None, 3), layer("Conv2D", 4, 2, dilation_rate=2, padding="same")),
    "Conv2D window below stride": chain(IMAGE, layer("Conv2D", 3, 2, strides=3, padding="same")),
    "Conv2D 1x1 strides": chain(IMAGE, layer("Conv2D", 3, 1, strides=(2, 3), padding="same")),
    "Conv2D uneven": chain(IMAGE, layer("Conv2D", 4, (1, 3), strides=(2, 1), padding="same")),
    "Conv2D uneven dilation": chain(IMAGE, layer("Conv2D", 4, (2, 3), dilation_rate=(3, 1))),
    "Conv2D two groups": chain((8, 9, 4), layer("Conv2D", 6, 3, groups=2, activation="gelu")),
    "Conv2D groups same strides": chain((8, 9, 4), layer("Conv2D", 8, 3, groups=4, strides=2, padding="same")),
    "Conv2D groups dilation": chain((8, 9, 4), layer("Conv2D", 4, 2, groups=2, dilation_rate=2, use_bias=False)),
    "Conv2D groups any size": chain((None, None, 4), layer("Conv2D", 4, 3, groups=2, padding="same")),
    "Conv2D large kernel": chain((8, 9, 1), layer("Conv2D", 2, 8, padding="same")),
    "Conv2D lora": lambda: conv_lora(),
    "Conv2D leaky twice": chain(
        IMAGE, layer("Conv2D", 4, 3, activation="leaky_relu"), layer("Conv2D", 4, 3, activation="leaky_relu")
    ),
    "Conv2D groups leaky twice": chain(
        (8, 9, 4), layer("Conv2D", 4, 3, groups=2, activation="leaky_relu"), layer("Conv2D", 4, 3, groups=4)
    ),
    "Conv2DTranspose any size": chain((None, None, 3), layer("Conv2DTranspose", 4, 3, strides=2, padding="same")),
    "Conv2DTranspose uneven": chain(IMAGE, layer("Conv2DTranspose", 4, (2, 3), strides=(3, 2))),
    "Conv2DTranspose both paddings": chain(
        IMAGE, layer("Conv2DTranspose", 4, 4, strides=3, padding="same", output_padding=(2, 1))
    ),
    "Conv1DTranspose any length": chain((None, 4), layer("Conv1DTranspose", 3, 3, strides=2)),
    "Conv3D any size": chain((None, None, None, 2), layer("Conv3D", 3, 2, strides=2, padding="same")),
    "Conv3D window below stride": chain((4, 5, 6, 2), layer("Conv3D", 3, 1, strides=2, padding="same")),
    "Conv3D window below stride uneven": chain(
        (7, 8, 9, 1), layer("Conv3D", 2, (1, 2, 1), strides=(3, 3, 2), padding="same")
    ),
    "Conv3D window 2 strides 3": chain((7, 8, 10, 2), layer("Conv3D", 3, 2, strides=3, padding="same")),
    "Conv3D uneven": chain((4, 5, 6, 2), layer("Conv3D", 3, (1, 2, 3), strides=(1, 2, 1), padding="same")),
    "SeparableConv1D any length": chain((None, 4), layer("SeparableConv1D", 3, 3, padding="same")),
    "DepthwiseConv2D any size": chain((None, None, 3), layer("DepthwiseConv2D", 3, padding="same")),
    "DepthwiseConv2D uneven": chain(IMAGE, layer("DepthwiseConv2D", (2, 3), padding="same", use_bias=False)),
    "DepthwiseConv2D window below stride": chain(IMAGE, layer("DepthwiseConv2D", 2, strides=3, padding="same")),
    "SeparableConv2D window below stride": chain(IMAGE, layer("SeparableConv2D", 4, 1, strides=2, padding="same")),
}
for rank, shape in RANKS.items():
    conv, turned = f"Conv{rank}D", first(shape)
    transpose = f"{conv}Transpose"
    MODELS |= {
        conv: chain(shape, layer(conv, 4, 3, activation="relu")),
        f"{conv} same strides": chain(shape, layer(conv, 4, 2, strides=2, padding="same")),
        f"{conv} no bias tanh": chain(shape, layer(conv, 4, 2, use_bias=False, activation="tanh")),
        f"{conv} dilation": chain(shape, layer(conv, 4, 2, dilation_rate=2, activation="hard_silu")),
        f"{conv} groups": chain(shape, layer(conv, 2 * shape[-1], 2, groups=shape[-1])),
        f"{conv} channels first": chain(turned, layer(conv, 4, 3, padding="same", **FIRST)),
        f"{conv} channels first strides": chain(turned, layer(conv, 4, 2, strides=2, **FIRST)),
        f"{conv} softmax first": chain(turned, layer(conv, 4, 2, activation="softmax", **FIRST)),
        transpose: chain(shape, layer(transpose, 3, 3, strides=2, padding="same")),
        f"{transpose} valid": chain(shape, layer(transpose, 3, 3, strides=2, activation="leaky_relu")),
        f"{transpose} kernel below stride": chain(shape, layer(transpose, 3, 2, strides=3)),
        f"{transpose} kernel below stride same": chain(shape, layer(transpose, 3, 1, strides=2, padding="same")),
        f"{transpose} channels first": chain(turned, layer(transpose, 3, 3, strides=2, **FIRST)),
        f"{transpose} output padding": chain(shape, layer(transpose, 3, 3, strides=2, output_padding=1)),
        f"{transpose} dilation": chain(shape, layer(transpose, 3, 2, dilation_rate=2)),
        f"{transpose} no strides": chain(shape, layer(transpose, 3, 2, use_bias=False)),
    }
for rank, shape in list(RANKS.items())[:2]:
    for kind, filters in (("Depthwise", ()), ("Separable", (5,))):
        conv = f"{kind}Conv{rank}D"
        MODELS |= {
            conv: chain(shape, layer(conv, *filters, 3, depth_multiplier=2, activation="relu6")),
            f"{conv} same strides": chain(shape, layer(conv, *filters, 3, strides=2, padding="same")),
            f"{conv} dilation": chain(shape, layer(conv, *filters, 2, dilation_rate=2)),
            f"{conv} dilation same": chain(shape, layer(conv, *filters, 2, dilation_rate=2, padding="same")),
            f"{conv} channels first": chain(first(shape), layer(conv, *filters, 2, activation="tanh", **FIRST)),
        }
for kernel, stride, padding in product((1, 2, 3), (1, 2, 3), ("valid", "same")):
    MODELS[f"Conv2D {kernel} by {stride} {padding}, odd"] = chain(
        (7, 10, 2), layer("Conv2D", 2, kernel, strides=stride, padding=padding)
    )


def conv_lora() -> Sequential:
    model = Sequential([Input(IMAGE), layers.Conv2D(4, 3), layers.Flatten(), layers.Dense(2)])
    model.layers[0].enable_lora(2)
    return model
