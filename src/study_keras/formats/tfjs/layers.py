"""A Keras model as a TF.js layers model, where each layer has one of the same meaning there: the table ``LAYERS``.

Every option that a row does not name must be at its default. What the table does not hold travels as a graph.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import keras

from study_keras.formats.tfjs.layer_options import check_options, options_of, refuse

Shape = tuple[Any, ...]  # the batch first; None where a size is unknown


class Tensor(NamedTuple):
    """One output of one call of a TF.js layer."""

    layer: str
    call: int  # counted from 0
    output: int  # of the call, counted from 0
    shape: Shape
    masked: bool = False  # TF.js sends a mask along


class Row(NamedTuple):
    """What TF.js' layer of the same name takes: options in Keras' spelling, and weights."""

    options: tuple[str, ...] = ()
    weights: tuple[str, ...] = ()
    passes_mask: bool = False


@dataclass
class Topology:
    """The layers in order, their weights, and the names that are in use."""

    training: bool
    masks: bool  # whether a layer uses a mask
    layers: dict[str, dict[str, Any]] = field(default_factory=dict)
    weights: dict[str, Any] = field(default_factory=dict)  # "layer/weight" -> Keras variable
    names: dict[tuple[str, ...], str] = field(default_factory=dict)  # path in the Keras model -> name in TF.js
    shapes: dict[str, list[Shape]] = field(default_factory=dict)  # of each layer's inputs, at its first call

    def name(self, path: tuple[str, ...]) -> str:
        """Return a name that TF.js accepts and no other path has."""
        if path not in self.names:
            base = re.sub(r"[^A-Za-z0-9._-]", "_", "_".join(path))
            base = base if base[0].isalnum() and base[0].isascii() else f"layer{base}"
            name, number = base, 1
            while name in self.names.values():
                name, number = f"{base}_{number}", number + 1
            self.names[path] = name
        return self.names[path]


_CONV = ("filters", "kernel_size", "strides", "padding", "dilation_rate", "activation", "use_bias")
_POOL = ("pool_size", "strides", "padding")
_SIMPLE = ("units", "activation", "use_bias", "return_sequences", "return_state", "go_backwards")
_RECURRENT = (*_SIMPLE, "recurrent_activation")
_GATES = ("kernel", "recurrent_kernel", "bias")
LAYERS: dict[str, Row] = {
    "Activation": Row(("activation",), passes_mask=True),
    "Add": Row(),
    "AlphaDropout": Row(("rate", "noise_shape"), passes_mask=True),
    "Average": Row(),
    "AveragePooling1D": Row(_POOL),
    "AveragePooling2D": Row(_POOL),
    "BatchNormalization": Row(
        ("axis", "momentum", "epsilon", "center", "scale"), ("gamma", "beta", "moving_mean", "moving_variance"), True
    ),
    "Bidirectional": Row(("merge_mode",)),
    "Concatenate": Row(("axis",)),
    "Conv1D": Row(_CONV, ("kernel", "bias")),
    "Conv2D": Row(_CONV, ("kernel", "bias")),
    "Conv2DTranspose": Row(_CONV, ("kernel", "bias")),
    "Conv3D": Row(_CONV, ("kernel", "bias")),
    "Cropping2D": Row(("cropping",)),
    "Dense": Row(("units", "activation", "use_bias"), ("kernel", "bias"), True),
    "DepthwiseConv2D": Row(("depth_multiplier", *_CONV[1:]), ("kernel", "bias")),
    "Dot": Row(("axes", "normalize")),
    "Dropout": Row(("rate", "noise_shape"), passes_mask=True),
    "ELU": Row(("alpha",)),
    "Embedding": Row(("input_dim", "output_dim", "mask_zero"), ("embeddings",)),
    "Flatten": Row(),
    "GRU": Row((*_RECURRENT, "reset_after"), _GATES),
    "GaussianDropout": Row(("rate",), passes_mask=True),
    "GaussianNoise": Row(("stddev",), passes_mask=True),
    "GlobalAveragePooling1D": Row(),
    "GlobalAveragePooling2D": Row(),
    "GlobalMaxPooling1D": Row(),
    "GlobalMaxPooling2D": Row(),
    "LSTM": Row(_RECURRENT, _GATES),
    "LayerNormalization": Row(("axis", "epsilon", "center", "scale"), ("gamma", "beta"), True),
    "LeakyReLU": Row(("negative_slope",)),
    "Masking": Row(("mask_value",), passes_mask=True),
    "MaxPooling1D": Row(_POOL),
    "MaxPooling2D": Row(_POOL),
    "Maximum": Row(),
    "Minimum": Row(),
    "Multiply": Row(),
    "PReLU": Row(("shared_axes",), ("alpha",)),
    "Permute": Row(("dims",)),
    "ReLU": Row(("max_value",)),
    "RepeatVector": Row(("n",)),
    "Rescaling": Row(("scale", "offset")),
    "Reshape": Row(("target_shape",)),
    "SeparableConv2D": Row(("depth_multiplier", *_CONV), ("depthwise_kernel", "pointwise_kernel", "bias")),
    "SimpleRNN": Row(_SIMPLE, _GATES),
    "Softmax": Row(("axis",)),
    "SpatialDropout1D": Row(("rate",), passes_mask=True),
    "TimeDistributed": Row(),
    "UpSampling2D": Row(("size", "interpolation")),
    "ZeroPadding2D": Row(("padding",)),
}
RECURRENT = {"Bidirectional", "GRU", "LSTM", "SimpleRNN"}
SEVERAL_INPUTS = {"Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply"}


OPERATIONS = {"Add", "Maximum", "Minimum", "Multiply"}  # x + y of two tensors is the layer Add, and so on


def layers_topology(model: keras.Model, training: bool = False) -> tuple[dict[str, Any], dict[str, Any]]:
    """Say a whole model in layers of TF.js.

    Args:
        model: a built Sequential or functional model.
        training: refuse what TF.js could run but not train.

    Returns:
        The topology (``model_config``), and the weights as {"layer/weight": Keras variable}.

    Raises:
        ValueError: names the layer that TF.js has not, or not with these options.
    """
    _check_model(model)
    topology = Topology(training, _uses_mask(model))
    for operation in _as_graph(model).operations:  # the layers at the top keep their names
        topology.name((operation.name,))
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
    if keras.tree.is_nested(getattr(model, "_inputs_struct", None)) and isinstance(model._inputs_struct, dict):
        raise ValueError(f"model {model.name!r} takes a dict; TF.js' layers models take lists")


def _input(topology: Topology, x: Any) -> Tensor:
    layer, dtype = x._keras_history.operation, keras.backend.standardize_dtype(x.dtype)
    if dtype != "float32" and "int" not in dtype:
        refuse(layer, f"input of the dtype {dtype} in front of layers")
    if getattr(x, "sparse", False) or getattr(x, "ragged", False) or len(x.shape) < 2:
        refuse(layer, f"sparse input, ragged input or input of shape {x.shape} in front of layers")
    shape = (None, *x.shape[1:])
    config = {"batch_input_shape": list(shape), "dtype": "float32" if dtype == "float32" else "int32", "sparse": False}
    name = _add(topology, "InputLayer", (layer.name,), [], config)
    return Tensor(name, 0, 0, shape)


def _translate(topology: Topology, model: keras.Model, inputs: Sequence[Tensor], path: tuple[str, ...]) -> list[Tensor]:
    """Translate each call of the model's layers in order, and return its outputs."""
    model = _as_graph(model)
    known = {id(x): tensor for x, tensor in zip(model.inputs, inputs, strict=True)}
    for depth in sorted(model._nodes_by_depth, reverse=True):
        for node in model._nodes_by_depth[depth]:
            if not node.is_input:
                outputs = _translate_node(topology, node, known, path)
                known.update((id(x), tensor) for x, tensor in zip(node.outputs, outputs, strict=True))
    return [known[id(x)] for x in model.outputs]


