"""Converts a Keras model to the content of an ``.onnx`` file, with tf2onnx."""

import warnings
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import onnx
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

from study_keras.formats import inference
from study_keras.formats.export.graph.freeze import freeze
from study_keras.formats.export.graph.frozen import LARGE, Frozen, lacks
from study_keras.formats.export.graph.weights import with_weights
from study_keras.formats.export.onnx_operations import to_onnx_operations
from study_keras.formats.keras_internals import patch_tf2onnx
from study_keras.startup import quiet, silence_output

_LAYOUTS = ("Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze")


def to_onnx(model: keras.Model, opset: int) -> bytes:
    """Return the content of the file.

    Raises:
        ValueError: ONNX cannot express the model.
    """
    frozen = with_weights(to_onnx_operations(freeze(model), model), LARGE)
    try:
        converted = _converted(frozen, opset)
    except Exception as error:  # tf2onnx raises errors of many classes
        raise _refusal(model, error) from error
    for node in _nodes(converted.graph):
        if node.domain not in ("", "ai.onnx") or not onnx.defs.has(node.op_type, opset):
            raise lacks(model, node.name, node.op_type, f"ONNX {opset}")
    try:
        names = [item.name for item in converted.graph.input]
        if names != [port.name for port in frozen.inputs]:
            raise ValueError(f"tf2onnx gave it the inputs {names}")
        onnx.checker.check_model(converted)
    except Exception as error:  # onnx has its own class
        raise _refusal(model, error) from error
    content: bytes = converted.SerializeToString()
    return content


def _refusal(model: keras.Model, error: Exception) -> ValueError:
    reason = (str(error) or type(error).__name__).splitlines()[0][:300]
    return ValueError(f"ONNX cannot express the model {model.name!r}: {reason}")


def _converted(frozen: Frozen, opset: int) -> Any:
    with warnings.catch_warnings(), quiet(), silence_output(2):
        warnings.simplefilter("ignore", FutureWarning)  # the patch looks for np.object
        patch_tf2onnx()
        import tf2onnx  # after the patch

        ports = (*frozen.inputs, *frozen.outputs)
        names = inference.distinct([port.name for port in ports])  # in ONNX no output may have the name of an input
        converted, _ = tf2onnx.convert.from_graph_def(
            frozen.graph_def,
            input_names=[*(port.tensor for port in frozen.inputs), *(f"{name}:0" for name in frozen.weights)],
            output_names=[port.tensor for port in frozen.outputs],
            opset=opset,
            custom_op_handlers={"SelectV2": (_where, [])},
            tensors_to_rename=dict(zip((port.tensor for port in ports), names, strict=True)),
        )
    _add_weights(converted.graph, {f"{name}:0": array for name, array in frozen.weights.items()})
    return converted


def _add_weights(graph: Any, weights: dict[str, np.ndarray]) -> None:
    """Replace the inputs of ``graph`` that are weights by initializers, in the layout that its operations expect.

    tf2onnx copies a graph with all its constants dozens of times; without the weights it is small.
    """
    int64 = onnx.TensorProto.INT64
    shapes = {item.name: numpy_helper.to_array(item) for item in graph.initializer if item.data_type == int64}
    for node in list(graph.node):
        source, *others = node.input
        if node.op_type in _LAYOUTS and source in weights and all(name in shapes for name in others):
            given = {name: weights.get(name, shapes.get(name)) for name in node.input}
            (weights[node.output[0]],) = ReferenceEvaluator(node).run(None, given)
            graph.node.remove(node)
    used = {name for node in _nodes(graph) for name in node.input} | {item.name for item in graph.output}
    for item in [item for item in graph.input if item.name in weights]:
        graph.input.remove(item)
    for name in list(weights):
        array = weights.pop(name)
        if name in used:
            graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(array), name))


def _where(context: Any, node: Any, name: str, args: Any) -> None:
    """Convert SelectV2: tf2onnx multiplies by 0 and 1 and adds, which keeps NaN and infinity of the other branch."""
    from tf2onnx.onnx_opset.controlflow import Select

    kinds = onnx.TensorProto
    if context.get_dtype(node.output[0]) in (kinds.FLOAT, kinds.DOUBLE, kinds.INT32, kinds.INT64, kinds.BOOL):
        node.type = "Where"
    else:  # onnxruntime has no Where for these
        Select.version_9(context, node)


def _nodes(graph: Any) -> Iterator[Any]:
    """Yield all nodes of ``graph`` and of the graphs inside them."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from _nodes(inner)
