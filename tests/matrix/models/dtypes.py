"""Integers, bools, numbers without axes, half precision and int8."""

import keras
import numpy as np
from keras import Input, Model, Sequential, layers, ops

from models.building import IMAGE, SERIES, VECTOR, Build, chain, layer, of

HALF, BRAIN = {"dtype": "mixed_float16"}, {"dtype": "mixed_bfloat16"}


def under(policy: str, build: Build) -> Build:
    """The model with ``policy`` as the policy of all its layers."""

    def with_policy() -> keras.Model:
        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(policy)
        try:
            return build()
        finally:
            keras.config.set_dtype_policy(before)

    return with_policy


def quantized(build: Build, mode: str = "int8") -> Build:
    def with_bytes() -> keras.Model:
        model = build()
        random = np.random.default_rng(3)
        for variable in model.weights:
            values = random.normal(0, 0.4, variable.shape).astype("float32")
            variable.assign(np.abs(values) + 0.3 if variable.name.endswith("variance") else values)
        model.quantize(mode)
        return model

    return with_bytes


def cnn() -> keras.Model:
    return chain(
        IMAGE, layer("Conv2D", 4, 3, activation="relu"), layer("BatchNormalization"), layer("MaxPooling2D"),
        layer("Flatten"), layer("Dense", 3, activation="softmax"),
    )()  # fmt: skip


def transformer() -> keras.Model:
    x = Input(SERIES)
    y = layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 3)(x, x))
    return Model(x, layers.Dense(3, activation="gelu")(y))


def half_in_the_middle() -> keras.Model:
    x = Input(VECTOR)
    y = layers.Dense(5, activation="tanh", dtype="mixed_float16")(layers.Dense(4)(x))
    return Model(x, layers.Dense(2)(y))


def in_float64() -> keras.Model:
    return Sequential([Input(VECTOR, dtype="float64"), layers.Dense(3, dtype="float64", activation="tanh")])


