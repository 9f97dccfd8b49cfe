"""A Keras model as one TensorFlow graph without variables: what the files for inference are made of."""

import gc
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import keras

from study_keras.formats import inference
from study_keras.formats.export.graph.tracing import traceable
from study_keras.startup import quiet, silent

# What grappler may do. `remapper` would fuse into operations that TF.js and tf2onnx lack.
_OPTIMIZERS = ("function", "pruning", "constfold", "arithmetic", "dependency", "pruning", "constfold")


LARGE = 10_000  # values; smaller weights can be folded into others


@dataclass(frozen=True)
class Port:
    """One input or output of a graph."""

    name: str  # as an app sees it
    tensor: str  # in the graph, "NODE:0"
    dtype: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True)
class Frozen:
    """A graph without variables. Its inputs and outputs stand in the order of Keras' own, flattened."""

    graph_def: Any  # tensorflow.GraphDef
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    weights: Mapping[str, Any] = field(default_factory=dict)  # placeholder -> Keras variable


def freeze(model: keras.Model, *, batch: int | None = None, lower: bool = False) -> Frozen:
    """Trace ``model`` at inference, in float32.

    Small weights are constants in the graph; large ones stay out of it, as placeholders, for it is copied many times.

    Args:
        model: a built model, on the TensorFlow backend; also a subclassed one that was called.
        batch: how many inputs at once; None for any number.
        lower: whether loops and branches become plain operations (Enter, Switch, Merge, ...); otherwise they stay
            ``While`` and ``If`` with a function each.

    Raises:
        ValueError: the model was never built, keeps a state between calls, or answers at random.
    """
    import tensorflow as tf
    from tensorflow.python.framework import convert_to_constants

    specs, names = inference.input_specs(model, batch), inference.output_names(model)
    flat = [
        tf.TensorSpec(spec.shape, spec.dtype, name=name)
        for spec, name in zip(keras.tree.flatten(specs), inference.input_names(model), strict=True)
    ]

    large = _large_weights(model)
    flat += [tf.TensorSpec(value.shape, value.dtype, name=name) for name, value in large.items()]
    changed: list[str] = []

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def call(*tensors: Any) -> list[Any]:
        inputs, weights = tensors[: len(flat) - len(large)], tensors[len(flat) - len(large) :]
        with keras.StatelessScope(list(zip(large.values(), weights, strict=True))) as scope:
            outputs = keras.tree.flatten(model(keras.tree.pack_sequence_as(specs, inputs), training=False))
        given = {id(value): weight for value, weight in zip(large.values(), weights, strict=True)}
        changed.extend(_changed(model.variables, scope, given))  # which leave no trace in the graph
        return [tf.identity(output, name=name) for output, name in zip(outputs, names, strict=True)]

    try:
        with quiet(), as_float32(model), names_of_tensorflow(model), traceable(model):
            function = call.get_concrete_function(*flat)
    except Exception as error:  # Keras and TensorFlow raise what they like
        raise ValueError(f"TensorFlow cannot trace the model {model.name!r}: {_reason(error)}") from error
    _check_stateless(model, changed)
    with quiet(), silent(2):  # grappler counts machines
        frozen = convert_to_constants.convert_variables_to_constants_v2(
            function, lower_control_flow=lower, aggressive_inlining=True
        )
    inputs = tuple(map(_port, frozen.inputs[: len(flat) - len(large)], inference.input_names(model)))
    outputs = tuple(map(_port, frozen.outputs, names))
    graph_def = frozen.graph.as_graph_def()
    _inline_xla(graph_def)
    nodes = [port.tensor.partition(":")[0] for port in outputs]
    with quiet():
        needed = tf.compat.v1.graph_util.extract_sub_graph(graph_def, nodes)
    _check_not_random(model, needed)  # before folding, which draws the numbers once and for all
    return optimize(Frozen(graph_def, inputs, outputs, large))


def optimize(frozen: Frozen) -> Frozen:
    """Fold what is constant, drop what no output needs, and put functions where they are called."""
    import tensorflow as tf
    from tensorflow.core.protobuf import config_pb2, meta_graph_pb2
    from tensorflow.python.grappler import tf_optimizer

    if len(frozen.graph_def.node) > 500:
        gc.collect()  # the former graph, which is a circle
    with tf.Graph().as_default() as graph, quiet():  # it warns of tables without which the layers were traced
        tf.import_graph_def(frozen.graph_def, name="")
        meta_graph = tf.compat.v1.train.export_meta_graph(graph_def=graph.as_graph_def(), graph=graph)
    kept = meta_graph_pb2.CollectionDef()
    kept.node_list.value.extend(port.tensor for port in (*frozen.inputs, *frozen.outputs))
    meta_graph.collection_def["train_op"].CopyFrom(kept)  # or they would be pruned
    config = config_pb2.ConfigProto()
    config.graph_options.rewrite_options.optimizers.extend(_OPTIMIZERS)
    config.graph_options.rewrite_options.min_graph_nodes = -1
    with silent(2):
        return replace(frozen, graph_def=tf_optimizer.OptimizeGraph(config, meta_graph))


@contextmanager
def as_float32(model: keras.Model) -> Iterator[None]:
    """Let all layers compute in float32 for the length of a block, whatever mixed policy they have."""
    changed = [
        layer
        for layer in all_layers(model)
        if type(layer.dtype_policy) is keras.DTypePolicy and layer.dtype_policy.compute_dtype in ("float16", "bfloat16")
    ]
    before = [layer.dtype_policy for layer in changed]
    try:
        for layer in changed:
            layer.dtype_policy = "float32"
        yield
    finally:
        for layer, policy in zip(changed, before, strict=True):
            layer.dtype_policy = policy


