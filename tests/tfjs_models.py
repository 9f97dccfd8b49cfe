"""Small models for the TF.js matrix: one for each layer and each option that matters.

``EQUAL`` maps a name to a function that builds a model which must answer the same in TF.js, ``REFUSED`` to one
that must be refused, with the words that the refusal must hold.
"""

from collections.abc import Callable

import keras
import numpy as np
from keras import Input, Model, Sequential, layers, ops

Build = Callable[[], keras.Model]


def chain(shape: tuple[int | None, ...], *parts: Callable[[], keras.Layer], dtype: str = "float32") -> Build:
    """A Sequential of layers that are made when the model is built."""
    return lambda: Sequential([Input(shape, dtype=dtype), *(part() for part in parts)])


def of(function: Callable[..., object], *shapes: tuple[int | None, ...], dtype: str = "float32") -> Build:
    """A functional model: ``function`` of one Input a shape."""

    def build() -> keras.Model:
        inputs = [Input(shape, dtype=dtype) for shape in shapes]
        return Model(inputs[0] if len(inputs) == 1 else inputs, function(*inputs))

    return build


def layer(name: str, *args: object, **options: object) -> Callable[[], keras.Layer]:
    return lambda: getattr(layers, name)(*args, **options)


VECTOR, SERIES, IMAGE, VOLUME = (6,), (7, 4), (8, 9, 3), (4, 5, 6, 2)
FIRST = {"data_format": "channels_first"}
EQUAL: dict[str, Build] = {}
REFUSED: dict[str, tuple[Build, str]] = {}


def dense_and_activations() -> None:
    EQUAL["dense"] = chain(VECTOR, layer("Dense", 4))
    EQUAL["dense no bias"] = chain(VECTOR, layer("Dense", 4, use_bias=False))
    EQUAL["dense of a series"] = chain(SERIES, layer("Dense", 4, activation="relu"))
    EQUAL["dense of an image"] = chain(IMAGE, layer("Dense", 4, activation="softmax"))
    names = (
        "celu elu gelu hard_shrink hard_sigmoid hard_silu hard_tanh leaky_relu linear log_sigmoid log_softmax mish"
        " relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_sigmoid tanh tanh_shrink"
    )
    for name in names.split():
        EQUAL[f"dense {name}"] = chain(VECTOR, layer("Dense", 5, activation=name))
        EQUAL[f"activation {name}"] = chain(VECTOR, layer("Activation", name))
    for name in ("exponential", "sparse_plus", "squareplus", "sparsemax", "glu"):
        REFUSED[f"activation {name}"] = chain(VECTOR, layer("Activation", name)), name
        REFUSED[f"dense {name}"] = chain(VECTOR, layer("Dense", 4, activation=name)), name
    EQUAL["relu"] = chain(VECTOR, layer("ReLU"))
    EQUAL["relu max"] = chain(VECTOR, layer("ReLU", max_value=0.7))
    EQUAL["relu slope"] = chain(VECTOR, layer("ReLU", negative_slope=0.3))
    EQUAL["relu slope and max"] = chain(VECTOR, layer("ReLU", negative_slope=0.3, max_value=0.5))
    EQUAL["relu threshold"] = chain(VECTOR, layer("ReLU", threshold=0.4))
    REFUSED["relu threshold and max"] = chain(VECTOR, layer("ReLU", threshold=0.4, max_value=1)), "threshold"
    EQUAL["leaky relu"] = chain(VECTOR, layer("LeakyReLU", negative_slope=0.15))
    EQUAL["elu"] = chain(VECTOR, layer("ELU"))
    EQUAL["elu alpha"] = chain(VECTOR, layer("ELU", alpha=0.4))
    EQUAL["prelu"] = chain(SERIES, layer("PReLU"))
    EQUAL["prelu shared"] = chain(IMAGE, layer("PReLU", shared_axes=[1, 2]))
    EQUAL["softmax layer"] = chain(SERIES, layer("Softmax"))
    EQUAL["softmax axis 1"] = chain(SERIES, layer("Softmax", axis=1))
    REFUSED["softmax two axes"] = chain(SERIES, layer("Softmax", axis=(1, 2))), "axes"
    REFUSED["dense lora"] = lambda: lora_model(), "lora"
    REFUSED["dense float16"] = chain(VECTOR, layer("Dense", 4, dtype="mixed_float16")), "mixed_float16"
    REFUSED["lambda"] = chain(VECTOR, layer("Lambda", lambda x: x + 1)), "Lambda"


