"""A frozen TensorFlow graph as a TF.js graph model: what ``tf.loadGraphModel`` reads."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from study_keras.formats.graph.freeze import Frozen, Port

_TYPES = {"float32": "DT_FLOAT", "int32": "DT_INT32", "bool": "DT_BOOL"}
# Types that the converter of TF.js does not know, and what it holds their numbers as.
_UNKNOWN = {"bfloat16": "float32", "int16": "int32", "uint16": "int32", "uint32": "int32"}
# What changes from call to call or from step to step, and lists, which are no arrays.
_MOVING = {"Enter", "Exit", "LoopCond", "Merge", "NextIteration", "Placeholder", "Switch"}


def graph_topology(frozen: Frozen) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Split a graph into what ``model.json`` holds of it.

    Returns:
        The topology (a GraphDef as JSON, its constants without their values), the signature, and the weights
        as {name of the constant: Keras variable, or array of float32, int32 or bool}.
    """
    import tensorflow as tf
    from google.protobuf import json_format

    graph_def, weights = _without_weights(frozen)
    for node in graph_def.node:
        if node.op == "Const" and node.name not in weights:
            weights[node.name] = _stored(tf.make_ndarray(node.attr["value"].tensor))
        if node.op == "Const":
            node.attr["value"].tensor.CopyFrom(tf.compat.v1.AttrValue().tensor)
        for attribute in node.attr.values():
            if attribute.type and (known := _UNKNOWN.get(tf.as_dtype(attribute.type).name)):
                attribute.type = tf.as_dtype(known).as_datatype_enum
        node.ClearField("device")
        for name in [name for name in node.attr if name.startswith("_")]:
            del node.attr[name]
    signature = {"inputs": _ports(frozen.inputs), "outputs": _ports(frozen.outputs)}
    return json_format.MessageToDict(graph_def), signature, weights


def _without_weights(frozen: Frozen) -> tuple[Any, dict[str, Any]]:
    """Return the graph with constants where it computes with weights only, and their values."""
    import tensorflow as tf

    nodes = {node.name: node for node in frozen.graph_def.node}
    fixed = _fixed(nodes, set(frozen.weights))
    ends = {port.tensor.partition(":")[0] for port in frozen.outputs}
    wanted = [tensor for node in nodes.values() if node.name not in fixed for tensor in node.input]
    wanted = [tensor for tensor in [*wanted, *ends] if tensor.partition(":")[0] in fixed]
    values = {tensor: _value(tensor, nodes, frozen.weights) for tensor in dict.fromkeys(wanted)}
    graph_def = tf.compat.v1.GraphDef(versions=frozen.graph_def.versions)
    for tensor, value in values.items():
        node = graph_def.node.add(name=_constant_name(tensor), op="Const")
        node.attr["dtype"].type = tf.as_dtype(value.dtype).as_datatype_enum
        node.attr["value"].tensor.dtype = node.attr["dtype"].type
    for name, given in nodes.items():  # in their order, so that a model gives the same file again
        if name in fixed:
            continue
        node = graph_def.node.add()
        node.CopyFrom(given)
        inputs = [_constant_name(tensor) if tensor in values else tensor for tensor in node.input]
        del node.input[:]
        node.input.extend(inputs)
    return graph_def, {_constant_name(tensor): value for tensor, value in values.items()}


def _constant_name(tensor: str) -> str:
    return tensor.replace(":", "/output")


def _fixed(nodes: Mapping[str, Any], weights: set[str]) -> set[str]:
    """Return the nodes that no input of the model reaches."""
    users: dict[str, list[str]] = {}
    for node in nodes.values():
        for tensor in node.input:
            users.setdefault(tensor.partition(":")[0], []).append(node.name)
    waiting = [
        name
        for name, node in nodes.items()
        if (node.op in _MOVING or node.op.startswith("TensorList")) and name not in weights
    ]
    moving = set(waiting)
    while waiting:
        for user in users.get(waiting.pop(), []):
            if user not in moving:
                moving.add(user)
                waiting.append(user)
    return nodes.keys() - moving


def _value(tensor: str, nodes: Mapping[str, Any], weights: Mapping[str, Any]) -> Any:
    """Return a tensor that depends on weights only, as a Keras variable or an array."""
    import tensorflow as tf

    origin, _, index = tensor.partition(":")
    if origin in weights and weights[origin].dtype == "float32":
        return weights[origin]  # read when it is written
    if nodes[origin].op == "Const":
        return _stored(tf.make_ndarray(nodes[origin].attr["value"].tensor))
    part, waiting = tf.compat.v1.GraphDef(), [origin]
    while waiting:
        node = nodes[waiting.pop()]
        if all(node.name != other.name for other in part.node):
            part.node.append(node)
            waiting += [source.partition(":")[0] for source in node.input]
    known = [node.name for node in part.node if node.name in weights]
    given = {f"{name}:0": keras.ops.convert_to_numpy(weights[name].value) for name in known}
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        tf.import_graph_def(part, name="")
        return _stored(np.asarray(session.run(f"{origin}:{index or 0}", given)))


def _ports(ports: tuple[Port, ...]) -> dict[str, Any]:
    described = {}
    for port in ports:
        sizes = [{"size": str(-1 if size is None else size)} for size in port.shape]
        dtype = _TYPES[str(_stored(np.zeros(0, port.dtype)).dtype)]
        described[port.name] = {"name": port.tensor, "dtype": dtype, "tensorShape": {"dim": sizes}}
    return described


def _stored(array: np.ndarray) -> np.ndarray:
    """Return ``array`` in one of the types that TF.js computes with."""
    if array.dtype.name in ("float32", "bool", "int32"):
        return array
    if array.dtype.kind == "f" or array.dtype.name == "bfloat16":
        return array.astype("float32")
    limits = np.iinfo("int32")
    return np.clip(array, limits.min, limits.max).astype("int32")
