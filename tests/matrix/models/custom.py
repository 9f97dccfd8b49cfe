"""Code of the user's own: Lambdas, layers, subclassed models, branches and loops."""

import keras
import numpy as np
from keras import Input, Model, layers, ops

from models.building import IMAGE, SERIES, VECTOR, Build, chain, of

Tensor = keras.KerasTensor


class Scale(layers.Layer):
    """A layer with a weight."""

    def build(self, shape: tuple[int, ...]) -> None:
        self.scale = self.add_weight(shape=(shape[-1],), name="scale")

    def call(self, x: Tensor) -> Tensor:
        return x * self.scale + ops.mean(x, axis=-1, keepdims=True)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return shape


class WithParts(layers.Layer):
    """A layer of layers."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = layers.Dense(4, activation="gelu"), layers.Dense(6)

    def call(self, x: Tensor, training: bool | None = None) -> Tensor:
        y = self.second(self.first(x))
        return y * 100 if training else x + y


class TwoInputs(layers.Layer):
    """A layer with two arguments and two answers."""

    def call(self, x: Tensor, y: Tensor, scale: float = 1.0) -> tuple[Tensor, Tensor]:
        return x * scale + y, x - y


class PositionalEncoding(layers.Layer):
    """Constants that are made where the layer is called."""

    def call(self, x: Tensor) -> Tensor:
        place = ops.arange(x.shape[1], dtype="float32")[:, None]
        return x + ops.sin(place / ops.power(100.0, ops.arange(x.shape[2], dtype="float32") / x.shape[2]))


class Patches(layers.Layer):
    """What a vision transformer begins with."""

    def call(self, x: Tensor) -> Tensor:
        patches = ops.image.extract_patches(x, 4)
        return ops.reshape(patches, (-1, 4, patches.shape[-1]))


class Noisy(layers.Layer):
    """A layer that draws numbers, in training only."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = keras.random.SeedGenerator(3)

    def call(self, x: Tensor, training: bool | None = None) -> Tensor:
        return x + keras.random.normal(ops.shape(x), seed=self.generator) if training else x * 1.5


class Sampling(layers.Layer):
    """A layer that draws numbers whenever it is called."""

    def call(self, x: Tensor) -> Tensor:
        return x + keras.random.normal(ops.shape(x))


class Counter(layers.Layer):
    """A layer that remembers how often it was called, perhaps many times over."""

    def __init__(self, size: int = 1) -> None:
        super().__init__()
        self.size = size

    def build(self, _: tuple[int, ...]) -> None:
        self.count = self.add_weight(shape=(self.size, 1), initializer="zeros", trainable=False, name="count")

    def call(self, x: Tensor) -> Tensor:
        self.count.assign(self.count + 1)
        return x + self.count[0]


class Tied(layers.Layer):
    """A layer that uses another's weight, turned."""

    def __init__(self, other: layers.Dense) -> None:
        super().__init__()
        self.other = other

    def call(self, x: Tensor) -> Tensor:
        return x @ ops.transpose(self.other.kernel)