def lora_model() -> keras.Model:
    model = Sequential([Input(VECTOR), layers.Dense(4)])
    model.layers[0].enable_lora(2)
    return model


def convolutions() -> None:
    for rank, shape in ((1, SERIES), (2, IMAGE), (3, VOLUME)):
        conv, first = f"Conv{rank}D", (shape[-1], *shape[:-1])
        EQUAL[f"{conv}"] = chain(shape, layer(conv, 4, 3, activation="relu"))
        EQUAL[f"{conv} same strides"] = chain(shape, layer(conv, 4, 2, strides=2, padding="same"))
        EQUAL[f"{conv} no bias tanh"] = chain(shape, layer(conv, 4, 2, use_bias=False, activation="tanh"))
        EQUAL[f"{conv} dilation"] = chain(shape, layer(conv, 4, 2, dilation_rate=2, activation="hard_silu"))
        EQUAL[f"{conv} channels first"] = chain(first, layer(conv, 4, 3, padding="same", **FIRST))
        EQUAL[f"{conv} groups"] = chain(shape, layer(conv, 2 * shape[-1], 2, groups=shape[-1]))
        EQUAL[f"{conv}Transpose"] = chain(shape, layer(f"{conv}Transpose", 3, 3, strides=2, padding="same"))
        EQUAL[f"{conv}Transpose valid"] = chain(
            shape, layer(f"{conv}Transpose", 3, 2, strides=3, activation="leaky_relu")
        )
        EQUAL[f"{conv}Transpose channels first"] = chain(first, layer(f"{conv}Transpose", 3, 3, strides=2, **FIRST))
        REFUSED[f"{conv}Transpose output padding"] = (
            chain(shape, layer(f"{conv}Transpose", 3, 3, strides=2, output_padding=1)), "output_padding",
        )  # fmt: skip
        REFUSED[f"{conv} softmax first"] = (
            chain(first, layer(conv, 4, 2, activation="softmax", **FIRST)), "softmax",
        )  # fmt: skip
    EQUAL["Conv1D causal"] = chain(SERIES, layer("Conv1D", 4, 3, padding="causal", dilation_rate=2))
    EQUAL["Conv1D causal any length"] = chain((None, 4), layer("Conv1D", 5, 2, padding="causal"))
    EQUAL["Conv2D any size"] = chain((None, None, 3), layer("Conv2D", 4, 3), layer("GlobalMaxPooling2D"))
    EQUAL["Conv2D uneven"] = chain(IMAGE, layer("Conv2D", 4, (1, 3), strides=(2, 1), padding="same"))
    EQUAL["Conv2D two groups"] = chain((8, 9, 4), layer("Conv2D", 6, 3, groups=2, activation="gelu"))
    for rank, shape in ((1, SERIES), (2, IMAGE)):
        first = (shape[-1], *shape[:-1])
        depthwise, separable = f"DepthwiseConv{rank}D", f"SeparableConv{rank}D"
        EQUAL[depthwise] = chain(shape, layer(depthwise, 3, depth_multiplier=2, activation="relu6"))
        EQUAL[f"{depthwise} same strides"] = chain(shape, layer(depthwise, 3, strides=2, padding="same"))
        EQUAL[f"{depthwise} dilation"] = chain(shape, layer(depthwise, 2, dilation_rate=2, padding="same"))
        EQUAL[f"{depthwise} channels first"] = chain(first, layer(depthwise, 3, **FIRST))
        EQUAL[separable] = chain(shape, layer(separable, 5, 3, depth_multiplier=2, activation="relu"))
        EQUAL[f"{separable} same strides"] = chain(shape, layer(separable, 5, 3, strides=2, padding="same"))
        EQUAL[f"{separable} dilation"] = chain(shape, layer(separable, 5, 2, dilation_rate=2))
        EQUAL[f"{separable} channels first"] = chain(first, layer(separable, 5, 2, activation="tanh", **FIRST))


