"""Replaces operations of a graph by others that compute the same, so that another runtime can run it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from study_keras.formats.export.graph.freeze import LARGE, Frozen, Port

# Gets the operation (a tensorflow.Operation) and its inputs as tensors of a new graph; returns its output, or a list of
# them, or None where the operation can stay as it is. Written with TensorFlow's own functions.
Rewrite = Callable[..., Any]


class Through(NamedTuple):
    """A rewrite that looks past the inputs of an operation at other tensors of its graph."""

    sources: Callable[[Any], list[Any] | None]  # of an operation; None where it can stay as it is
    rewrite: Rewrite  # gets the operation and those tensors


def rewrite(frozen: Frozen, table: Mapping[str, Rewrite | Through]) -> Frozen:
    """Replace every operation that ``table`` names, and those that the replacements bring in turn.

    Args:
        table: {name of an operation: its rewrite}.
    """
    import tensorflow as tf

    graph_def, changed = frozen.graph_def, True
    while changed:
        with tf.Graph().as_default() as graph:
            tf.import_graph_def(graph_def, name="")
        replaced = {op.name: new for op in graph.get_operations() if (new := _replacement(op, table)) is not None}
        changed = bool(replaced)
        if changed:
            graph_def = _with(graph.as_graph_def(), replaced)
    return replace(frozen, graph_def=reachable(graph_def, frozen))


def rewrite_bodies(frozen: Frozen, table: Mapping[str, Rewrite | Through]) -> Frozen:
    """Do the same inside the functions of the graph, which are the bodies of its loops and branches."""
    graph_def = type(frozen.graph_def)()
    graph_def.CopyFrom(frozen.graph_def)
    for function in graph_def.library.function:
        if any(node.op in table for node in function.node_def):
            function.CopyFrom(_rewritten_body(function, frozen.graph_def.library, table))
    return replace(frozen, graph_def=graph_def)


def constant(tensor: Any) -> Any:
    """Return the value of a constant tensor as a NumPy array, None where it is computed."""
    import tensorflow as tf

    return tf.get_static_value(tensor)


def reachable(graph_def: Any, frozen: Frozen) -> Any:
    """Return the part of ``graph_def`` that the outputs need, and the inputs."""
    nodes = {node.name: node for node in graph_def.node}
    waiting = [port.tensor for port in (*frozen.outputs, *frozen.inputs)]
    kept = set()
    while waiting:
        name = _node(waiting.pop())
        if name not in kept:
            kept.add(name)
            waiting += [source for source in nodes[name].input if not source.startswith("^")]
    part = type(graph_def)()
    part.library.CopyFrom(graph_def.library)
    part.versions.CopyFrom(graph_def.versions)
    for node in graph_def.node:
        if node.name in kept:
            copy = part.node.add()
            copy.CopyFrom(node)
            del copy.input[:]  # what only decides the order goes: nothing here has an effect
            copy.input.extend(source for source in node.input if not source.startswith("^"))
    return part


def call(operation: Any, *inputs: Any) -> Any:
    """Rewrite a call of a function as what the function does."""
    import tensorflow as tf
    from tensorflow.python.framework import function_def_to_graph

    library = {function.signature.name: function for function in operation.graph.as_graph_def().library.function}
    body = function_def_to_graph.function_def_to_graph(library[operation.get_attr("f").name])
    names = [tensor.name for tensor in body.outputs]
    given = {tensor.name: value for tensor, value in zip(body.inputs, inputs, strict=True)}
    return list(tf.graph_util.import_graph_def(body.as_graph_def(), given, names, name=""))


def _rewritten_body(function: Any, library: Any, table: Mapping[str, Rewrite | Through]) -> Any:
    import tensorflow as tf
    from tensorflow.python.framework import function_def_to_graph, graph_to_function_def

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


def _replacement(operation: Any, table: Mapping[str, Rewrite | Through]) -> list[Any] | None:
    """Return the nodes that stand for ``operation``; their outputs are NAME/instead/out0, NAME/instead/out1, ..."""
    import tensorflow as tf

    row = table.get(operation.type)
    sources = row.sources(operation) if isinstance(row, Through) else list(operation.inputs)
    if row is None or sources is None:
        return None
    with tf.Graph().as_default() as graph:
        inputs = []
        for index, source in enumerate(sources):
            value = constant(source)
            if value is not None and value.size < LARGE:  # so that the rewrite sees its value
                inputs.append(tf.constant(value, source.dtype, name=f"in{index}"))
            else:
                inputs.append(tf.compat.v1.placeholder(source.dtype, source.shape, name=f"in{index}"))
        outputs = (row.rewrite if isinstance(row, Through) else row)(operation, *inputs)
        if outputs is None:
            return None
        for index, output in enumerate(outputs if isinstance(outputs, list) else [outputs]):
            tf.identity(output, name=f"out{index}")
    return _renamed(graph.as_graph_def(), operation.name, {f"in{i}": source.name for i, source in enumerate(sources)})


def _renamed(part: Any, scope: str, sources: Mapping[str, str]) -> list[Any]:
    """Put ``part`` into a scope, and tensors of the whole graph in place of its placeholders."""
    nodes = []
    for node in part.node:
        if node.name in sources:
            continue
        inputs = [sources.get(_node(name), f"{scope}/instead/{name}") for name in node.input if name[0] != "^"]
        node.name = f"{scope}/instead/{node.name}"
        del node.input[:]
        node.input.extend(inputs)
        nodes.append(node)
    return nodes


def _with(graph_def: Any, replaced: Mapping[str, list[Any]]) -> Any:
    """Return ``graph_def`` with other nodes for some of its own."""
    result = type(graph_def)()
    result.library.CopyFrom(graph_def.library)
    result.versions.CopyFrom(graph_def.versions)
    for node in graph_def.node:
        result.node.extend(replaced.get(node.name, [node]))
    for node in result.node:
        inputs = [name for name in node.input if name[0] != "^"]  # what only decides the order; nothing has an effect
        for index, name in enumerate(inputs):
            source, _, number = name.partition(":")
            if source in replaced:
                inputs[index] = f"{source}/instead/out{number or 0}"
        del node.input[:]
        node.input.extend(inputs)
    return result


def _node(tensor: str) -> str:
    return tensor.removeprefix("^").partition(":")[0]
