"""A frozen TensorFlow graph as a TF.js graph model: what ``tf.loadGraphModel`` reads."""

from typing import Any

import numpy as np

from study_keras.formats.graph.freeze import Frozen, Port

_TYPES = {"float32": "DT_FLOAT", "int32": "DT_INT32", "bool": "DT_BOOL"}
_STORED = {"float64": "float32", "float16": "float32", "bfloat16": "float32"}  # others as int32


def graph_topology(frozen: Frozen) -> tuple[dict[str, Any], dict[str, Any], dict[str, np.ndarray]]:
    """Split a graph into what ``model.json`` holds of it.

    Returns:
        The topology (a GraphDef as JSON, its constants without their values), the signature, and the weights
        as {name of the constant: array of float32, int32 or bool}.
    """
    import tensorflow as tf
    from google.protobuf import json_format

    graph_def, weights = tf.compat.v1.GraphDef(), {}
    graph_def.CopyFrom(frozen.graph_def)
    for nodes in (graph_def.node, *(function.node_def for function in graph_def.library.function)):
        for node in nodes:
            if node.op == "Const":
                weights[node.name] = _stored(tf.make_ndarray(node.attr["value"].tensor))
                node.attr["value"].tensor.CopyFrom(tf.compat.v1.AttrValue().tensor)
            node.ClearField("device")
            for name in [name for name in node.attr if name.startswith("_")]:
                del node.attr[name]
    signature = {"inputs": _ports(frozen.inputs), "outputs": _ports(frozen.outputs)}
    return json_format.MessageToDict(graph_def), signature, weights


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