def shapes() -> None:
    EQUAL["flatten"] = chain(IMAGE, layer("Flatten"), layer("Dense", 2))
    EQUAL["flatten channels first"] = chain(IMAGE, layer("Flatten", **FIRST), layer("Dense", 2))
    EQUAL["flatten of a vector"] = chain(VECTOR, layer("Flatten"))
    EQUAL["flatten any length"] = chain((None, 4), layer("Flatten"))
    EQUAL["reshape"] = chain(IMAGE, layer("Reshape", (9, -1, 6)))
    EQUAL["reshape any length"] = chain((None, 4), layer("Reshape", (-1, 2)))
    EQUAL["permute"] = chain(IMAGE, layer("Permute", (3, 1, 2)))
    EQUAL["repeat vector"] = chain(VECTOR, layer("RepeatVector", 3))
    EQUAL["identity"] = chain(VECTOR, layer("Identity"), layer("Dense", 3))
    EQUAL["identity alone"] = chain(VECTOR, layer("Identity"))
    for rank, shape in ((1, SERIES), (2, IMAGE), (3, VOLUME)):
        ends = {1: (2, 1), 2: ((1, 2), (0, 3)), 3: ((1, 0), (0, 1), (2, 1))}[rank]
        EQUAL[f"zero padding {rank}D"] = chain(shape, layer(f"ZeroPadding{rank}D", ends))
        EQUAL[f"cropping {rank}D"] = chain(shape, layer(f"Cropping{rank}D", ends))
        EQUAL[f"up sampling {rank}D"] = chain(shape, layer(f"UpSampling{rank}D", 3))
        if rank > 1:
            first = (shape[-1], *shape[:-1])
            EQUAL[f"zero padding {rank}D first"] = chain(first, layer(f"ZeroPadding{rank}D", ends, **FIRST))
            EQUAL[f"up sampling {rank}D first"] = chain(first, layer(f"UpSampling{rank}D", 2, **FIRST))
    EQUAL["zero padding 1D any length"] = chain((None, 4), layer("ZeroPadding1D", (2, 1)))
    for interpolation in ("bilinear", "bicubic", "lanczos3"):
        up = layer("UpSampling2D", (2, 3), interpolation=interpolation)
        EQUAL[f"up sampling {interpolation}"] = chain(IMAGE, up)
        EQUAL[f"resizing {interpolation}"] = chain(IMAGE, layer("Resizing", 5, 12, interpolation=interpolation))
    EQUAL["up sampling of odd sizes"] = chain((13, 29, 1), layer("UpSampling2D", (7, 3)))
    EQUAL["resizing nearest"] = chain(IMAGE, layer("Resizing", 5, 12, interpolation="nearest"))
    EQUAL["center crop"] = chain(IMAGE, layer("CenterCrop", 5, 4))
    REFUSED["resizing keeps aspect"] = (
        chain(IMAGE, layer("Resizing", 5, 12, crop_to_aspect_ratio=True)), "crop_to_aspect_ratio",
    )  # fmt: skip
    REFUSED["bilinear of any size"] = (
        chain((None, None, 3), layer("UpSampling2D", 2, interpolation="bilinear")), "unknown size",
    )  # fmt: skip
    REFUSED["crop larger"] = chain(IMAGE, layer("CenterCrop", 9, 4)), "CenterCrop"


def pools() -> None:
    for rank, shape in ((1, SERIES), (2, IMAGE), (3, VOLUME)):
        first = (shape[-1], *shape[:-1])
        for kind in ("Average", "Max"):
            pool, whole = f"{kind}Pooling{rank}D", f"Global{kind}Pooling{rank}D"
            EQUAL[pool] = chain(shape, layer(pool, 2))
            EQUAL[f"{pool} same"] = chain(shape, layer(pool, 3, strides=2, padding="same"))
            EQUAL[f"{pool} channels first"] = chain(first, layer(pool, 2, strides=1, **FIRST))
            EQUAL[whole] = chain(shape, layer(whole))
            EQUAL[f"{whole} keepdims"] = chain(shape, layer(whole, keepdims=True))
            EQUAL[f"{whole} channels first"] = chain(first, layer(whole, keepdims=True, **FIRST))
        EQUAL[f"adaptive pool {rank}D"] = chain(shape, layer(f"AdaptiveAveragePooling{rank}D", 3))
        REFUSED[f"adaptive max {rank}D"] = (
            chain(shape, layer(f"AdaptiveMaxPooling{rank}D", 3)), "AdaptiveMaxPooling",
        )  # fmt: skip


