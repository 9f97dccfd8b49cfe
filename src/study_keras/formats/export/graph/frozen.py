"""A TensorFlow graph without variables: its type, its optimization, and the layer that each node comes from."""

import gc
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import keras
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2, meta_graph_pb2
from tensorflow.python.grappler import tf_optimizer

from study_keras.formats.keras_internals import all_layers
from study_keras.startup import quiet, silence_output

LARGE = 10_000  # values; smaller weights are constants, which can be folded
# Passes of grappler. `remapper` is left out: it fuses into operations that TF.js and tf2onnx lack.
_OPTIMIZERS = ("function", "pruning", "constfold", "arithmetic", "dependency", "pruning", "constfold")
_REFUSED = {"string": "strings", "float8_e4m3fn": "float8", "float8_e5m2": "float8"}


@dataclass(frozen=True)
class Port:
    """One input or output of a graph."""

    name: str  # in the exported file
    tensor: str  # in the graph, "NODE:0"
    dtype: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True)
class Frozen:
    """A graph without variables. Its inputs and outputs are in Keras' order, flattened."""

    graph_def: Any  # tensorflow.GraphDef
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    weights: Mapping[str, Any] = field(default_factory=dict)  # placeholder -> Keras variable


def optimize(frozen: Frozen) -> Frozen:
    """Fold constants, prune nodes that no output needs, and inline functions."""
    if len(frozen.graph_def.node) > 500:
        gc.collect()  # earlier graphs, which are reference cycles
    with tf.Graph().as_default() as graph, quiet():  # TensorFlow warns of lookup tables that were traced away
        tf.import_graph_def(frozen.graph_def, name="")
        meta_graph = tf.compat.v1.train.export_meta_graph(graph_def=graph.as_graph_def(), graph=graph)
    kept = meta_graph_pb2.CollectionDef()
    kept.node_list.value.extend(port.tensor for port in (*frozen.inputs, *frozen.outputs))
    meta_graph.collection_def["train_op"].CopyFrom(kept)  # protects inputs and outputs from pruning
    config = config_pb2.ConfigProto()
    config.graph_options.rewrite_options.optimizers.extend(_OPTIMIZERS)
    config.graph_options.rewrite_options.min_graph_nodes = -1
    with silence_output(2):
        return replace(frozen, graph_def=tf_optimizer.OptimizeGraph(config, meta_graph))


def all_nodes(graph_def: Any) -> Iterator[Any]:
    """Yield the nodes of a graph and of its functions, which are the bodies of loops and branches."""
    yield from graph_def.node
    for function in graph_def.library.function:
        yield from function.node_def


def node_of(tensor: str) -> str:
    """Return the node of ``"NODE"``, ``"NODE:1"`` or ``"^NODE"``."""
    return tensor.removeprefix("^").partition(":")[0]


def check_dtypes(frozen: Frozen, model: keras.Model, runtime: str, refused: Mapping[str, str] | None = None) -> None:
    """Refuse dtypes that a runtime lacks, lookup tables, and operations that only TensorFlow's executor knows.

    Args:
        refused: dtype -> its name in the message, in addition to strings and float8.

    Raises:
        ValueError: names the layer.
    """
    names = {**_REFUSED, **(refused or {})}
    for node in frozen.graph_def.node:
        types = (names.get(tf.as_dtype(attribute.type).name) for attribute in node.attr.values() if attribute.type)
        if found := next(filter(None, types), None):
            raise ValueError(f"{_user(frozen, model, node)} computes with {found}, which {runtime} does not")
        if node.op.startswith("_") or "LookupTable" in node.op:
            raise ValueError(f"{owner(model, node.name)}: {runtime} has no operation {node.op}; use another layer")


def lacks(model: keras.Model, node: str, operation: str, runtime: str) -> ValueError:
    """Return the error for an operation that a runtime lacks and that no rewrite replaces; it names the layer."""
    return ValueError(
        f"{owner(model, node)}: {runtime} has no operation {operation}, and it cannot be replaced by others as it is "
        "used here; use another layer, or leave this one out of the exported model"
    )


def owner(model: keras.Model, node: str) -> str:
    """Return class and name of the innermost layer whose name scope contains a node.

    The scope of a layer ``dense_1`` is ``dense_1_1``, or ``dense_1_2`` for its second call.
    """
    layers = {layer.name: layer for layer in all_layers(model)}
    for part in reversed(node.split("/")):
        for name in (re.sub(r"_\d+$", "", part), part, re.sub(r"(_\d+)+$", "", part)):
            if name in layers:
                return f"{type(layers[name]).__name__} {name!r}"
    return f"{type(model).__name__} {model.name!r}"


def _user(frozen: Frozen, model: keras.Model, node: Any) -> str:
    """Return the layer of a node; for an input the first layer that takes it."""
    users = [other.name for other in frozen.graph_def.node if node.name in other.input]
    return owner(model, users[0] if node.op == "Placeholder" and users else node.name)
