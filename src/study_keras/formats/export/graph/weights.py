"""The weights of a graph: computed where no input reaches them, kept apart from the graph, or put into it."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from study_keras.formats.export.graph.frozen import Frozen, node_of
from study_keras.formats.export.graph.rewrite import set_inputs
from study_keras.startup import quiet

# Nodes that differ between calls or between the steps of a loop, and lists, which are no arrays.
_DYNAMIC = {"EmptyTensorList", "Enter", "Exit", "LoopCond", "Merge", "NextIteration", "Placeholder", "Switch"}


def with_weights(frozen: Frozen, fewer: float = math.inf) -> Frozen:
    """Return ``frozen`` with its weights as constants.

    Args:
        fewer: kernels and tables with at least this number of float32 values stay placeholders, each an array in
            ``weights``.
    """
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
    """Compute the tensors that do not depend on any input.

    Returns:
        The graph with constants without values in their place, and {name of the constant: Keras variable or array}.
    """
    nodes = {node.name: node for node in frozen.graph_def.node}
    fixed = _fixed(nodes, set(frozen.weights))
    wanted = [tensor for node in nodes.values() if node.name not in fixed for tensor in node.input]
    wanted += {node_of(port.tensor): None for port in frozen.outputs}
    values = {x: _value(x, nodes, frozen) for x in dict.fromkeys(wanted) if node_of(x) in fixed}
    graph_def = tf.compat.v1.GraphDef(versions=frozen.graph_def.versions, library=frozen.graph_def.library)
    for tensor, value in values.items():
        node = graph_def.node.add(name=_constant_name(tensor), op="Const")
        node.attr["dtype"].type = tf.as_dtype(value.dtype).as_datatype_enum
        node.attr["value"].tensor.dtype = node.attr["dtype"].type
    for name, node in nodes.items():  # in this order, so that a model always gives the same file
        if name not in fixed:
            inputs = [_constant_name(tensor) if tensor in values else tensor for tensor in node.input]
            set_inputs(graph_def.node.add(), inputs, node)
    return graph_def, {_constant_name(tensor): value for tensor, value in values.items()}


def _constant_name(tensor: str) -> str:
    return tensor.replace(":", "/output")


def _fixed(nodes: Mapping[str, Any], weights: set[str]) -> set[str]:
    """Return the nodes that do not depend on any input of the model."""
    users: dict[str, list[str]] = {}
    for node in nodes.values():
        for tensor in node.input:
            users.setdefault(node_of(tensor), []).append(node.name)
    waiting = [name for name, node in nodes.items() if node.op in _DYNAMIC or node.op.startswith("TensorList")]
    waiting = [name for name in waiting if name not in weights]
    dynamic = set(waiting)
    while waiting:
        for user in users.get(waiting.pop(), []):
            if user not in dynamic:
                dynamic.add(user)
                waiting.append(user)
    return nodes.keys() - dynamic


def _value(tensor: str, nodes: Mapping[str, Any], frozen: Frozen) -> Any:
    """Return a tensor that depends only on weights, as a Keras variable or an array."""
    origin, _, index = tensor.partition(":")
    weights = frozen.weights
    if origin in weights and weights[origin].dtype == "float32":
        return weights[origin]  # read when the file is written
    if nodes[origin].op == "Const":
        return tf.make_ndarray(nodes[origin].attr["value"].tensor)
    with quiet():  # a deprecation warning
        part = tf.compat.v1.graph_util.extract_sub_graph(frozen.graph_def, [origin])
    known = [node.name for node in part.node if node.name in weights]
    given = {f"{name}:0": keras.ops.convert_to_numpy(weights[name].value) for name in known}
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        tf.import_graph_def(part, name="")
        return np.asarray(session.run(f"{origin}:{index or 0}", given))