def normalizations() -> None:
    EQUAL["batch norm"] = chain(VECTOR, layer("BatchNormalization"))
    EQUAL["batch norm bare"] = chain(IMAGE, layer("BatchNormalization", center=False, scale=False, epsilon=0.1))
    EQUAL["batch norm no center"] = chain(SERIES, layer("BatchNormalization", center=False))
    EQUAL["batch norm axis 1"] = chain(IMAGE, layer("BatchNormalization", axis=1))
    EQUAL["batch norm volume"] = chain(VOLUME, layer("BatchNormalization"))
    EQUAL["layer norm"] = chain(SERIES, layer("LayerNormalization"))
    EQUAL["layer norm bare"] = chain(IMAGE, layer("LayerNormalization", center=False, scale=False, epsilon=0.05))
    EQUAL["layer norm axes"] = chain(IMAGE, layer("LayerNormalization", axis=[1, 2, 3]))
    EQUAL["layer norm axis 1"] = chain(IMAGE, layer("LayerNormalization", axis=1))
    EQUAL["group norm"] = chain((4, 5, 6), layer("GroupNormalization", groups=3))
    EQUAL["group norm bare"] = chain((4, 6), layer("GroupNormalization", groups=-1, center=False, scale=False))
    mean, variance = [0.5, -1.0, 2.0], [0.3, 4.0, 1.5]
    EQUAL["normalization"] = chain(IMAGE, layer("Normalization", mean=mean, variance=variance))
    EQUAL["normalization inverse"] = chain(IMAGE, layer("Normalization", mean=mean, variance=variance, invert=True))
    EQUAL["normalization of all"] = chain(IMAGE, layer("Normalization", axis=None, mean=0.3, variance=2.0))
    EQUAL["normalization adapted"] = adapted_model
    EQUAL["normalization of integers"] = chain(
        (3,), layer("Normalization", mean=mean, variance=variance), dtype="int32"
    )
    EQUAL["rescaling"] = chain(IMAGE, layer("Rescaling", 1 / 255, offset=-0.5))
    EQUAL["rescaling channels"] = chain(IMAGE, layer("Rescaling", [0.1, 0.2, 0.3], offset=[1.0, 0.0, -1.0]))
    EQUAL["rescaling of bytes"] = chain(IMAGE, layer("Rescaling", 1 / 255), layer("Conv2D", 2, 3), dtype="uint8")
    for name in ("UnitNormalization", "RMSNormalization"):
        REFUSED[name] = chain(VECTOR, layer(name)), name
    REFUSED["dense of integers"] = chain(VECTOR, layer("Dense", 2), dtype="int32"), "integers"
    REFUSED["layer norm volume"] = chain(VOLUME, layer("LayerNormalization")), "LayerNormalization"


def adapted_model() -> keras.Model:
    normalization = layers.Normalization(axis=(1, 2))
    normalization.adapt(np.random.default_rng(0).normal(2, 3, (50, 7, 4)).astype("float32"))
    return Sequential([Input(SERIES), normalization, layers.Conv1D(3, 2)])


def training_only() -> None:
    for name, options in (
        ("Dropout", {"rate": 0.5}),
        ("AlphaDropout", {"rate": 0.5}),
        ("GaussianDropout", {"rate": 0.5}),
        ("GaussianNoise", {"stddev": 0.5}),
        ("ActivityRegularization", {"l2": 0.1}),
    ):
        EQUAL[name] = chain(VECTOR, layer("Dense", 4), layer(name, **options))
    EQUAL["Dropout noise shape"] = chain(SERIES, layer("Dropout", 0.5, noise_shape=(None, 1, 4)))
    for rank, shape in ((1, SERIES), (2, IMAGE), (3, VOLUME)):
        EQUAL[f"SpatialDropout{rank}D"] = chain(shape, layer(f"SpatialDropout{rank}D", 0.5))
    for name, options in (
        ("RandomFlip", {}),
        ("RandomRotation", {"factor": 0.2}),
        ("RandomZoom", {"height_factor": 0.2}),
        ("RandomContrast", {"factor": 0.2}),
    ):
        EQUAL[name] = chain(IMAGE, layer(name, **options), layer("Conv2D", 2, 3))
    REFUSED["RandomCrop"] = chain(IMAGE, layer("RandomCrop", 4, 4)), "RandomCrop"
    EQUAL["regularizers and constraints"] = chain(
        VECTOR,
        layer("Dense", 4, kernel_regularizer="l1", kernel_constraint="max_norm", activity_regularizer="l2"),
    )
    REFUSED["spectral normalization"] = (
        chain(VECTOR, lambda: layers.SpectralNormalization(layers.Dense(3))), "SpectralNormalization",
    )  # fmt: skip


