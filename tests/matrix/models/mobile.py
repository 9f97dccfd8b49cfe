"""What ONNX' and LiteRT's converters once got wrong, and TF.js does not make easier."""

import keras
from keras import Input, Sequential, layers, ops

from models.building import FIRST, IMAGE, SERIES, VECTOR, VOLUME, Build, chain, first, layer, of


def tied() -> keras.Model:
    tokens = Input((5,), dtype="int32")
    embedding = layers.Embedding(7, 4)
    x = layers.Dense(4)(embedding(tokens))
    return keras.Model(tokens, ops.matmul(x, ops.transpose(embedding.embeddings)))


def lora() -> keras.Model:
    model = Sequential([Input(VECTOR), layers.Dense(4, activation="gelu")])
    model.layers[0].enable_lora(2)
    return model


def wide_bytes() -> keras.Model:
    model = Sequential([Input((5, 1100)), layers.Dense(8, activation="relu"), layers.Dense(3)])
    for one in model.layers:  # Keras warns that an input layer has no weights
        one.quantize("int8")
    return model


MODELS: dict[str, Build] = {
    "small numbers": of(lambda x: [ops.expm1(x * 1e-4), ops.log1p(x * 1e-4), ops.sinh(x * 1e-4)], VECTOR),
    "small angles": of(lambda x: [ops.sin(x * 1e-4), ops.tan(x * 1e-4), ops.arcsin(x * 1e-4), ops.sinc(x * 1e-3)], VECTOR),
    "large numbers": of(lambda x: [ops.softplus(x * 99), ops.arcsinh(x * 99), ops.tanh(x * 99)], VECTOR),
    "nan that where drops": of(
        lambda x: [ops.nan_to_num(ops.log(ops.relu(x)), neginf=-9.0), ops.sinc(ops.relu(x))], VECTOR
    ),
    "one hot of nothing": of(lambda x: ops.one_hot(x - 2, 4), VECTOR, dtype="int32"),
    "twice leaky": of(lambda x: layers.LeakyReLU(0.2)(layers.LeakyReLU(0.1)(x)), VECTOR),
    "twice the larger": of(lambda x: ops.maximum(ops.maximum(x, 0.1 * x), 0.2 * ops.maximum(x, 0.1 * x)), VECTOR),
    "a slice updated": of(lambda x: ops.slice_update(x, (0, 1, 0), x[:, :2, :1] * 3), SERIES),
    "means far away, inverted": chain(
        (2, 3), layer("Normalization", mean=[1e4, 2e5, 3.0], variance=[1.0, 2.0, 9.0], invert=True)
    ),
    "bins as one hot": chain(
        VECTOR, layer("Discretization", [-0.5, 0.0, 0.7], output_mode="one_hot"), layer("Dense", 2)
    ),
    "looked up, embedded, averaged": chain(
        (5,), layer("IntegerLookup", vocabulary=[4, 2, 1], mask_token=0, num_oov_indices=2),
        layer("Embedding", 9, 3, mask_zero=True), layer("GlobalAveragePooling1D"), dtype="int64",
    ),
    "looked up and counted": chain(
        (5,), layer("IntegerLookup", vocabulary=[4, 2, 1], output_mode="count"), dtype="int32"
    ),
    "augmented and convolved": chain(
        IMAGE, layer("RandomCrop", 5, 6), layer("RandomRotation", 0.3), layer("GaussianNoise", 0.5), layer("Conv2D", 2, 3)
    ),
    "groups, twice": chain((7, 6), layer("Conv1D", 6, 3, groups=3), layer("Conv1D", 4, 2, groups=2, strides=2)),
    "groups of a dilated volume": chain((4, 5, 5, 4), layer("Conv3D", 4, 2, groups=2, dilation_rate=2)),
    "transposed, kernel below the stride": chain((5, 3), layer("Conv1DTranspose", 4, 2, strides=3, padding="same")),
    "transposed, padded output": chain((3, 4, 3, 2), layer("Conv3DTranspose", 3, 2, strides=3, output_padding=2)),
    "transposed, dilated": chain((5, 5, 3), layer("Conv2DTranspose", 4, 3, dilation_rate=2)),
    "channels first, then ReLU": chain(
        first(SERIES), layer("Conv1D", 6, 3, strides=2, padding="same", **FIRST), layer("ReLU")
    ),
    "channels first, normalized, pooled": chain(
        first(IMAGE), layer("Conv2D", 4, 3, strides=2, padding="same", **FIRST),
        layer("BatchNormalization", axis=1), layer("MaxPooling2D", **FIRST),
    ),
    "volumes pooled twice": chain(VOLUME, layer("AveragePooling3D", 2, padding="same"), layer("MaxPooling3D", 2)),
    "images of any size, strided": chain((None, None, 3), layer("Conv2D", 4, 3, strides=2), layer("GlobalMaxPooling2D")),
    "a table used twice": tied,
    "lora": lora,
    "int8 of wide rows": wide_bytes,
}  # fmt: skip