def _as_graph(model: keras.Model) -> keras.Model:
    """Return a functional model of the same layers."""
    return keras.Model(model.inputs, model.outputs) if isinstance(model, keras.Sequential) else model


def _translate_node(topology: Topology, node: Any, known: dict[int, Tensor], path: tuple[str, ...]) -> list[Tensor]:
    layer, path = node.operation, (*path, node.operation.name)
    if all(keras.backend.standardize_dtype(x.dtype) == "bool" for x in node.outputs):
        return [Tensor("", 0, 0, ())] * len(node.outputs)  # Keras' own mask; TF.js makes one, see _inputs
    inputs = _inputs(topology, layer, node, known)
    if isinstance(layer, keras.Model):
        _check_model(layer)
        same = [(len(x.shape), keras.backend.standardize_dtype(x.dtype)) for x in layer.inputs]
        given = [(len(x.shape), keras.backend.standardize_dtype(x.dtype)) for x in node.arguments.keras_tensors]
        if same != given or any(x.masked for x in inputs):
            refuse(layer, "nested model for inputs of another rank or dtype, or with a mask")
        return _translate(topology, layer, inputs, path)
    _check_layer(topology, layer, node, inputs)
    name, masked = _say(topology, layer, path, inputs)
    call = max(len(topology.layers[name]["inbound_nodes"]) - 1, 0)
    shapes = [(None, *x.shape[1:]) for x in node.outputs]
    return [Tensor(name, call, index, shape, masked and index == 0) for index, shape in enumerate(shapes)]