def sequences() -> None:
    for name in ("SimpleRNN", "LSTM"):
        EQUAL[name] = chain(SERIES, layer(name, 5))
        EQUAL[f"{name} sequences"] = chain((None, 4), layer(name, 5, return_sequences=True), layer(name, 3))
        EQUAL[f"{name} backwards"] = chain(SERIES, layer(name, 5, go_backwards=True, return_sequences=True))
        EQUAL[f"{name} dropout no bias relu"] = chain(
            SERIES, layer(name, 5, use_bias=False, dropout=0.3, recurrent_dropout=0.2, activation="relu")
        )
        EQUAL[f"{name} states"] = of(lambda x, name=name: getattr(layers, name)(3, return_state=True)(x), SERIES)
        EQUAL[f"Bidirectional {name}"] = chain(SERIES, lambda name=name: layers.Bidirectional(layer(name, 4)()))
        EQUAL[f"masked {name}"] = chain(SERIES, layer("Masking"), layer(name, 5))
        EQUAL[f"RNN {name}"] = chain(SERIES, lambda name=name: layers.RNN(layer(f"{name}Cell", 4)()))
    EQUAL["GRU"] = chain(SERIES, layer("GRU", 5, reset_after=False))
    EQUAL["GRU states"] = of(
        lambda x: layers.GRU(5, reset_after=False, return_sequences=True, return_state=True)(x), SERIES
    )
    EQUAL["RNN stacked"] = chain(
        SERIES,
        lambda: layers.RNN([layers.LSTMCell(4), layers.GRUCell(3, reset_after=False)], return_sequences=True),
    )
    for mode in ("sum", "mul", "ave", "concat"):
        EQUAL[f"Bidirectional {mode}"] = chain(
            SERIES,
            lambda mode=mode: layers.Bidirectional(layers.LSTM(4, return_sequences=True), merge_mode=mode),
        )
    EQUAL["Bidirectional apart"] = of(
        lambda x: layers.Bidirectional(layers.LSTM(4, return_sequences=True), merge_mode=None)(x), SERIES
    )
    EQUAL["Bidirectional states"] = of(lambda x: layers.Bidirectional(layers.LSTM(4, return_state=True))(x), SERIES)
    EQUAL["encoder and decoder"] = of(encoder_decoder, SERIES, (5, 3))
    EQUAL["embedding"] = chain((6,), layer("Embedding", 10, 4), layer("Flatten"), layer("Dense", 2), dtype="int32")
    EQUAL["embedding of any length"] = chain((None,), layer("Embedding", 10, 4), layer("LSTM", 3), dtype="int64")
    EQUAL["embedding masked"] = chain(
        (6,), layer("Embedding", 10, 4, mask_zero=True), layer("Dropout", 0.1),
        layer("LSTM", 5, return_sequences=True), layer("LSTM", 3), dtype="int32",
    )  # fmt: skip
    EQUAL["embedding masked bidirectional"] = chain(
        (6,), layer("Embedding", 10, 4, mask_zero=True),
        lambda: layers.Bidirectional(layers.LSTM(5)), layer("Dense", 2), dtype="int32",
    )  # fmt: skip
    EQUAL["embedding mask unused"] = chain(
        (6,),
        layer("Embedding", 10, 4, mask_zero=True),
        layer("Conv1D", 3, 2),
        layer("LSTM", 3),
        dtype="int32",
    )
    EQUAL["ConvLSTM2D"] = chain((3, 6, 6, 2), layer("ConvLSTM2D", 3, 3, padding="same", return_sequences=True))
    EQUAL["ConvLSTM2D channels first"] = chain((3, 2, 6, 6), layer("ConvLSTM2D", 3, 2, strides=2, **FIRST))
    EQUAL["ConvLSTM1D"] = chain((3, 6, 2), layer("ConvLSTM1D", 3, 3))
    EQUAL["TimeDistributed Dense"] = chain(SERIES, lambda: layers.TimeDistributed(layers.Dense(3, activation="relu")))
    EQUAL["TimeDistributed hard silu"] = chain(
        SERIES, lambda: layers.TimeDistributed(layers.Dense(3, activation="hard_silu"))
    )
    REFUSED["TimeDistributed Concatenate"] = (
        chain(SERIES, lambda: layers.TimeDistributed(doubled())), "TimeDistributed",
    )  # fmt: skip
    EQUAL["TimeDistributed frozen"] = chain(
        SERIES, lambda: layers.TimeDistributed(layers.BatchNormalization(trainable=False))
    )
    EQUAL["TimeDistributed Conv2D"] = chain((3, *IMAGE), lambda: layers.TimeDistributed(layers.Conv2D(2, 3)))
    EQUAL["TimeDistributed model"] = chain((3, *IMAGE), lambda: layers.TimeDistributed(small_cnn()), layer("LSTM", 4))
    refuse_sequences()


