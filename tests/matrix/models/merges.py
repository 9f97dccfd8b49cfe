"""Merges: of several inputs, of constants, of unlike shapes and dtypes."""

import numpy as np
from keras import Input, Model, layers, ops

from models.building import IMAGE, SERIES, VECTOR, Build, chain, layer, of

MERGES = ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate")


def constant(*shape: int) -> np.ndarray:
    return np.random.default_rng(7).normal(0, 2, shape).astype("float32")


def with_constant(name: str, *, before: bool = False) -> Build:
    def merge(x):
        other = ops.zeros_like(x) + constant(6) if name == "Concatenate" else ops.convert_to_tensor(constant(1, 6))
        return getattr(layers, name)()([other, x] if before else [x, other])

    return of(merge, VECTOR)


def mixed(function) -> Build:
    def build():
        floats, integers = Input((4,)), Input((4,), dtype="int32")
        return Model([floats, integers], function(floats, integers))

    return build


MODELS: dict[str, Build] = {
    "Add of three that broadcast": of(lambda x, y, z: layers.Add()([x, y, z]), SERIES, (1, 4), (7, 1)),
    "Add of two ranks": of(lambda x, y: layers.Add()([x, y]), SERIES, (4,)),
    "Multiply of an image and its channels": of(lambda x, y: layers.Multiply()([x, y]), IMAGE, (1, 1, 3)),
    "Average of four": of(lambda x: layers.Average()([x, 2 * x, -x, x * x]), VECTOR),
    "Add of one twice": of(lambda x: layers.Add()([x, x]), VECTOR),
    "Maximum that broadcasts": of(lambda x, y: layers.Maximum()([x, y]), SERIES, (1, 1)),
    "Concatenate axis 1": of(lambda x, y: layers.Concatenate(axis=1)([x, y]), SERIES, (3, 4)),
    "Concatenate any length": of(lambda x, y: layers.Concatenate(axis=1)([x, y]), (None, 4), (None, 4)),
    "Concatenate of four": of(lambda x, y: layers.Concatenate()([x, y, x, y]), SERIES, (7, 2)),
    "Concatenate integers and floats": mixed(lambda x, n: layers.Concatenate()([x, n])),
    "Concatenate integers first": mixed(lambda x, n: layers.Concatenate()([n, x, n])),
    "ops concatenate integers and floats": mixed(lambda x, n: ops.concatenate([x, n], axis=1)),
    "Add integers and floats": mixed(lambda x, n: layers.Add()([x, n])),
    "Multiply integers and floats": mixed(lambda x, n: layers.Multiply()([n, x])),
    "x + integers": mixed(lambda x, n: x * 2 + n),
    "Maximum of integers and floats": mixed(lambda x, n: ops.maximum(x, n)),
    "stack of integers and floats": mixed(lambda x, n: ops.stack([x, n], axis=1)),
    "integers kept": mixed(lambda x, n: [x + 1, n + 1]),
    "bool and floats": mixed(lambda x, n: layers.Add()([ops.cast(n > 2, "float32"), x])),
    "Concatenate bool and floats": mixed(lambda x, n: ops.concatenate([n > 2, x], axis=1)),
    "Concatenate a constant before": with_constant("Concatenate", before=True),
    "Subtract from a constant": of(lambda x: layers.Subtract()([ops.zeros_like(x) + constant(6), x]), VECTOR),
    "Average with an array": of(lambda x: layers.Average()([x, constant(1, 6), x]), VECTOR),
    "Multiply with an array": of(lambda x: layers.Multiply()([x, constant(1, 6)]), VECTOR),
    "Concatenate with a constant of another length": of(
        lambda x: layers.Concatenate(axis=1)([x, ops.zeros_like(x[:, :2]) + constant(1, 2, 4)]), SERIES
    ),
    "stack with constants": of(lambda x: ops.stack([x, ops.zeros_like(x) + constant(6), x], axis=1), VECTOR),
    "ops concatenate constants": of(
        lambda x: ops.concatenate([ops.ones_like(x), x, ops.zeros_like(x)], axis=-1), VECTOR
    ),
    "class token": of(lambda x: ops.concatenate([ops.zeros_like(x[:, :1]) + constant(1, 1, 4), x], axis=1), SERIES),
    "constant as an initial state": of(
        lambda x: layers.GRU(3)(x, initial_state=ops.zeros_like(x[:, 0, :3]) + constant(3)), SERIES
    ),
    "constants as initial states": of(
        lambda x: layers.LSTM(3)(x, initial_state=[ops.ones_like(x[:, 0, :3]), ops.full_like(x[:, 0, :3], -0.5)]), SERIES
    ),
    "constant initial state of a SimpleRNN": of(
        lambda x: layers.SimpleRNN(3)(x, initial_state=ops.ones_like(x[:, 0, :3]) * 2), SERIES
    ),
    "constants in a Dot": of(
        lambda x: layers.Dot(axes=-1)([x, ops.zeros_like(x) + constant(6)]), VECTOR
    ),
    "constant positions": of(lambda x: layers.Dense(3)(layers.Add()([x, constant(1, 7, 4)])), SERIES),
    "constant between layers": of(
        lambda x: layers.Dense(2)(layers.Maximum()([layers.Dense(4)(x), constant(1, 4)])), VECTOR
    ),
    "Dot": of(lambda x, y: layers.Dot(axes=1)([x, y]), VECTOR, VECTOR),
    "Dot normalized": of(lambda x, y: layers.Dot(axes=-1, normalize=True)([x, y]), VECTOR, VECTOR),
    "Dot normalized of zeros": of(lambda x, y: layers.Dot(axes=-1, normalize=True)([x * 0, y]), VECTOR, VECTOR),
    "Dot normalized of matrices": of(lambda x, y: layers.Dot(axes=2, normalize=True)([x, y]), SERIES, (5, 4)),
    "Dot normalized after relu": of(
        lambda x, y: layers.Dot(axes=-1, normalize=True)([ops.relu(x - 3), ops.relu(y - 3)]), VECTOR, VECTOR
    ),
    "Dot of matrices": of(lambda x, y: layers.Dot(axes=(2, 1))([x, y]), SERIES, (4, 5)),
    "Dot of transposed": of(lambda x, y: layers.Dot(axes=(1, 2))([x, y]), SERIES, (3, 7)),
    "Dot of images": of(lambda x, y: layers.Dot(axes=3)([x, y]), IMAGE, IMAGE),
    "Dot of a matrix and a vector": of(lambda x, y: layers.Dot(axes=(1, 1))([x, y]), SERIES, (7,)),
    "multi hot": chain((4,), layer("CategoryEncoding", num_tokens=5), dtype="int32"),
    "one hot": chain((1,), layer("CategoryEncoding", num_tokens=5, output_mode="one_hot"), dtype="int32"),
    "count": chain((4,), layer("CategoryEncoding", num_tokens=5, output_mode="count"), dtype="int32"),
    "count with weights": of(
        lambda x: layers.CategoryEncoding(5, output_mode="count")(ops.cast(ops.abs(x) % 5, "int32"), count_weights=x), (4,)
    ),
}  # fmt: skip
for name in MERGES:
    MODELS[name] = of(lambda x, y, name=name: getattr(layers, name)()([x, y]), SERIES, SERIES)
    MODELS[f"{name} with a constant"] = with_constant(name)
