"""Replaces operations of a graph by others that compute the same, so that another runtime can run the graph."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import tensorflow as tf
from tensorflow.python.framework import function_def_to_graph, graph_to_function_def

from study_keras.formats.export.graph.frozen import LARGE, Frozen, Port, node_of, optimize

# Takes a tensorflow.Operation and its inputs as tensors of a new graph. Returns its output or a list of outputs, made
# with TensorFlow's own functions; None where the operation can stay.
Rewrite = Callable[..., Any]


class Through(NamedTuple):
    """A rewrite that takes other tensors of the graph than the inputs of the operation."""

    sources: Callable[[Any], list[Any] | None]  # operation -> those tensors; None where the operation can stay
    rewrite: Rewrite  # takes the operation and those tensors


Table = Mapping[str, Rewrite | Through]  # type of an operation -> its rewrite


def legalize(frozen: Frozen, table: Table, passes: int = 2) -> Frozen:
    """Rewrite and optimize in turn: constant folding exposes operations to rewrite, and rewrites constants to fold."""
    for _ in range(passes):
        frozen = optimize(rewrite(frozen, table))
    return rewrite(frozen, table)


def rewrite(frozen: Frozen, table: Table) -> Frozen:
    """Replace all operations in ``table``, also those that the replacements introduce."""
    graph_def, changed = frozen.graph_def, True
    while changed:
        with tf.Graph().as_default() as graph:
            tf.import_graph_def(graph_def, name="")
        replaced = {op.name: new for op in graph.get_operations() if (new := _replacement(op, table)) is not None}
        changed = bool(replaced)
        if changed:
            graph_def = _with(graph.as_graph_def(), replaced)
    return replace(frozen, graph_def=_reachable(graph_def, frozen))


def rewrite_bodies(frozen: Frozen, table: Table) -> Frozen:
    """Do the same inside the functions of the graph, which are the bodies of its loops and branches."""
    graph_def = type(frozen.graph_def)()
    graph_def.CopyFrom(frozen.graph_def)
    for function in graph_def.library.function:
        if any(node.op in table for node in function.node_def):
            function.CopyFrom(_rewritten_body(function, frozen.graph_def.library, table))
    return replace(frozen, graph_def=graph_def)


def constant(tensor: Any) -> Any:
    """Return the value of a constant tensor as a NumPy array, None where it is computed."""
    return tf.get_static_value(tensor)


def sizes(x: Any) -> list[Any]:
    """Return the shape of ``x``: an int where the size is known, otherwise a scalar of the graph."""
    return [tf.shape(x)[axis] if size is None else int(size) for axis, size in enumerate(x.shape)]


def attributes(op: Any) -> dict[str, Any]:
    """Return the attributes of an operation as ``tf.raw_ops`` takes them, without the dtypes, which follow."""
    names = [attribute.name for attribute in op.op_def.attr if attribute.type != "type"]
    values = {name: op.get_attr(name) for name in names}
    return {name: value.decode() if isinstance(value, bytes) else value for name, value in values.items()}


def call(op: Any, *inputs: Any) -> Any:
    """Replace the call of a function by the function's operations."""
    library = {function.signature.name: function for function in op.graph.as_graph_def().library.function}
    body = function_def_to_graph.function_def_to_graph(library[op.get_attr("f").name])
    names = [tensor.name for tensor in body.outputs]
    given = {tensor.name: value for tensor, value in zip(body.inputs, inputs, strict=True)}
    return list(tf.graph_util.import_graph_def(body.as_graph_def(), given, names, name=""))


def _reachable(graph_def: Any, frozen: Frozen) -> Any:
    """Return the inputs and the nodes that the outputs need, without control inputs: nothing has a side effect."""
    nodes = {node.name: node for node in graph_def.node}
    waiting = [port.tensor for port in (*frozen.outputs, *frozen.inputs)]
    kept = set()
    while waiting:
        name = node_of(waiting.pop())
        if name not in kept:
            kept.add(name)
            waiting += _data_inputs(nodes[name])
    part = type(graph_def)(library=graph_def.library, versions=graph_def.versions)
    for node in graph_def.node:
        if node.name in kept:
            set_inputs(part.node.add(), _data_inputs(node), node)
    return part