def refuse_sequences() -> None:
    REFUSED["GRU reset after"] = chain(SERIES, layer("GRU", 5)), "reset_after"
    REFUSED["LSTM hard sigmoid"] = (
        chain(SERIES, layer("LSTM", 5, recurrent_activation="hard_sigmoid")),
        "hard_sigmoid",
    )
    REFUSED["LSTM stateful"] = (
        lambda: Sequential([Input(batch_shape=(2, 7, 4)), layers.LSTM(5, stateful=True)]), "stateful",
    )  # fmt: skip
    REFUSED["Bidirectional with another"] = (
        chain(SERIES, lambda: layers.Bidirectional(
            layers.LSTM(4), backward_layer=layers.LSTM(4, activation="relu", go_backwards=True))), "backward_layer",
    )  # fmt: skip
    REFUSED["masked bidirectional series"] = (
        chain(SERIES, layer("Masking"), lambda: layers.Bidirectional(layers.LSTM(4, return_sequences=True))),
        "zero_output_for_mask",
    )
    REFUSED["masked average"] = (
        chain((6,), layer("Embedding", 10, 4, mask_zero=True), layer("GlobalAveragePooling1D"), dtype="int32"),
        "masked",
    )
    REFUSED["a mask for one of two"] = (
        chain(SERIES, layer("Masking"), layer("LSTM", 5), layer("RepeatVector", 3), layer("LSTM", 4)), "mask",
    )  # fmt: skip
    REFUSED["masked and merged"] = (
        of(lambda x: layers.LSTM(3)(layers.add([layers.Masking()(x), layers.Dense(4)(x)])), SERIES), "mask",
    )  # fmt: skip
    REFUSED["attention"] = of(lambda x: layers.Attention()([x, x]), SERIES), "Attention"
    REFUSED["text"] = (
        lambda: Sequential([Input((1,), dtype="int32"), layers.IntegerLookup(vocabulary=[1, 2, 3])]), "IntegerLookup",
    )  # fmt: skip


def encoder_decoder(x: keras.KerasTensor, y: keras.KerasTensor) -> keras.KerasTensor:
    _, h, c = layers.LSTM(4, return_state=True)(x)
    y = layers.LSTM(4, return_sequences=True)(y, initial_state=[h, c])
    return layers.Dense(3, activation="softmax")(layers.LSTM(5, return_sequences=True)(y))


def doubled() -> keras.Model:
    inputs = Input((4,))
    return Model(inputs, layers.Concatenate()([inputs, inputs]))


def small_cnn() -> keras.Model:
    return Sequential([Input(IMAGE), layers.Conv2D(3, 3, activation="hard_sigmoid"), layers.GlobalAveragePooling2D()])


def merges() -> None:
    for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"):
        EQUAL[name] = of(lambda x, y, name=name: getattr(layers, name)()([x, y]), SERIES, SERIES)
    EQUAL["Add of three that broadcast"] = of(lambda x, y, z: layers.Add()([x, y, z]), SERIES, (1, 4), (7, 1))
    EQUAL["Concatenate axis 1"] = of(lambda x, y: layers.Concatenate(axis=1)([x, y]), SERIES, (3, 4))
    EQUAL["Dot"] = of(lambda x, y: layers.Dot(axes=1)([x, y]), VECTOR, VECTOR)
    EQUAL["Dot normalized"] = of(lambda x, y: layers.Dot(axes=-1, normalize=True)([x, y]), VECTOR, VECTOR)
    EQUAL["Dot of matrices"] = of(lambda x, y: layers.Dot(axes=(2, 1))([x, y]), SERIES, (4, 5))
    EQUAL["Dot of transposed"] = of(lambda x, y: layers.Dot(axes=(1, 2))([x, y]), SERIES, (3, 7))
    REFUSED["Dot of images"] = of(lambda x, y: layers.Dot(axes=3)([x, y]), IMAGE, IMAGE), "Dot"
    EQUAL["multi hot"] = chain((4,), layer("CategoryEncoding", num_tokens=5), dtype="int32")
    EQUAL["one hot"] = chain((1,), layer("CategoryEncoding", num_tokens=5, output_mode="one_hot"), dtype="int32")
    for equation, shape, out in (("abc,cd->abd", SERIES, (7, 5)), ("abc,cde->abde", SERIES, (7, 2, 3))):
        EQUAL[f"EinsumDense {equation}"] = chain(
            shape,
            layer("EinsumDense", equation, output_shape=out, bias_axes=equation[-1 if len(out) == 2 else -2 :]),
        )
    REFUSED["EinsumDense"] = (
        chain(SERIES, layer("EinsumDense", "abc,bd->adc", output_shape=(5, 4))),
        "EinsumDense",
    )