def _inputs(topology: Topology, layer: Any, node: Any, known: dict[int, Tensor]) -> list[Tensor]:
    """Return the tensors that the layer is called on; refuse a constant among them, and further arguments."""
    args, kwargs = node.arguments.args, dict(node.arguments.kwargs)
    mask = kwargs.pop("mask", None)
    kwargs.pop("training", None)
    states = keras.tree.flatten(kwargs.pop("initial_state", None)) if hasattr(layer, "return_sequences") else []
    states = [state for state in states if state is not None]
    given = [name for name, value in kwargs.items() if value is not None]
    values = [*keras.tree.flatten(args[0] if args else None), *states]
    several = type(layer).__name__ in OPERATIONS and not isinstance(layer, keras.Layer)
    values = keras.tree.flatten(args) if several else values
    if given or (len(args) != 1 and not several) or not all(isinstance(value, keras.KerasTensor) for value in values):
        refuse(layer, f"call with constants or further arguments {given}")
    own = [getattr(value, "_keras_mask", None) for value in keras.tree.flatten(args[0])]
    masks = keras.tree.flatten(mask)
    if any(value is not None for value in masks) and [id(value) for value in masks] != [id(value) for value in own]:
        refuse(layer, "mask given by hand")
    tensors = [known[id(value)] for value in values]
    if not all(x.layer for x in tensors):
        refuse(layer, f"{type(layer).__name__} of bools")
    masked = any(value is not None for value in masks)
    inner = getattr(layer, "forward_layer", layer)
    if masked and getattr(inner, "zero_output_for_mask", False):
        refuse(layer, "zeros where the input is masked")
    if type(layer).__name__ in RECURRENT and (masked != tensors[0].masked or (topology.masks and not masked)):
        refuse(layer, "way to bring this mask to it, or to keep one from it")
    return tensors


def _check_layer(topology: Topology, layer: Any, node: Any, inputs: list[Tensor]) -> None:
    """Refuse what is no layer of the table, has another type than float32, or is called as TF.js' layer cannot be."""
    kind = type(layer).__name__
    merges = kind in OPERATIONS and getattr(keras.src.ops.numpy, kind) is type(layer)
    if not merges and (kind not in LAYERS or getattr(keras.layers, kind, None) is not type(layer)):
        refuse(layer, f"layer {kind}")
    policy = getattr(layer, "dtype_policy", None)  # which an operation has not
    if policy is not None and (type(policy), policy.name) != (keras.DTypePolicy, "float32"):
        refuse(layer, f"dtype {policy.name} in layers")
    given = keras.tree.flatten(node.arguments.args)
    if kind != "Embedding" and any("int" in x.dtype or x.dtype == "bool" for x in given):
        refuse(layer, f"{kind} of integers")
    if inputs[0].masked and kind not in RECURRENT and not LAYERS[kind].passes_mask:
        refuse(layer, f"{kind} of masked values")
    shapes = [x.shape for x in inputs]
    if topology.shapes.setdefault(str(id(layer)), shapes) != shapes:
        refuse(layer, "layer that is shared by inputs of different sizes")
    check_options(layer, LAYERS[kind].options, inputs[0].shape, topology.training)
    if kind in SEVERAL_INPUTS and (len({len(shape) for shape in shapes}) > 1 or any(None in s[1:] for s in shapes)):
        refuse(layer, f"{kind} of different ranks or unknown sizes")
    inner = layer.layer if kind == "TimeDistributed" else getattr(layer, "forward_layer", None)
    if inner is not None:
        _check_inner(topology, inner, inputs[0].shape, steps=kind == "TimeDistributed")


