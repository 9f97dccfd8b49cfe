"""A Keras model as a plain list of steps in order, from which writers of source make a program.

Keras' meaning is worked out here once: padding in numbers, activations as steps of their own, nested models flattened,
layers that do nothing for inference left out. What is not in the tables of ``layer_steps`` is refused by name.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from study_keras.formats import inference
from study_keras.formats.keras_internals import calls, mask_of
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
class _Made:
    name: str
    shape: Shape
    dtype: str


@dataclass
class Builder:
    """The program while it is made."""

    steps: list[Step] = field(default_factory=list)
    values: dict[str, _Made] = field(default_factory=dict)
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

    def given(self, name: str) -> _Made:
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
        builder.values[name] = _Made(name, shape, dtype)
        return name


def program_of(model: keras.Model, reserved: Collection[str] = ()) -> Program:
    """Return the steps of a built Sequential or functional model.

    Args:
        reserved: identifiers that no step may have, such as the functions of the program.

    Raises:
        ValueError: names the layer or option that has no step, or what is open in the model's shapes.
    """
    from study_keras.formats.written.layer_steps import add_layer

    inference.check_built(model)
    _check_kind(model)
    builder, given = Builder(names=set(reserved)), inference.input_names(model)
    inputs = []
    for tensor, given_name in zip(model.inputs, given, strict=True):
        shape = known_shape(tensor, f"the input {given_name!r}")
        dtype = keras.backend.standardize_dtype(tensor.dtype)
        found = "sparse" if getattr(tensor, "sparse", False) else dtype
        if found in ("sparse", "string", "complex64", "complex128", "float64"):
            raise ValueError(f"the input {given_name!r} is {found}; expected dense numbers up to float32")
        inputs.append(Value(builder.name(given_name), given_name, shape, dtype))
        builder.values[inputs[-1].name] = _Made(inputs[-1].name, shape, dtype)
    outputs = _add_model(builder, model, [item.name for item in inputs], (), add_layer)
    names = tuple(inference.output_names(model))
    return Program(model.name, tuple(inputs), tuple(builder.steps), tuple(outputs), names)


def _add_model(
    builder: Builder, model: Any, inputs: list[str], path: tuple[str, ...], add_layer: Callable[..., str]
) -> list[str]:
    """Add the steps of all calls in ``model``, and return the names of its outputs."""
    known = {id(tensor): name for tensor, name in zip(model.inputs, inputs, strict=True)}
    for call in calls(model):
        layer, place = call.operation, (*path, call.operation.name)
        taken = [known[id(tensor)] for tensor in call.arguments.keras_tensors]
        if any(mask_of(tensor) is not None for tensor in call.outputs):
            refuse(layer, "masks (mask_zero=True, Masking)")
        if isinstance(layer, keras.Model):
            _check_kind(layer)
            if len(taken) != len(layer.inputs) or isinstance(call.arguments.args[0], dict):
                refuse(layer, "a nested model that takes a dict")
            made = _add_model(builder, layer, taken, place, add_layer)
        else:
            made = [add_layer(Place(builder, layer, "/".join(place)), call, taken)]
        known.update((id(tensor), name) for tensor, name in zip(call.outputs, made, strict=True))
    return [known[id(tensor)] for tensor in model.outputs]


def _check_kind(model: Any) -> None:
    if type(model) is not keras.Sequential and type(model).__name__ != "Functional":
        raise ValueError(
            f"the model {model.name!r} is a {type(model).__name__}; expected a Sequential or functional one, whose "
            "layers are known"
        )


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
