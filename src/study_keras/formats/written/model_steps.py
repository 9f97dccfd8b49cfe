"""A Keras model as a plain list of steps in order, from which writers of source make a program.

Keras' meaning is worked out here once: padding in numbers, activations as steps of their own, nested models flattened,
layers that do nothing for inference left out. What is not in the tables of ``layer_steps`` is refused by name.
"""

from collections.abc import Collection
from typing import Any

import keras

from study_keras.formats import inference
from study_keras.formats.keras_internals import calls, mask_of
from study_keras.formats.written.layer_steps import add_layer
from study_keras.formats.written.steps import Builder, Made, Place, Program, Value, known_shape, refuse


def program_of(model: keras.Model, reserved: Collection[str] = ()) -> Program:
    """Return the steps of a built Sequential or functional model.

    Args:
        reserved: identifiers that no step may have, such as the functions of the program.

    Raises:
        ValueError: names the layer or option that has no step, or what is open in the model's shapes.
    """
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
        builder.values[inputs[-1].name] = Made(inputs[-1].name, shape, dtype)
    outputs = _add_model(builder, model, [item.name for item in inputs], ())
    names = tuple(inference.output_names(model))
    return Program(model.name, tuple(inputs), tuple(builder.steps), tuple(outputs), names)


def _add_model(builder: Builder, model: Any, inputs: list[str], path: tuple[str, ...]) -> list[str]:
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
            made = _add_model(builder, layer, taken, place)
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