def _data_inputs(node: Any) -> list[str]:
    return [name for name in node.input if not name.startswith("^")]


def set_inputs(node: Any, inputs: list[str], source: Any = None) -> None:
    """Set the inputs of a node, which first becomes a copy of ``source`` if there is one."""
    if source is not None:
        node.CopyFrom(source)
    del node.input[:]
    node.input.extend(inputs)


def _rewritten_body(function: Any, library: Any, table: Table) -> Any:
    with tf.Graph().as_default():
        tf.import_graph_def(tf.compat.v1.GraphDef(library=library), name="")
        graph = function_def_to_graph.function_def_to_graph(function)
    ports = [
        tuple(Port(tensor.op.name, tensor.name, tensor.dtype.name, ()) for tensor in tensors)
        for tensors in (graph.inputs, graph.outputs)
    ]
    inner = rewrite(Frozen(graph.as_graph_def(), ports[0], ports[1]), table)
    with tf.Graph().as_default() as changed:
        tf.import_graph_def(inner.graph_def, name="")
    inputs, outputs = ([changed.get_tensor_by_name(port.tensor) for port in each] for each in ports)
    operations = [op for op in changed.get_operations() if op not in {tensor.op for tensor in inputs}]
    result = graph_to_function_def.graph_to_function_def(changed, operations, inputs, outputs)
    result.signature.name = function.signature.name
    return result


def _replacement(op: Any, table: Table) -> list[Any] | None:
    """Return the nodes that replace ``op``; their outputs are NAME/instead/out0, NAME/instead/out1, ..."""
    row = table.get(op.type)
    sources = row.sources(op) if isinstance(row, Through) else list(op.inputs)
    if row is None or sources is None:
        return None
    with tf.Graph().as_default() as graph:
        inputs = []
        for index, source in enumerate(sources):
            value = constant(source)
            if value is not None and value.size < LARGE:  # so that the rewrite can read it
                inputs.append(tf.constant(value, source.dtype, name=f"in{index}"))
            else:
                inputs.append(tf.compat.v1.placeholder(source.dtype, source.shape, name=f"in{index}"))
        outputs = (row.rewrite if isinstance(row, Through) else row)(op, *inputs)
        if outputs is None:
            return None
        for index, output in enumerate(outputs if isinstance(outputs, list) else [outputs]):
            tf.identity(output, name=f"out{index}")
    return _renamed(graph.as_graph_def(), op.name, {f"in{i}": source.name for i, source in enumerate(sources)})


def _renamed(part: Any, scope: str, sources: Mapping[str, str]) -> list[Any]:
    """Put ``part`` into a scope, and replace its placeholders by tensors of the complete graph."""
    nodes = [node for node in part.node if node.name not in sources]
    for node in nodes:
        inputs = [sources.get(node_of(name), f"{scope}/instead/{name}") for name in _data_inputs(node)]
        node.name = f"{scope}/instead/{node.name}"
        set_inputs(node, inputs)
    return nodes


def _with(graph_def: Any, replaced: Mapping[str, list[Any]]) -> Any:
    """Return ``graph_def`` with some nodes replaced, and without control inputs."""
    result = type(graph_def)(library=graph_def.library, versions=graph_def.versions)
    for node in graph_def.node:
        result.node.extend(replaced.get(node.name, [node]))
    for node in result.node:
        inputs = _data_inputs(node)
        for index, name in enumerate(inputs):
            source, _, number = name.partition(":")
            if source in replaced:
                inputs[index] = f"{source}/instead/out{number or 0}"
        set_inputs(node, inputs)
    return result
