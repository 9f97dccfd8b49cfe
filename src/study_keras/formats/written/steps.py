"""The steps of a program, and what the steps of a layer are added to; ``model_steps`` makes them of a Keras model."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from study_keras.formats.written.identifiers import distinct

Shape = tuple[int, ...]
Read = tuple[dict[str, Any], dict[str, Any]]  # options and weights
MOVES = {"Flatten", "Reshape", "Permute"}  # kinds that leave integers as they are


@dataclass(frozen=True)
class Value:
    """An input of the program.

    Attributes:
        name: an identifier, used by the steps.
        given_name: as the formats for inference call it, ``inference.input_names``.
        shape: without the batch.
        dtype: as Keras spells it: ``float32``, ``int32``, ``uint8`` ...
    """

    name: str
    given_name: str
    shape: Shape
    dtype: str


@dataclass(frozen=True)
class Step:
    """One operation: it takes values by name and makes one value, which has the step's own name.

    Attributes:
        name: an identifier, distinct among all inputs and steps.
        kind: a key of ``layer_steps.KINDS``, which documents its ``options`` and ``weights``.
        inputs: the names of the values it takes.
        input_shapes: their shapes, without the batch.
        shape: of what it makes, without the batch. Channels are last, as in Keras.
        options: plain values: numbers, text, booleans, None, and tuples of them.
        weights: by Keras' name in the layer, float32.
        owner: an identifier of who has the weights: steps with the same owner share them.
        layer: Keras' path to the layer, with ``/`` between nested models, for comments and messages.
        part: of the layer, where it becomes several steps with weights: ``"depthwise"``, ``"pointwise"``; ``""``.
        dtype: of what it makes: ``float32`` unless it only moves integers.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    input_shapes: tuple[Shape, ...]
    shape: Shape
    options: dict[str, Any]
    weights: dict[str, np.ndarray]
    owner: str
    layer: str
    part: str = ""
    dtype: str = "float32"


@dataclass(frozen=True)
class Program:
    """A model as steps.

    Attributes:
        name: the model's.
        inputs: in the order of ``model.inputs``.
        steps: each after those whose values it takes.
        outputs: the names of the values that it returns, in the order of ``model.outputs``.
        output_names: as the formats for inference call them, ``inference.output_names``.
    """

    name: str
    inputs: tuple[Value, ...]
    steps: tuple[Step, ...]
    outputs: tuple[str, ...]
    output_names: tuple[str, ...]


@dataclass
class Made:
    name: str
    shape: Shape
    dtype: str


@dataclass
class Builder:
    """The program while it is made."""

    steps: list[Step] = field(default_factory=list)
    values: dict[str, Made] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    owners: dict[tuple[int, str], str] = field(default_factory=dict)

    def name(self, text: str) -> str:
        """Return a new identifier made of ``text``."""
        unique = distinct(text, self.names)
        self.names.add(unique)
        return unique


@dataclass(frozen=True)
class Place:
    """Where a layer's steps go: the program, the layer, and Keras' path to it."""

    builder: Builder
    layer: Any
    path: str

    def given(self, name: str) -> Made:
        """Return name, shape and dtype of the value ``name``."""
        return self.builder.values[name]

    def add(self, kind: str, inputs: Sequence[str], shape: Shape, read: Read = ({}, {}), part: str = "") -> str:
        """Add a step and return the name of its value.

        Args:
            read: options and weights.
            part: of the layer, where it becomes several steps: ``"relu"``, ``"depthwise"``.
        """
        builder, (options, weights) = self.builder, read
        name = builder.name("_".join(filter(None, (self.path.replace("/", "_"), part))))
        owner = builder.owners.setdefault((id(self.layer), part), name) if weights else name
        taken = [builder.values[item] for item in inputs]
        dtype = taken[0].dtype if kind in MOVES else "float32"
        arrays = {key: float32(value) for key, value in weights.items()}
        shapes = tuple(item.shape for item in taken)
        step = Step(name, kind, tuple(inputs), shapes, shape, options, arrays, owner, self.path, part, dtype)
        builder.steps.append(step)
        builder.values[name] = Made(name, shape, dtype)
        return name


def refuse(layer: Any, what: str) -> Any:
    """Raise the error of a layer that has no step."""
    raise ValueError(f"{type(layer).__name__} {layer.name!r}: written source has no {what}")


def known_shape(tensor: Any, what: str) -> Shape:
    """Return the shape of a symbolic tensor without the batch.

    Raises:
        ValueError: a size is open; the message begins with ``what``.
    """
    shape = tuple(tensor.shape)[1:]
    if None in shape:
        raise ValueError(
            f"{what} has the shape {tuple(tensor.shape)}; written source needs numbers: give keras.Input the full shape"
        )
    return tuple(int(size) for size in shape)


def float32(value: Any) -> np.ndarray:
    """Return a Keras variable, or an array, as float32."""
    return np.ascontiguousarray(np.asarray(keras.ops.convert_to_numpy(value)).astype("float32"))
