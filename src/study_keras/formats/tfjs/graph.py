"""A Keras model as a TF.js graph model, which ``tf.loadGraphModel`` reads."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from google.protobuf import json_format

from study_keras.formats.export.graph.freeze import freeze
from study_keras.formats.export.graph.frozen import Port
from study_keras.formats.export.graph.weights import split
from study_keras.formats.tfjs.operations import to_tfjs_operations

_TYPES = {"float32": "DT_FLOAT", "int32": "DT_INT32", "bool": "DT_BOOL"}
# dtypes that TF.js' converter does not know -> the dtype that it holds their values in
_UNKNOWN = {"bfloat16": "float32", "int16": "int32", "uint16": "int32", "uint32": "int32"}


def graph_topology(model: keras.Model) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Trace ``model`` and return the parts of ``model.json``.

    Returns:
        The topology (a GraphDef as JSON, its constants without their values), the signature, and the weights as
        {name of the constant: Keras variable, or array of float32, int32 or bool}.

    Raises:
        ValueError: names the layer and the operation that TF.js lacks.
    """
    frozen = to_tfjs_operations(freeze(model, lower=True), model)
    graph_def, values = split(frozen)
    weights = {name: _stored(value) if isinstance(value, np.ndarray) else value for name, value in values.items()}
    for node in graph_def.node:
        if node.op == "Const":
            node.attr["dtype"].type = tf.as_dtype(weights[node.name].dtype).as_datatype_enum
            node.attr["value"].tensor.CopyFrom(tf.compat.v1.AttrValue().tensor)
        for attribute in node.attr.values():
            if attribute.type and (known := _UNKNOWN.get(tf.as_dtype(attribute.type).name)):
                attribute.type = tf.as_dtype(known).as_datatype_enum
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
    """Return ``array`` in one of the dtypes that TF.js computes with."""
    if array.dtype.name in ("float32", "bool", "int32"):
        return array
    if array.dtype.kind == "f" or array.dtype.name == "bfloat16":
        return array.astype("float32")
    limits = np.iinfo("int32")
    return np.clip(array, limits.min, limits.max).astype("int32")
