"""The weights of a graph: apart from it while it is rewritten, computed with where nothing else is, and put back."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from study_keras.formats.export.graph.freeze import Frozen

# What changes from call to call or from step to step, and lists, which are no arrays.
_MOVING = {"EmptyTensorList", "Enter", "Exit", "LoopCond", "Merge", "NextIteration", "Placeholder", "Switch"}


def with_weights(frozen: Frozen, fewer: float = math.inf) -> Frozen:
    """Return ``frozen`` with its weights inside, as constants.

    Args:
        fewer: kernels and tables of as many float32 values or more stay placeholders, each an array in ``weights``.
    """
    import tensorflow as tf

    graph_def, values = split(frozen)
    apart = {}
    for node in graph_def.node:
        if node.op == "Const":
            value = values.pop(node.name)
            array = value if isinstance(value, np.ndarray) else keras.ops.convert_to_numpy(value)
            if array.size >= fewer and array.ndim > 1 and array.dtype == np.float32:  # tf2onnx wants biases inside
                node.op, apart[node.name] = "Placeholder", array
                node.attr.pop("value")
                node.attr["shape"].shape.CopyFrom(tf.TensorShape(array.shape).as_proto())
            else:
                node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(array))
    return replace(frozen, graph_def=graph_def, weights=apart)


def split(frozen: Frozen) -> tuple[Any, dict[str, Any]]:
    """Compute what no input reaches.

    Returns:
        The graph with constants without values in those places, and {name of each constant: Keras variable, or array}.
    """
    import tensorflow as tf

    nodes = {node.name: node for node in frozen.graph_def.node}
    fixed = _fixed(nodes, set(frozen.weights))
    ends = {port.tensor.partition(":")[0] for port in frozen.outputs}
    wanted = [tensor for node in nodes.values() if node.name not in fixed for tensor in node.input]
    wanted = [tensor for tensor in [*wanted, *ends] if tensor.partition(":")[0] in fixed]
    values = {tensor: _value(tensor, nodes, frozen) for tensor in dict.fromkeys(wanted)}
    graph_def = tf.compat.v1.GraphDef(versions=frozen.graph_def.versions, library=frozen.graph_def.library)
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


def _value(tensor: str, nodes: Mapping[str, Any], frozen: Frozen) -> Any:
    """Return a tensor that depends on weights only, as a Keras variable or an array."""
    import tensorflow as tf

    origin, _, index = tensor.partition(":")
    weights = frozen.weights
    if origin in weights and weights[origin].dtype == "float32":
        return weights[origin]  # read when it is written
    if nodes[origin].op == "Const":
        return tf.make_ndarray(nodes[origin].attr["value"].tensor)
    part, waiting = tf.compat.v1.GraphDef(library=frozen.graph_def.library), [origin]
    while waiting:
        node = nodes[waiting.pop()]
        if all(node.name != other.name for other in part.node):
            part.node.append(node)
            waiting += [source.partition(":")[0] for source in node.input]
    known = [node.name for node in part.node if node.name in weights]
    given = {f"{name}:0": keras.ops.convert_to_numpy(weights[name].value) for name in known}
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        tf.import_graph_def(part, name="")
        return np.asarray(session.run(f"{origin}:{index or 0}", given))