def _say(topology: Topology, layer: Any, path: tuple[str, ...], inputs: list[Tensor]) -> tuple[str, bool]:
    """Add a call of the layer; return its name, and whether TF.js sends a mask on."""
    kind = type(layer).__name__
    name, config = (
        topology.name(path),
        {"trainable": getattr(layer, "trainable", True), **options_of(layer, LAYERS[kind].options)},
    )
    if kind == "Bidirectional":
        config["layer"] = _inner(layer.forward_layer, "rnn")
    if kind == "TimeDistributed":
        config["layer"] = _inner(layer.layer, f"{name}_step")
    if kind == "Embedding":
        config["mask_zero"] = config["mask_zero"] and topology.masks
    _add(topology, kind, path, inputs, config)
    topology.weights |= {f"{name}/{weight}": value for weight, value in _weights(layer).items()}
    starts = kind == "Masking" or bool(config.get("mask_zero"))
    sequences = getattr(layer, "return_sequences", False)
    return name, starts or (inputs[0].masked and (LAYERS[kind].passes_mask or sequences))


def _inner(layer: Any, name: str) -> dict[str, Any]:
    kind = type(layer).__name__
    return {"class_name": kind, "config": {"name": name, **options_of(layer, LAYERS[kind].options)}}


def _check_inner(topology: Topology, layer: Any, shape: Shape, steps: bool) -> None:
    """Refuse a wrapped layer as if it stood alone; TimeDistributed shows it one step."""
    kind = type(layer).__name__
    if kind not in LAYERS or getattr(keras.layers, kind, None) is not type(layer) or (steps and kind in RECURRENT):
        refuse(layer, f"layer {kind} in a wrapper")
    if kind in SEVERAL_INPUTS or kind in ("Embedding", "Masking", "TimeDistributed"):
        refuse(layer, f"layer {kind} in a wrapper")
    check_options(layer, LAYERS[kind].options, (None, *shape[2:]) if steps else shape, topology.training)


def _add(topology: Topology, kind: str, path: tuple[str, ...], inputs: list[Tensor], config: dict[str, Any]) -> str:
    name = topology.name(path)
    described = {"class_name": kind, "name": name, "config": {"name": name, **config}, "inbound_nodes": []}
    layer = topology.layers.setdefault(name, described)
    if inputs:
        layer["inbound_nodes"].append([[x.layer, x.call, x.output, {}] for x in inputs])
    return name


def _weights(layer: Any) -> dict[str, Any]:
    """Return the weights by TF.js' names; refuse a layer that has others, such as those of LoRA."""
    kind = type(layer).__name__
    if kind == "Bidirectional":
        sides = {"forward_rnn": layer.forward_layer, "backward_rnn": layer.backward_layer}
        found = {f"{side}/{name}": value for side, inner in sides.items() for name, value in _weights(inner).items()}
    elif kind == "TimeDistributed":
        found = _weights(layer.layer)
    else:
        holder = getattr(layer, "cell", layer)
        found = {
            name: getattr(holder, name) for name in LAYERS[kind].weights if getattr(holder, name, None) is not None
        }
        if kind == "DepthwiseConv2D":
            found["depthwise_kernel"] = found.pop("kernel")
    if {id(value) for value in found.values()} != {id(value) for value in getattr(layer, "weights", ())}:
        refuse(layer, f"{kind} with the weights {[value.path for value in layer.weights]}")
    return found


def _uses_mask(model: keras.Model) -> bool:
    """Say whether a layer gets a mask that changes its answers; of those that pass it on, none."""
    for layer in (
        layer for layer in model._flatten_layers(include_self=False) if type(layer).__name__ != "BatchNormalization"
    ):
        for node in layer._inbound_nodes:
            if any(value is not None for value in keras.tree.flatten(node.arguments.kwargs.get("mask"))):
                return True
    return False
