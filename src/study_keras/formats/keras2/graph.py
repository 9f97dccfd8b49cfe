"""Converts the connections between the layers of a Keras 2 model to the config of Keras 3."""

from collections.abc import Iterator
from typing import Any

_RECURRENT = {"LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"}


def sequential(config: Any) -> Any:
    """Add the input layer to a Sequential model, which Keras 2 often described inside the first layer."""
    if isinstance(config, list):  # before Keras 2.2.3
        config = {"layers": config}
    if isinstance(config, dict):
        config = {"name": "sequential", **config}
    layers = config.get("layers") if isinstance(config, dict) else None
    if not isinstance(layers, list) or not layers or not _holds_input(layers[0]):
        return config
    first = layers[0]["config"]
    dtype = first["dtype"] if isinstance(first.get("dtype"), str) else "float32"
    inputs = {"batch_shape": first["batch_input_shape"], "dtype": dtype, "name": f"{first.get('name')}_input"}
    return {**config, "layers": [{"class_name": "InputLayer", "config": inputs}, *layers]}


def _holds_input(layer: Any) -> bool:
    config = layer.get("config") if isinstance(layer, dict) and layer.get("class_name") != "InputLayer" else None
    return isinstance(config, dict) and "batch_input_shape" in config


def functional(config: dict[str, Any]) -> dict[str, Any]:
    """Convert Keras 2's ``[[name, node, tensor, {}]]`` to ``{"args", "kwargs"}``."""
    layers = config.get("layers")
    if not isinstance(layers, list) or not any(_has_old_nodes(layer) for layer in layers):
        return config
    calls = [layer.get("inbound_nodes") for layer in layers if isinstance(layer, dict)]
    used = list(_used([calls, config.get("output_layers")]))
    shifted = {layer.get("name") for layer in layers if isinstance(layer, dict) and _starts_at_one(layer, used)}
    # Only among the inputs and outputs of a model Keras 3 counts that call of a functional model, too.
    sequential = {
        layer.get("name") for layer in layers if isinstance(layer, dict) and layer.get("class_name") == "Sequential"
    }
    config = {**config, "layers": [_connected(layer, shifted) for layer in layers]}
    for ends in ("input_layers", "output_layers"):
        found = _references(config.get(ends), shifted & sequential)
        config[ends] = found[0] if isinstance(found, list) and len(found) == 1 else found
    return config


def _has_old_nodes(layer: Any) -> bool:
    nodes = layer.get("inbound_nodes") if isinstance(layer, dict) else None
    return isinstance(nodes, list) and any(isinstance(node, list) for node in nodes)


def _used(item: Any) -> Iterator[tuple[str, int]]:
    """Yield (layer, call) of each output that is used anywhere in ``item``."""
    if _is_reference(item):
        yield item[0], item[1]
    for part in item.values() if isinstance(item, dict) else item if isinstance(item, list) else ():
        yield from _used(part)


def _starts_at_one(layer: dict[str, Any], used: list[tuple[str, int]]) -> bool:
    """Return whether Keras 2 counted a call of this layer that Keras 3 does not: that of a model with its own input.

    A model without one, which took its input from the first call, counts from 0. The numbers of the calls in use
    usually tell which it is.
    """
    config = layer.get("config")
    layers = config.get("layers") if isinstance(config, dict) else config
    if not isinstance(layers, list):
        return False
    numbers = [number for name, number in used if name == layer.get("name")]
    if 0 in numbers:
        return False
    first = layers[0] if layers else {}
    return (
        max(numbers, default=0) >= len(layer.get("inbound_nodes") or ())
        or layer.get("class_name") != "Sequential"
        or _holds_input(first)
        or (isinstance(first, dict) and first.get("class_name") == "InputLayer")
    )


def _connected(layer: Any, shifted: set[Any]) -> Any:
    if not _has_old_nodes(layer):
        return layer
    if layer.get("class_name") in ("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer"):
        raise ValueError(
            f"the model calls TensorFlow directly ({layer.get('name')}); rebuild that part with Keras' layers"
        )
    nodes = []
    for inbound in layer["inbound_nodes"]:
        node = [inbound] if _is_reference(inbound) else inbound
        tensors = [_tensor(item, shifted) for item in node]
        kwargs = node[0][3] if isinstance(node, list) and _is_reference(node[0]) and len(node[0]) == 4 else {}
        kwargs = {inner: _tensor(item, shifted) for inner, item in kwargs.items()}
        if layer.get("class_name") in _RECURRENT and len(tensors) > 1:
            tensors, kwargs["initial_state"] = tensors[:1], tensors[1:]
        nodes.append({"args": tensors if len(tensors) == 1 else [tensors], "kwargs": kwargs})
    return {**layer, "inbound_nodes": nodes}


def _is_reference(item: Any) -> bool:
    return isinstance(item, list) and len(item) in (3, 4) and [type(part) for part in item[:3]] == [str, int, int]


def _references(item: Any, shifted: set[Any]) -> Any:
    if _is_reference(item):
        return [item[0], item[1] - (item[0] in shifted), item[2]]
    if isinstance(item, dict):
        return {name: _references(part, shifted) for name, part in item.items()}
    return [_references(part, shifted) for part in item] if isinstance(item, list) else item


def _tensor(item: Any, shifted: set[Any]) -> Any:
    if _is_reference(item):
        tensor = {"shape": [None], "dtype": "float32", "keras_history": _references(item, shifted)}
        return {"class_name": "__keras_tensor__", "config": tensor}
    if isinstance(item, list):
        return [_tensor(part, shifted) for part in item]
    return {inner: _tensor(part, shifted) for inner, part in item.items()} if isinstance(item, dict) else item
