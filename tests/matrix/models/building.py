"""The words in which the tables of models are written."""

from collections.abc import Callable
from typing import Any

import keras
from keras import Input, Model, Sequential, layers

Build = Callable[[], keras.Model]
Shape = tuple[int | None, ...]

VECTOR, SERIES, IMAGE, VOLUME = (6,), (7, 4), (8, 9, 3), (4, 5, 6, 2)
RANKS = {1: SERIES, 2: IMAGE, 3: VOLUME}
FIRST = {"data_format": "channels_first"}


def layer(name: str, *args: Any, **options: Any) -> Callable[[], keras.Layer]:
    """A function that makes the layer: each model has layers of its own."""
    return lambda: getattr(layers, name)(*args, **options)


def chain(shape: Shape, *parts: Callable[[], keras.Layer], dtype: str = "float32") -> Build:
    """A Sequential of layers that are made when the model is built."""
    return lambda: Sequential([Input(shape, dtype=dtype), *(part() for part in parts)])


def of(function: Callable[..., Any], *shapes: Shape, dtype: str = "float32") -> Build:
    """A functional model: ``function`` of one Input a shape."""

    def build() -> keras.Model:
        inputs = [Input(shape, dtype=dtype) for shape in shapes]
        return Model(inputs[0] if len(inputs) == 1 else inputs, function(*inputs))

    return build


def first(shape: Shape) -> Shape:
    """The shape with its channels before its sizes."""
    return (shape[-1], *shape[:-1])