MODELS: dict[str, Build] = {
    "dense of integers": chain(VECTOR, layer("Dense", 2), dtype="int32"),
    "dense of long integers": chain(VECTOR, layer("Dense", 2), dtype="int64"),
    "dense of bytes": chain(VECTOR, layer("Rescaling", 1 / 255), layer("Dense", 2), dtype="uint8"),
    "dense of bools": chain(VECTOR, layer("Dense", 2), dtype="bool"),
    "integers x + 1": of(lambda x: x + 1, VECTOR, dtype="int32"),
    "integers x * y": of(lambda x, y: x * y - x, VECTOR, VECTOR, dtype="int32"),
    "integers x // 3": of(lambda x: x // 3, VECTOR, dtype="int32"),
    "integers x % 3": of(lambda x: x % 3, VECTOR, dtype="int32"),
    "integers x / 3": of(lambda x: x / 3, VECTOR, dtype="int32"),
    "integers max and sum": of(lambda x: [ops.max(x, axis=1), ops.sum(x, axis=-1)], SERIES, dtype="int32"),
    "integers mean": of(lambda x: ops.mean(x, axis=1), SERIES, dtype="int32"),
    "integers clip": of(lambda x: ops.clip(x, -2, 5), VECTOR, dtype="int32"),
    "integers one hot": of(lambda x: ops.one_hot(x, 5), VECTOR, dtype="int32"),
    "integers minus one hot": of(lambda x: ops.one_hot(x - 1, 5), VECTOR, dtype="int32"),
    "integers to floats": of(lambda x: ops.cast(x, "float32") / 7, VECTOR, dtype="int64"),
    "integers reshaped": chain(SERIES, layer("Reshape", (4, 7)), layer("Permute", (2, 1)), dtype="int32"),
    "integers padded": chain(SERIES, layer("ZeroPadding1D", 1), layer("Cropping1D", (0, 2)), dtype="int32"),
    "integers repeated": chain((4,), layer("RepeatVector", 3), dtype="int32"),
    "integers concatenated": of(lambda x, y: layers.Concatenate()([x, y]), VECTOR, (3,), dtype="int32"),
    "integers added": of(lambda x, y: layers.Add()([x, y]), VECTOR, VECTOR, dtype="int32"),
    "integers flattened": chain(IMAGE, layer("Flatten"), dtype="int32"),
    "integers given back": chain(VECTOR, layer("Identity"), dtype="int32"),
    "integers bits": of(
        lambda x: ops.bitwise_and(x, ops.ones_like(x) * 6) + ops.left_shift(x, ops.ones_like(x) * 2),
        VECTOR,
        dtype="int32",
    ),
    "integers exclusive or": of(lambda x, y: ops.bitwise_xor(x * 99_999, y * -77_777), VECTOR, VECTOR, dtype="int32"),
    "integers divided": of(lambda x, y: x * 70_000_001 // (ops.abs(y) + 1), VECTOR, VECTOR, dtype="int32"),
    "integers divided by a constant": of(lambda x: x * 70_000_001 // -3, VECTOR, dtype="int32"),
    "integers negated": of(lambda x: [-(x * 70_000_001), ops.abs(x * 70_000_001)], VECTOR, dtype="int32"),
    "integers squared": of(lambda x: ops.square(x * 1001), VECTOR, dtype="int32"),
    "integers sorted, large": of(lambda x: ops.sort(x * 70_000_001, axis=-1), VECTOR, dtype="int32"),
    "integers or and not": of(lambda x: ops.bitwise_or(x * 70_001, ops.bitwise_not(x)), VECTOR, dtype="int32"),
    "integers shifted": of(
        lambda x: [
            ops.right_shift(x * 1_000_003, ops.cast([0, 1, 7, 16, 30, 31], "int32")),
            ops.left_shift(x, ops.abs(x) % 32),
        ],
        VECTOR,
        dtype="int32",
    ),
    "bytes exclusive or": of(lambda x: ops.bitwise_xor(x, ops.cast(5, "uint8")), VECTOR, dtype="uint8"),
    "integers sorted": of(lambda x: [ops.sort(x, axis=-1), ops.argmax(x, axis=-1)], VECTOR, dtype="int32"),
    "integers cumulated": of(lambda x: ops.cumsum(x, axis=1), VECTOR, dtype="int32"),
    "integers compared, large": of(
        lambda x: [ops.less(x * 70_000_001, x * 70_000_001 + 1), ops.greater(x * 70_000_001, x * 70_000_001 - 1)],
        VECTOR,
        dtype="int32",
    ),
    "integers compared": of(lambda x: ops.equal(x % 2, 0), VECTOR, dtype="int32"),
    "in short integers": of(lambda x: ops.cast(ops.cast(x * 100, "int16") + 1, "float32") / 7, VECTOR),
    "in unsigned short integers": of(lambda x: ops.cast(ops.cast(ops.abs(x) * 100, "uint16"), "float32"), VECTOR),
    "in unsigned integers": of(lambda x: ops.cast(ops.cast(ops.abs(x) * 100, "uint32"), "float32"), VECTOR),
    "in short floats": of(lambda x: ops.cast(ops.cast(x, "bfloat16"), "float32"), VECTOR),
    "in half floats": of(lambda x: ops.cast(ops.cast(x, "float16"), "float32"), VECTOR),
    "bytes that wrap": of(lambda x: ops.cast(ops.cast(x * 99, "int8"), "int32"), VECTOR, dtype="int32"),
    "unsigned bytes that wrap": of(lambda x: ops.cast(ops.cast(x * 99, "uint8"), "int32"), VECTOR, dtype="int32"),
    "short integers that wrap": of(lambda x: ops.cast(ops.cast(x * 9999, "int16"), "int32"), VECTOR, dtype="int32"),
    "sums of bytes that wrap": of(lambda x: ops.cast(ops.cast(x, "int8") * 50 + 90, "int32"), VECTOR, dtype="int32"),
    "short integers": of(lambda x: ops.cast(x, "float32") * 0.5, VECTOR, dtype="int16"),
    "signed bytes": of(lambda x: ops.cast(x, "float32") * 0.5, VECTOR, dtype="int8"),
    "bytes x + 1": of(lambda x: ops.cast(x, "int32") + 1, VECTOR, dtype="uint8"),
    "bytes pooled": chain(IMAGE, layer("Rescaling", 0.01), layer("MaxPooling2D"), dtype="uint8"),
    "bool not": of(ops.logical_not, VECTOR, dtype="bool"),
    "bool and": of(ops.logical_and, VECTOR, VECTOR, dtype="bool"),
    "bool to floats": of(lambda x: ops.cast(x, "float32") * 2, VECTOR, dtype="bool"),
    "bool all": of(lambda x: ops.all(x, axis=-1), VECTOR, dtype="bool"),
    "bool where": of(lambda x: ops.where(x, 1.5, -2.0), VECTOR, dtype="bool"),
    "bool given back": chain(VECTOR, layer("Identity"), dtype="bool"),
    "bool flattened": chain(SERIES, layer("Flatten"), dtype="bool"),
    "bool of floats": of(lambda x: layers.Dense(3)(x) > 0, VECTOR),
    "bool and floats out": of(lambda x: [x > 0, x], VECTOR),
    "number": chain((), layer("Reshape", (1,)), layer("Dense", 2)),
    "number x * 2": of(lambda x: x * 2 + 1, ()),
    "numbers": of(lambda x, y: ops.stack([x, y, x * y], axis=1), (), ()),
    "numbers into a Dense": of(lambda x, y: layers.Dense(2)(ops.stack([x, y], axis=1)), (), ()),
    "number embedded": chain((), layer("Embedding", 6, 3), layer("Dense", 2), dtype="int32"),
    "numbers beside a vector": of(lambda x, y: x + y[:, None], VECTOR, ()),
    "a number for all": of(lambda x: ops.sum(layers.Dense(3)(x)), VECTOR),
    "a number for each": of(lambda x: ops.sum(x, axis=-1), VECTOR),
    "half dense": chain(VECTOR, layer("Dense", 4, **HALF), layer("Dense", 2, **HALF)),
    "half, all layers": under("mixed_float16", cnn),
    "brain, all layers": under("mixed_bfloat16", cnn),
    "half LSTM": chain(SERIES, layer("LSTM", 4, **HALF), layer("Dense", 2, **HALF)),
    "brain GRU": chain(SERIES, layer("GRU", 4, **BRAIN)),
    "half transformer": under("mixed_float16", transformer),
    "brain transformer": under("mixed_bfloat16", transformer),
    "half in the middle": half_in_the_middle,
    "half with float32 at the end": chain(
        VECTOR, layer("Dense", 4, **HALF), layer("Activation", "softmax", dtype="float32")
    ),
    "half operations": under("mixed_float16", of(lambda x: ops.relu(layers.Dense(4)(x)) * 2 + 1, VECTOR)),
    "half Bidirectional": under("mixed_float16", chain(SERIES, lambda: layers.Bidirectional(layers.LSTM(3)))),
    "half embedding": under("mixed_float16", chain((6,), layer("Embedding", 9, 4), layer("GRU", 3), dtype="int32")),
    "half normalization": under("mixed_float16", chain(IMAGE, layer("GroupNormalization", 3), layer("Rescaling", 0.1))),
    "brain in a nested model": of(
        lambda x: layers.Dense(2)(under("mixed_bfloat16", chain(VECTOR, layer("Dense", 4)))()(x)), VECTOR
    ),
    "float64": in_float64,
    "float64 operations": of(lambda x: ops.exp(ops.tanh(x)) + 1, VECTOR, dtype="float64"),
    "float16 input": chain(VECTOR, layer("Dense", 3), dtype="float16"),
    "int8 dense": quantized(chain(VECTOR, layer("Dense", 5, activation="relu"), layer("Dense", 3))),
    "int8 of a series": quantized(chain(SERIES, layer("Dense", 5), layer("Flatten"), layer("Dense", 3))),
    "int8 embedding": quantized(chain((6,), layer("Embedding", 9, 4), layer("Dense", 3), dtype="int32")),
    "int8 einsum dense": quantized(
        chain(SERIES, layer("EinsumDense", "abc,cd->abd", output_shape=(7, 5), bias_axes="d"))
    ),
    "int8 cnn": quantized(cnn),
    "int8 transformer": quantized(transformer),
    "int8 tied": quantized(
        lambda: (lambda x, e: Model(x, e(e(x), reverse=True)))(
            Input((6,), dtype="int32"), layers.ReversibleEmbedding(9, 4)
        )
    ),
    "int4 dense": quantized(chain(VECTOR, layer("Dense", 5, activation="relu"), layer("Dense", 3)), "int4"),
    "float8 dense": quantized(chain(VECTOR, layer("Dense", 5, activation="relu"), layer("Dense", 3)), "float8"),
}
WHOLE = [name for name in MODELS if name.startswith("integers") and "one hot" not in name]
VALUES = dict.fromkeys(WHOLE, (-40, 60)) | {"short integers": (-900, 900), "signed bytes": (-128, 127)}