def operations() -> None:
    per_channel = np.array([0.5, -1.0, 2.0, 3.0], "float32")
    unary = {
        "x + 1": lambda x: x + 1, "1 - x": lambda x: 1 - x, "x * constant": lambda x: x * per_channel,
        "constant - x": lambda x: ops.subtract(per_channel, x), "x / 3": lambda x: x / 3, "-x": lambda x: -x,
        "x ** 3": lambda x: x**3, "square": ops.square, "abs": ops.abs, "maximum 0.5": lambda x: ops.maximum(x, 0.5),
        "minimum 0.5": lambda x: ops.minimum(x, 0.5), "clip": lambda x: ops.clip(x, -0.5, 1.0), "relu": ops.relu,
        "gelu approximate": ops.gelu, "gelu": lambda x: ops.gelu(x, approximate=False), "softmax": ops.softmax,
        "log softmax": ops.log_softmax, "elu": lambda x: ops.elu(x, 0.3), "leaky": ops.leaky_relu, "silu": ops.silu,
        "hard sigmoid": ops.hard_sigmoid, "sigmoid": ops.sigmoid, "tanh": ops.tanh, "relu6": ops.relu6,
        "reshape": lambda x: ops.reshape(x, (-1, 14, 2)), "transpose": lambda x: ops.transpose(x, (0, 2, 1)),
        "swap": lambda x: ops.swapaxes(x, 1, 2), "mean": lambda x: ops.mean(x, axis=1),
        "mean of all": lambda x: ops.mean(x, axis=(1, 2), keepdims=True), "sum": lambda x: ops.sum(x, axis=-1),
        "max": lambda x: ops.max(x, axis=2, keepdims=True), "expand": lambda x: ops.expand_dims(x, 2),
        "squeeze": lambda x: ops.squeeze(ops.expand_dims(x, 1), 1), "first": lambda x: x[:, 0],
        "slices": lambda x: x[:, 1:6:2, ::-1], "ellipsis": lambda x: x[..., -1],
        "matmul": lambda x: ops.matmul(x, np.arange(12, dtype="float32").reshape(4, 3)),
        "stack": lambda x: ops.stack([x, x * 2], axis=1), "concatenate": lambda x: ops.concatenate([x, -x], axis=1),
        "log sigmoid": ops.log_sigmoid, "hard tanh": ops.hard_tanh, "softplus": ops.softplus, "selu": ops.selu,
    }  # fmt: skip
    for name, function in unary.items():
        EQUAL[f"op {name}"] = of(function, SERIES)
    EQUAL["op x + y"] = of(lambda x, y: x + y, SERIES, SERIES)
    EQUAL["op x - y"] = of(lambda x, y: x - y, SERIES, (1, 4))
    EQUAL["op x * y"] = of(lambda x, y: x * y, SERIES, SERIES)
    EQUAL["op maximum"] = of(ops.maximum, SERIES, SERIES)
    REFUSED["op ranks"] = of(lambda x, y: x + y, (4, 4), (4,)), "ranks"
    REFUSED["op x / y"] = of(lambda x, y: x / y, SERIES, SERIES), "division"
    REFUSED["op reshape batch"] = of(lambda x: ops.reshape(x, (-1, 2)), SERIES), "batch"
    for name in ("exp", "sqrt", "sin", "flip"):
        REFUSED[f"op {name}"] = of(getattr(ops, name), SERIES), name.capitalize()
    REFUSED["op power"] = of(lambda x: x**0.5, SERIES), "power"
    REFUSED["op cast"] = of(lambda x: ops.cast(x, "int32"), SERIES), "cast"