class Classifier(Model):
    """A subclassed model."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.flatten, self.dense = layers.Conv2D(3, 3), layers.Flatten(), layers.Dense(2)

    def call(self, x: Tensor) -> Tensor:
        return self.dense(self.flatten(ops.relu(self.conv(x))))


class TwoTowers(Model):
    """A subclassed model that takes a dict and answers with one."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = layers.Dense(3), layers.Dense(3)

    def call(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        x, y = self.left(inputs["left"]), self.right(inputs["right"])
        return {"sum": x + y, "product": x * y}


class Recurrent(Model):
    """A subclassed model with an LSTM and an embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.lstm = layers.Embedding(9, 4, mask_zero=True), layers.LSTM(3)

    def call(self, words: Tensor) -> Tensor:
        return self.lstm(self.embedding(words))


def called(make, *shapes: tuple[int, ...], names: tuple[str, ...] = (), dtype: str = "float32") -> Build:
    def build() -> keras.Model:
        model = make()
        inputs = [np.ones((2, *shape), dtype) for shape in shapes]
        model(dict(zip(names, inputs, strict=True)) if names else inputs[0])
        return model

    return build


def lambda_of(function, *shapes) -> Build:
    return of(lambda *x: layers.Lambda(function)(x[0] if len(x) == 1 else list(x)), *(shapes or (VECTOR,)))


def branch(x: Tensor) -> Tensor:
    return ops.cond(ops.sum(x) > 0, lambda: x * 2, lambda: x - 1)


def loop(x: Tensor) -> Tensor:
    return ops.while_loop(lambda i, y: i < 4, lambda i, y: (i + 1, y * 0.5 + x), (0, x))[1]


def loop_of_unknown_steps(x: Tensor) -> Tensor:
    return ops.while_loop(lambda y: ops.max(ops.abs(y)) > 1, lambda y: (y / 2,), (x,))[0]


def for_loop(x: Tensor) -> Tensor:
    return ops.fori_loop(0, 3, lambda i, y: y + ops.cast(i, "float32") * x, x)


def scanned(x: Tensor) -> Tensor:
    rows = ops.transpose(x, (1, 0, 2))
    _, all_sums = ops.scan(lambda carry, row: (carry + row, carry * 0.5 + row), ops.zeros_like(rows[0]), rows)
    return ops.transpose(all_sums, (1, 0, 2))


def in_a_layer(function) -> type[layers.Layer]:
    """A layer that calls ``function``: branches and loops are for tensors, not for Keras' symbols."""

    class Call(layers.Layer):
        def call(self, x: Tensor) -> Tensor:
            return function(x)

        def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
            return shape

    return Call


def vision_transformer(x: Tensor) -> Tensor:
    x = layers.Dense(6)(Patches()(x))
    x = PositionalEncoding()(x)
    x = x + layers.MultiHeadAttention(2, 3)(layers.LayerNormalization()(x), x)
    return layers.Dense(3)(layers.GlobalAveragePooling1D()(x))


def variational() -> keras.Model:
    x = Input(VECTOR)
    return Model(x, layers.Dense(6)(Sampling()(layers.Dense(2)(x))))


def tied_autoencoder(x: Tensor) -> Tensor:
    dense = layers.Dense(3, activation="relu")
    return Tied(dense)(dense(x))


def twice(make) -> Build:
    return of(lambda x: (lambda part: part(part(x)))(make()), VECTOR)


MODELS: dict[str, Build] = {
    "Lambda x + 1": lambda_of(lambda x: x + 1),
    "Lambda of ops": lambda_of(lambda x: ops.concatenate([ops.sin(x), ops.cos(x)], axis=-1)),
    "Lambda of two": lambda_of(lambda parts: parts[0] * parts[1], VECTOR, VECTOR),
    "Lambda l2": lambda_of(lambda x: x / ops.sqrt(ops.maximum(ops.sum(x * x, axis=-1, keepdims=True), 1e-12))),
    "Lambda that slices": lambda_of(lambda x: x[:, :, ::2], SERIES),
    "Lambda with arguments": of(lambda x: layers.Lambda(lambda x, by: x * by, arguments={"by": 3.0})(x), VECTOR),
    "Lambda with a shape": of(lambda x: layers.Lambda(lambda x: ops.sum(x, axis=1), output_shape=(4,))(x), SERIES),
    "custom layer": chain(VECTOR, Scale),
    "custom layer of layers": chain(VECTOR, WithParts),
    "custom layer of two": of(lambda x, y: list(TwoInputs()(x, y, scale=3.0)), VECTOR, VECTOR),
    "custom layer twice": twice(Scale),
    "custom layer of layers twice": twice(WithParts),
    "custom layer in TimeDistributed": of(lambda x: layers.TimeDistributed(Scale())(x), SERIES),
    "custom layer with noise in training": chain(VECTOR, Noisy),
    "custom activation": chain(VECTOR, lambda: layers.Dense(4, activation=lambda x: ops.sin(x) + x)),
    "weights of another layer": of(tied_autoencoder, VECTOR),
    "positional encoding": chain(SERIES, PositionalEncoding),
    "vision transformer": of(vision_transformer, (8, 8, 3)),
    "subclassed": called(Classifier, IMAGE),
    "subclassed of a dict": called(TwoTowers, (4,), (3,), names=("left", "right")),
    "subclassed of words": called(Recurrent, (6,), dtype="int32"),
    "subclassed in a functional model": of(lambda x: layers.Dense(2)(Classifier()(x)), IMAGE),
    "cond": chain(VECTOR, in_a_layer(branch)),
    "while_loop": chain(VECTOR, in_a_layer(loop)),
    "while_loop of unknown steps": chain(VECTOR, in_a_layer(loop_of_unknown_steps)),
    "fori_loop": chain(VECTOR, in_a_layer(for_loop)),
    "scan": chain(SERIES, in_a_layer(scanned)),
    "map": chain(SERIES, in_a_layer(lambda x: ops.map(lambda row: row * 2 - ops.max(row), x))),
    "switch": chain(VECTOR, in_a_layer(lambda x: ops.switch(1, [lambda y: y + 1, lambda y: y * 3], x))),
    "a scan between layers": chain(SERIES, lambda: layers.Dense(4), in_a_layer(scanned), lambda: layers.GRU(2)),
}
REFUSED: dict[str, tuple[Build, str]] = {
    "a layer that remembers": (chain(VECTOR, Counter), "count"),
    "a layer that remembers much": (chain(VECTOR, lambda: Counter(20_000)), "count"),
    "a layer that draws numbers": (variational, "random"),
}
VALUES = {"subclassed of words": (0, 8)}
