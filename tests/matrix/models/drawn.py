"""Architectures drawn by hypothesis, always the same ones: chains of layers, shared, masked, nested, of mixed dtypes."""

import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import Input, Model, layers, ops

from models.building import Build

COUNT = 60
Tensor = keras.KerasTensor
Step = tuple[str, int, bool]

# name -> a layer, or a function, of which a number from 1 to 5 decides something
IMAGES: dict[str, Callable[[int], Callable[[Tensor], Tensor]]] = {
    "conv": lambda n: layers.Conv2D(n, 3, padding="same", activation="leaky_relu"),
    "strided": lambda n: layers.Conv2D(n, 2, strides=3, padding="same", use_bias=False),
    "grouped": lambda n: lambda x: layers.Conv2D(x.shape[-1], 2, groups=x.shape[-1], padding="same")(x),
    "depthwise": lambda n: layers.DepthwiseConv2D(3, padding="same", depth_multiplier=1 + n % 2),
    "separable": lambda n: layers.SeparableConv2D(n, 3, padding="same", activation="hard_silu"),
    "transpose": lambda n: layers.Conv2DTranspose(n, 3, strides=2, padding="same"),
    "batch norm": lambda n: layers.BatchNormalization(),
    "layer norm": lambda n: layers.LayerNormalization(),
    "unit norm": lambda n: layers.UnitNormalization(axis=1 + n % 3),
    "pool": lambda n: layers.MaxPooling2D(2, padding="same"),
    "average": lambda n: layers.AveragePooling2D(3, strides=1 + n % 2, padding="same"),
    "elu": lambda n: layers.ELU(n / 3),
    "prelu": lambda n: layers.PReLU(shared_axes=[1, 2]),
    "pad": lambda n: layers.ZeroPadding2D(((1, 0), (0, n % 3))),
    "up": lambda n: layers.UpSampling2D(2, interpolation="bilinear" if n % 2 else "nearest"),
    "resize": lambda n: layers.Resizing(3 + n, 6),
    "crop": lambda n: layers.CenterCrop(3, 3),
    "permute": lambda n: layers.Permute((2, 1, 3)),
    "dense": lambda n: layers.Dense(n, activation="gelu"),
    "drop": lambda n: layers.SpatialDropout2D(0.3),
    "flip": lambda n: layers.RandomFlip(),
    "clip": lambda n: lambda x: ops.clip(x, -(10.0**n), 0.5 * n),
    "constant": lambda n: lambda x: layers.Add()([x, np.full((1, 1, 1, x.shape[-1]), n / 2, "float32")]),
    "gate": lambda n: lambda x: layers.Multiply()([x, layers.GlobalAveragePooling2D(keepdims=True)(x)]),
    "where": lambda n: lambda x: ops.where(x > n / 5, x, -x),
    "slice": lambda n: lambda x: x[:, ::-1, : 2 + n],
}
SEQUENCES: dict[str, Callable[[int], Callable[[Tensor], Tensor]]] = {
    "lstm": lambda n: layers.LSTM(n, return_sequences=True),
    "gru": lambda n: layers.GRU(n, return_sequences=True, go_backwards=n % 2 == 0),
    "both ways": lambda n: layers.Bidirectional(layers.SimpleRNN(n, return_sequences=True)),
    "causal": lambda n: layers.Conv1D(n, 2, padding="causal", activation="relu"),
    "dense": lambda n: layers.TimeDistributed(layers.Dense(n, activation="swish")),
    "attention": lambda n: lambda x: layers.MultiHeadAttention(1 + n % 2, n)(x, x, use_causal_mask=n > 2),
    "layer norm": lambda n: layers.LayerNormalization(),
    "drop": lambda n: layers.Dropout(0.3),
    "mask": lambda n: layers.Masking(),
    "join": lambda n: lambda x: layers.Concatenate()([x, ops.ones_like(x), x * n]),
    "sum": lambda n: lambda x: ops.cumsum(x, axis=1) / n,
    "softmax": lambda n: lambda x: ops.softmax(x, axis=1 + n % 2),
}


def apply(steps: list[Step], table: dict[str, Any], x: Tensor) -> Tensor:
    """Let each step follow the other; some are called twice, some have a residual connection."""
    for name, number, twice in steps:
        part = table[name](number)
        y = part(x)
        if y.shape == x.shape and None not in x.shape[1:]:
            y = layers.Maximum()([part(y) if twice else y, 0.5 * x])
        x = layers.AveragePooling2D(4)(y) if len(y.shape) == 4 and max(size or 0 for size in y.shape[1:3]) > 20 else y
    return x


def of_images(steps: list[Step], shared: bool, nested: bool) -> Model:
    """A chain over images, called on two sizes where ``shared``."""
    inputs = Input((None, None, 3) if shared and not {name for name, *_ in steps} & FIXED else (7, 5, 3))
    inner = Model(
        inputs, layers.Dense(3, activation="tanh")(layers.GlobalAveragePooling2D()(apply(steps, IMAGES, inputs)))
    )
    if not shared and not nested:
        return inner
    x, y = (
        Input((7, 5, 3)),
        Input((9, 6, 3) if inputs.shape[1] is None else (7, 5, 3), dtype="int32" if nested else None),
    )
    return Model([x, y], [inner(x), inner(layers.Rescaling(0.3)(y))])


def of_sequences(steps: list[Step], masked: bool, open_length: bool) -> Model:
    """A chain over words, or over a series and numbers beside it."""
    length = None if open_length else 6
    words = Input((length,), dtype="int32")
    x = apply(steps, SEQUENCES, layers.Embedding(9, 4, mask_zero=masked)(words))
    return Model(words, [layers.LSTM(3)(x), layers.GlobalAveragePooling1D()(x)])


# Of an image without sizes Keras itself cannot make these.
FIXED = {"crop", "resize", "slice", "up", "prelu", "unit norm", "permute", "layer norm"}


@st.composite
def architectures(draw: st.DrawFn) -> tuple[Any, ...]:
    """A function that builds, its steps (name, number, twice?), and two more decisions."""
    make, table = draw(st.sampled_from([(of_images, IMAGES), (of_sequences, SEQUENCES)]))
    step = st.tuples(st.sampled_from(sorted(table)), st.integers(1, 5), st.booleans())
    return (
        make,
        draw(st.lists(step, min_size=2, max_size=6 if table is IMAGES else 3, unique_by=lambda step: step[0])),
        draw(st.booleans()),
        draw(st.booleans()),
    )


def drawn(count: int) -> list[tuple[Any, ...]]:
    """Draw all architectures at once, so that few processes can run them."""
    found = []

    @settings(max_examples=count, derandomize=True, deadline=None, database=None)
    @given(architectures())
    def collect(architecture: tuple[Any, ...]) -> None:
        found.append(architecture)

    collect()
    return found


MODELS: dict[str, Build] = {
    f"drawn {index}: {make.__name__} {'shared ' * one}{'nested ' * two}{', '.join(name for name, *_ in steps)}": (
        functools.partial(make, steps, one, two)
    )
    for index, (make, steps, one, two) in enumerate(drawn(COUNT))
}
