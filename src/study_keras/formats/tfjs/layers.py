"""Translates a Keras model to a TF.js layers model, where TF.js has every layer: see ``layer_table``."""

from collections.abc import Sequence
from typing import Any

import keras

from study_keras.formats.keras_internals import all_layers, calls, calls_of, producer, takes_dict
from study_keras.formats.tfjs.layer_calls import check_call, inputs_of
from study_keras.formats.tfjs.layer_options import options_of, refuse
from study_keras.formats.tfjs.layer_table import LAYERS
from study_keras.formats.tfjs.topology import Tensor, Topology


def layers_topology(model: keras.Model, training: bool = False) -> tuple[dict[str, Any], dict[str, Any]]:
    """Translate a model, with nested models flattened.

    Args:
        model: a built Sequential or functional model.
        training: also refuse layers that TF.js could run but not train.

    Returns:
        The topology (``model_config``), and the weights as {"layer/weight": Keras variable}.

    Raises:
        ValueError: names the layer that TF.js lacks, or lacks with these options.
    """
    _check_model(model)
    topology = Topology(training, _uses_mask(model))
    for layer in (*map(producer, model.inputs), *(call.operation for call in calls(model))):
        topology.name((layer.name,))  # the layers of the outermost model keep their names
    inputs = [_input(topology, x) for x in model.inputs]
    outputs = _translate(topology, model, inputs, ())
    if len(set(outputs)) < len(outputs) or any(x in inputs or not x.layer for x in outputs):
        raise ValueError(f"model {model.name!r}: TF.js cannot return an input, a bool, or the same output twice")
    config = {
        "name": topology.name((model.name, "")),
        "trainable": True,
        "layers": list(topology.layers.values()),
        "input_layers": [[x.layer, 0, 0] for x in inputs],
        "output_layers": [[x.layer, x.call, x.output] for x in outputs],
    }
    return {"class_name": "Functional", "config": config}, topology.weights


def _check_model(model: keras.Model) -> None:
    if type(model) is not keras.Sequential and type(model).__name__ != "Functional":
        raise ValueError(f"model {model.name!r} is a {type(model).__name__}; expected a Sequential or functional one")
    if takes_dict(model):
        raise ValueError(f"model {model.name!r} takes a dict; TF.js' layers models take lists")


def _input(topology: Topology, x: Any) -> Tensor:
    layer, dtype = producer(x), keras.backend.standardize_dtype(x.dtype)
    if dtype != "float32" and "int" not in dtype:
        refuse(layer, f"input of the dtype {dtype} in front of layers")
    if getattr(x, "sparse", False) or getattr(x, "ragged", False) or len(x.shape) < 2:
        refuse(layer, f"sparse input, ragged input or input of shape {x.shape} in front of layers")
    shape = (None, *x.shape[1:])
    config = {"batch_input_shape": list(shape), "dtype": "float32" if dtype == "float32" else "int32", "sparse": False}
    return Tensor(topology.add_call("InputLayer", (layer.name,), [], config), 0, 0, shape)


def _translate(topology: Topology, model: keras.Model, inputs: Sequence[Tensor], path: tuple[str, ...]) -> list[Tensor]:
    """Translate each call of the model's layers in order, and return its outputs."""
    known = {id(x): tensor for x, tensor in zip(model.inputs, inputs, strict=True)}
    for call in calls(model):
        outputs = _translate_call(topology, call, known, (*path, call.operation.name))
        known.update((id(x), tensor) for x, tensor in zip(call.outputs, outputs, strict=True))
    return [known[id(x)] for x in model.outputs]


def _translate_call(topology: Topology, call: Any, known: dict[int, Tensor], path: tuple[str, ...]) -> list[Tensor]:
    layer = call.operation
    if all(keras.backend.standardize_dtype(x.dtype) == "bool" for x in call.outputs):
        return [Tensor("", 0, 0, ())] * len(call.outputs)  # Keras' own mask; TF.js computes one, see `inputs_of`
    inputs = inputs_of(topology, call, known)
    if isinstance(layer, keras.Model):
        _check_model(layer)
        expected, given = (
            [(len(x.shape), keras.backend.standardize_dtype(x.dtype)) for x in tensors]
            for tensors in (layer.inputs, call.arguments.keras_tensors)
        )
        if expected != given or any(x.masked for x in inputs):
            refuse(layer, "nested model for inputs of another rank or dtype, or with a mask")
        return _translate(topology, layer, inputs, path)
    check_call(topology, call, inputs)
    name, masked = _add_layer(topology, layer, path, inputs)
    number = max(len(topology.layers[name]["inbound_nodes"]) - 1, 0)
    shapes = [(None, *x.shape[1:]) for x in call.outputs]
    return [Tensor(name, number, index, shape, masked and index == 0) for index, shape in enumerate(shapes)]


def _add_layer(topology: Topology, layer: Any, path: tuple[str, ...], inputs: list[Tensor]) -> tuple[str, bool]:
    """Add a call of the layer; return its name, and whether TF.js sends a mask along with its output."""
    kind, name = type(layer).__name__, topology.name(path)
    row = LAYERS[kind]
    config = {"trainable": getattr(layer, "trainable", True), **options_of(layer, row.options)}
    if kind == "Bidirectional":
        config["layer"] = _inner(layer.forward_layer, "rnn")
    if kind == "TimeDistributed":
        config["layer"] = _inner(layer.layer, f"{name}_step")
    if kind == "Embedding":
        config["mask_zero"] = config["mask_zero"] and topology.masks
    topology.add_call(kind, path, inputs, config)
    topology.weights |= {f"{name}/{weight}": value for weight, value in _weights(layer).items()}
    starts = kind == "Masking" or bool(config.get("mask_zero"))
    passes = row.passes_mask or getattr(layer, "return_sequences", False)
    return name, starts or (inputs[0].masked and passes)


def _inner(layer: Any, name: str) -> dict[str, Any]:
    kind = type(layer).__name__
    return {"class_name": kind, "config": {"name": name, **options_of(layer, LAYERS[kind].options)}}


def _weights(layer: Any) -> dict[str, Any]:
    """Return the weights by TF.js' names; refuse a layer that has others, such as those of LoRA."""
    kind = type(layer).__name__
    if kind == "Bidirectional":
        sides = {"forward_rnn": layer.forward_layer, "backward_rnn": layer.backward_layer}
        found = {f"{side}/{name}": value for side, inner in sides.items() for name, value in _weights(inner).items()}
    elif kind == "TimeDistributed":
        found = _weights(layer.layer)
    else:
        values = {name: getattr(getattr(layer, "cell", layer), name, None) for name in LAYERS[kind].weights}
        found = {name: value for name, value in values.items() if value is not None}
        if kind == "DepthwiseConv2D":
            found["depthwise_kernel"] = found.pop("kernel")
    if {id(value) for value in found.values()} != {id(value) for value in getattr(layer, "weights", ())}:
        refuse(layer, f"{kind} with the weights {[value.path for value in layer.weights]}")
    return found


def _uses_mask(model: keras.Model) -> bool:
    """Return whether a layer gets a mask; BatchNormalization does not count, its outputs do not depend on it."""
    layers = [layer for layer in all_layers(model)[1:] if type(layer).__name__ != "BatchNormalization"]
    masks = [call.arguments.kwargs.get("mask") for layer in layers for call in calls_of(layer)]
    return any(value is not None for value in keras.tree.flatten(masks))
