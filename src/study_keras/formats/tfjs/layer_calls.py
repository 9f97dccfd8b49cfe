"""Checks each call of a Keras layer: whether TF.js has the layer, takes these inputs, and sends masks as Keras does."""

from typing import Any

import keras

from study_keras.formats.keras_internals import mask_of, numpy_operation
from study_keras.formats.tfjs.layer_options import check_options, refuse
from study_keras.formats.tfjs.layer_table import LAYERS, OPERATIONS, RECURRENT, SEVERAL_INPUTS
from study_keras.formats.tfjs.topology import Shape, Tensor, Topology


def inputs_of(topology: Topology, call: Any, known: dict[int, Tensor]) -> list[Tensor]:
    """Return the tensors that a layer is called on.

    Args:
        call: see ``keras_internals.calls``.
        known: id of each symbolic tensor so far -> the TF.js tensor.

    Raises:
        ValueError: there are constants among them, or other arguments.
    """
    layer, args, kwargs = call.operation, call.arguments.args, dict(call.arguments.kwargs)
    masks = keras.tree.flatten(kwargs.pop("mask", None))
    kwargs.pop("training", None)
    states = keras.tree.flatten(kwargs.pop("initial_state", None)) if hasattr(layer, "return_sequences") else []
    given = [name for name, value in kwargs.items() if value is not None]
    several = type(layer).__name__ in OPERATIONS and not isinstance(layer, keras.Layer)
    values = keras.tree.flatten(args if several else args[0] if args else None)
    values += [state for state in states if state is not None]
    if given or (len(args) != 1 and not several) or not all(isinstance(value, keras.KerasTensor) for value in values):
        refuse(layer, f"call with constants or further arguments {given}")
    masked = any(value is not None for value in masks)
    if masked and [id(value) for value in masks] != [id(mask_of(value)) for value in keras.tree.flatten(args[0])]:
        refuse(layer, "mask that is passed explicitly")
    tensors = [known[id(value)] for value in values]
    if not all(x.layer for x in tensors):
        refuse(layer, f"{type(layer).__name__} of bools")
    if masked and getattr(getattr(layer, "forward_layer", layer), "zero_output_for_mask", False):
        refuse(layer, "zeros where the input is masked")
    if type(layer).__name__ in RECURRENT and (masked != tensors[0].masked or (topology.masks and not masked)):
        refuse(layer, "way to send it this mask, or to send it none")
    return tensors


def check_call(topology: Topology, call: Any, inputs: list[Tensor]) -> None:
    """Refuse a layer that is not in the table, is not float32, or is called as TF.js' layer cannot be.

    Raises:
        ValueError: names the layer.
    """
    layer, kind = call.operation, type(call.operation).__name__
    if not (kind in OPERATIONS and numpy_operation(kind) is type(layer)) and not _is_known(layer):
        refuse(layer, f"layer {kind}")
    policy = getattr(layer, "dtype_policy", None)  # an operation has none
    if policy is not None and (type(policy), policy.name) != (keras.DTypePolicy, "float32"):
        refuse(layer, f"dtype {policy.name} in layers")
    given = keras.tree.flatten(call.arguments.args)
    if kind != "Embedding" and any("int" in x.dtype or x.dtype == "bool" for x in given):
        refuse(layer, f"{kind} of integers")
    if inputs[0].masked and kind not in RECURRENT and not LAYERS[kind].passes_mask:
        refuse(layer, f"{kind} of masked values")
    shapes = [x.shape for x in inputs]
    if topology.shapes.setdefault(id(layer), shapes) != shapes:
        refuse(layer, "layer that is shared by inputs of different sizes")
    check_options(layer, LAYERS[kind].options, shapes[0], topology.training)
    if kind in SEVERAL_INPUTS and (len({len(shape) for shape in shapes}) > 1 or any(None in s[1:] for s in shapes)):
        refuse(layer, f"{kind} of different ranks or unknown sizes")
    if kind == "TimeDistributed":
        _check_inner(topology, layer.layer, (None, *shapes[0][2:]), RECURRENT)
    elif kind == "Bidirectional":
        _check_inner(topology, layer.forward_layer, shapes[0], set())


def _check_inner(topology: Topology, layer: Any, shape: Shape, refused: set[str]) -> None:
    """Check the layer inside of a wrapper."""
    kind = type(layer).__name__
    if not _is_known(layer) or kind in {*refused, *SEVERAL_INPUTS, "Embedding", "Masking", "TimeDistributed"}:
        refuse(layer, f"layer {kind} in a wrapper")
    check_options(layer, LAYERS[kind].options, shape, topology.training)


def _is_known(layer: Any) -> bool:
    kind = type(layer).__name__
    return kind in LAYERS and getattr(keras.layers, kind, None) is type(layer)