@contextmanager
def names_of_tensorflow(model: keras.Model) -> Iterator[None]:
    """Give layers whose names TensorFlow refuses as scopes of a graph others for the length of a block."""
    changed = [layer for layer in all_layers(model) if not re.fullmatch(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*", layer.name)]
    before = [layer.name for layer in changed]
    try:
        for index, layer in enumerate(changed):
            layer.name = f"layer_{index}"
        yield
    finally:
        for layer, name in zip(changed, before, strict=True):
            layer.name = name


def all_layers(model: keras.Model) -> list[Any]:
    """Return the model, its layers, theirs, and so on."""
    return list(model._flatten_layers(include_self=True, recursive=True))


def _large_weights(model: keras.Model) -> dict[str, Any]:
    """Return the variables that stay out of the graph, by the names of their placeholders.

    Those of recurrent layers stay in: in a loop a placeholder would lose its shape.
    """
    recurrent = [layer for layer in all_layers(model) if hasattr(layer, "return_sequences")]
    inside = {id(variable) for layer in recurrent for variable in layer.variables}
    large = [v for v in model.variables if math.prod(v.shape) >= LARGE and id(v) not in inside]
    return {f"weight_{index}": variable for index, variable in enumerate(large)}


def _changed(variables: list[Any], scope: Any, given: Mapping[int, Any]) -> list[str]:
    """Return the variables with another value in a scope than the ``given`` one, all but states of random numbers."""
    kept = [v for v in variables if v.name != "seed_generator_state"]
    return [v.path for v in kept if scope.get_current_value(v) is not given.get(id(v))]


def _check_stateless(model: keras.Model, changed: list[str]) -> None:
    """Refuse a model whose answer depends on earlier calls."""
    for layer in all_layers(model):
        if getattr(layer, "stateful", False):
            raise ValueError(
                f"{type(layer).__name__} {layer.name!r} keeps its state between calls (stateful=True), which no file "
                "for inference can; rebuild it with stateful=False and pass the states as inputs"
            )
    if changed:
        raise ValueError(f"the variable {changed[0]!r} changes at inference, which it cannot in a file for it")


def _check_not_random(model: keras.Model, graph_def: Any) -> None:
    """Refuse a model that draws random numbers at inference."""
    bodies = (graph_def.node, *(function.node_def for function in graph_def.library.function))
    for node in (node for nodes in bodies for node in nodes):
        if re.match("(Stateless)?(Random|TruncatedNormal|ParameterizedTruncatedNormal|Multinomial)", node.op):
            raise ValueError(f"{owner(model, node.name)} answers at random at inference; no file could answer the same")


def check_numbers(frozen: Frozen, model: keras.Model, runtime: str) -> None:
    """Refuse strings, tables, numbers of 8 bits with a point, and what only TensorFlow's executor knows.

    Raises:
        ValueError: names the layer.
    """
    import tensorflow as tf

    refused = {"string": "strings", "float8_e4m3fn": "float8", "float8_e5m2": "float8"}
    for node in frozen.graph_def.node:
        types = (refused.get(tf.as_dtype(attribute.type).name) for attribute in node.attr.values() if attribute.type)
        if found := next(filter(None, types), None):
            raise ValueError(f"{_user(frozen, model, node)} computes with {found}, which {runtime} does not")
        if node.op.startswith("_") or "LookupTable" in node.op:
            raise ValueError(f"{owner(model, node.name)}: {runtime} has no operation {node.op}; use another layer")


def _user(frozen: Frozen, model: keras.Model, node: Any) -> str:
    """Return the layer that a node belongs to, of an input the first one that takes it."""
    users = [other.name for other in frozen.graph_def.node if node.name in other.input]
    return owner(model, users[0] if node.op == "Placeholder" and users else node.name)


def owner(model: keras.Model, node: str) -> str:
    """Return class and name of the innermost layer whose name scope the node of a graph lies in.

    The scope of a layer ``dense_1`` is ``dense_1_1``, or ``dense_1_2`` of its second call.
    """
    layers = {layer.name: layer for layer in all_layers(model)}
    for part in reversed(node.split("/")):
        for name in (re.sub(r"_\d+$", "", part), part, re.sub(r"(_\d+)+$", "", part)):
            if name in layers:
                return f"{type(layers[name]).__name__} {name!r}"
    return f"{type(model).__name__} {model.name!r}"


def _port(tensor: Any, name: str) -> Port:
    shape = tensor.shape
    sizes = tuple(shape.as_list()) if shape.rank is not None else ()
    return Port(name, tensor.name, tensor.dtype.name, sizes)


def _inline_xla(graph_def: Any) -> None:
    """Let grappler inline what Keras compiles with XLA, such as a grouped convolution: it has no state any more."""
    bodies = (graph_def.node, *(function.node_def for function in graph_def.library.function))
    for node in (node for nodes in bodies for node in nodes):
        node.attr.pop("_XlaMustCompile", None)
        if node.op == "StatefulPartitionedCall":
            node.op = "PartitionedCall"
    for function in graph_def.library.function:
        function.attr.pop("_XlaMustCompile", None)
        function.signature.is_stateful = False


def _reason(error: Exception) -> str:
    """Return the line of an error of Keras that says what is wrong, and the layer that it names."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    named = re.match(r"Exception encountered when calling (.+\.call\(\))", lines[0])
    said = re.sub(r"\x1b\[\dm", "", lines[1] if named and len(lines) > 1 else lines[0])[:300]
    return f"{named[1]}: {said}" if named else said