def graphs() -> None:
    EQUAL["two outputs"] = of(lambda x: [layers.Dense(3)(x), layers.Dense(2)(x)], VECTOR)
    EQUAL["an input and the same output twice"] = of(lambda x: [x, *[layers.Dense(2)(x)] * 2], VECTOR)
    EQUAL["two inputs, two outputs"] = of(two_and_two, VECTOR, SERIES)
    EQUAL["shared layer"] = of(shared, VECTOR, VECTOR)
    EQUAL["shared layer with a composed activation"] = of(shared_composed, VECTOR)
    EQUAL["nested"] = of(nested, IMAGE)
    EQUAL["nested twice"] = of(nested_twice, VECTOR, VECTOR)
    EQUAL["nested three deep"] = of(three_deep, VECTOR)
    EQUAL["nested with two outputs"] = of(nested_outputs, VECTOR)
    EQUAL["residual"] = of(residual, IMAGE)
    EQUAL["strange names"] = of(strange_names, VECTOR)
    EQUAL["same inner names"] = of(same_names, VECTOR)
    EQUAL["frozen"] = frozen
    for name in ("MobileNetV2", "ResNet50"):
        big = getattr(keras.applications, name)
        EQUAL[name] = lambda big=big: big(weights=None, input_shape=(96, 96, 3), classes=10)
    EQUAL["squeeze and excite"] = of(squeeze_excite, IMAGE)


def two_and_two(x: keras.KerasTensor, y: keras.KerasTensor) -> dict[str, keras.KerasTensor]:
    both = layers.Concatenate()([layers.Dense(4)(x), layers.GlobalAveragePooling1D()(y)])
    return [layers.Dense(2, activation="softmax")(both), layers.Dense(1)(both)]


def shared(x: keras.KerasTensor, y: keras.KerasTensor) -> keras.KerasTensor:
    dense = layers.Dense(4, activation="tanh")
    return layers.Dense(2)(dense(x) - dense(y))


def shared_composed(x: keras.KerasTensor) -> keras.KerasTensor:
    dense = layers.Dense(6, activation="hard_silu")
    return dense(dense(dense(x)))


def nested(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.Dense(2)(small_cnn()(x))


def nested_twice(x: keras.KerasTensor, y: keras.KerasTensor) -> keras.KerasTensor:
    tower = Sequential([Input(VECTOR), layers.Dense(4, activation="leaky_relu"), layers.Dense(3)])
    return layers.Dot(axes=1)([tower(x), tower(y)])


def three_deep(x: keras.KerasTensor) -> keras.KerasTensor:
    inner = Sequential([Input(VECTOR), layers.Dense(6, name="dense"), layers.LeakyReLU()], name="model")
    middle = Sequential([Input(VECTOR), inner, layers.Dense(6, name="dense")], name="model")
    return layers.Dense(2, name="dense")(Sequential([Input(VECTOR), middle], name="model")(x))


def nested_outputs(x: keras.KerasTensor) -> keras.KerasTensor:
    inside = Input(VECTOR)
    inner = Model(inside, [layers.Dense(3)(inside), layers.Dense(3)(inside), inside])
    a, b, c = inner(x)
    return layers.Concatenate()([b, c, a])


def residual(x: keras.KerasTensor) -> keras.KerasTensor:
    y = layers.Conv2D(3, 3, padding="same", use_bias=False)(x)
    y = layers.BatchNormalization()(y)
    return layers.Conv2D(2, 1)(layers.ReLU()(x + y))


def strange_names(x: keras.KerasTensor) -> keras.KerasTensor:
    x = layers.Dense(4, name="第一层")(x)
    return layers.Dense(3, name="a layer (b)")(layers.Dense(3, name="a_layer__b_")(x))


def same_names(x: keras.KerasTensor) -> keras.KerasTensor:
    parts = [Sequential([Input(VECTOR), layers.Dense(3, name="dense")]) for _ in range(2)]
    return layers.Dense(1, name="dense")(layers.Concatenate()([part(x) for part in parts]))


def frozen() -> keras.Model:
    model = Sequential([Input(VECTOR), layers.Dense(4), layers.BatchNormalization(), layers.Dense(2)])
    model.layers[0].trainable = model.layers[1].trainable = False
    return model


def squeeze_excite(x: keras.KerasTensor) -> keras.KerasTensor:
    y = layers.GlobalAveragePooling2D(keepdims=True)(x)
    y = layers.Conv2D(3, 1, activation="hard_sigmoid")(layers.Conv2D(2, 1, activation="relu")(y))
    return layers.Multiply()([x, y])


for group in (
    dense_and_activations, convolutions, shapes, pools, normalizations, training_only, sequences, merges, operations,
    graphs,
):  # fmt: skip
    group()
