"""Converts a Keras model to an OpenVINO model, by way of ONNX.

Of 103 models of ``tests/matrix`` OpenVINO's reader of ONNX was right about more than its reader of TensorFlow's graphs.
OpenVINO's command-line converter and ``openvino.convert_model`` are not used.
"""

import re
from typing import Any

import keras

from study_keras.formats.export.graph.frozen import lacks, owner
from study_keras.formats.export.onnx_converter import to_onnx
from study_keras.formats.export.openvino_operations import check_operations
from study_keras.runtimes.openvino import library
from study_keras.runtimes.runner import first_words

OPSET = 15  # of ONNX


def to_openvino(model: keras.Model) -> Any:
    """Return ``model`` as an ``openvino.Model``, with the names of its inputs and outputs.

    Raises:
        ValueError: ONNX or OpenVINO cannot express the model; the message names the layer.
    """
    import onnx

    openvino = library()
    try:
        content = to_onnx(model, OPSET)
    except ValueError as error:
        raise ValueError(f"{error} (a file for OpenVINO is written by way of ONNX)") from error
    graph = onnx.load_from_string(content).graph
    try:
        # From a file, it would lose the tensors that a loop takes from around it.
        converted = openvino.Core().read_model(content)
    except Exception as error:  # RuntimeError
        raise _refusal(model, content, str(error)) from error
    converted = _with_all_inputs(converted, graph)
    check_operations(model, converted)
    _keep_transposes(converted)
    _sort_in_order(converted)
    for port in converted.outputs:
        if len(names := port.get_names()) == 1:
            port.node.set_friendly_name(next(iter(names)))
    return converted


def _with_all_inputs(converted: Any, graph: Any) -> Any:
    """Return the model with the inputs that OpenVINO dropped, since no output depends on them."""
    found = {name: port.node for port in converted.inputs for name in port.get_names()}
    wanted = graph.input
    if all(item.name in found for item in wanted):
        return converted
    parameters = [found.get(item.name) or _parameter(item) for item in wanted]
    results = [port.node for port in converted.outputs]
    return library().Model(results, converted.get_sinks(), parameters, converted.get_friendly_name())


def _keep_transposes(converted: Any) -> None:
    """Put what changes nothing between a transpose and an LSTM, if something else takes the transposed values too.

    OpenVINO 2026.4 merges equal transposes, then makes one before an LSTM a reshape: all else would get the reshape.
    """
    opset = library().opset1
    for node in converted.get_ordered_ops():
        if node.get_type_name() not in ("LSTMSequence", "GRUSequence", "RNNSequence"):
            continue
        port = node.input(0)
        taken = port.get_source_output()
        before = taken.get_node().input_value(0) if taken.get_node().get_type_name() == "Transpose" else taken
        if max(len(taken.get_target_inputs()), len(before.get_target_inputs())) > 1:
            port.replace_source_output(opset.maximum(taken, taken).output(0))


def _sort_in_order(converted: Any) -> None:
    """Let equal numbers keep their order where they are sorted, as everywhere else."""
    openvino = library()
    for node in converted.get_ordered_ops():
        if node.get_type_name() == "TopK":
            options = node.get_attributes()
            data, count = (port.get_source_output() for port in node.inputs())
            chosen = {key: options[key] for key in ("axis", "mode", "index_element_type")}
            made = openvino.opset11.topk(data, count, sort="value", stable=True, **chosen)
            made.set_friendly_name(node.get_friendly_name())
            for before, after in zip(node.outputs(), made.outputs(), strict=True):
                after.set_names(before.get_names())
                for port in before.get_target_inputs():
                    port.replace_source_output(after)


def _parameter(item: Any) -> Any:
    from onnx import helper

    openvino = library()
    kind = item.type.tensor_type
    sizes = [dim.dim_value if dim.HasField("dim_value") else -1 for dim in kind.shape.dim]
    parameter = openvino.op.Parameter(
        openvino.Type(helper.tensor_dtype_to_np_dtype(kind.elem_type)), openvino.PartialShape(sizes)
    )
    parameter.set_friendly_name(item.name)
    parameter.output(0).set_names({item.name})
    return parameter


def _refusal(model: keras.Model, content: bytes, words: str) -> ValueError:
    """Return the error for what OpenVINO says of operations, with the layer that the first of them comes from."""
    import onnx

    if node := re.search(r"While validating ONNX node '<Node\((\w+)\): ([^>']+)>", words):
        return lacks(model, node[2].removesuffix(":0"), node[1], "OpenVINO")
    listed = re.search(r"(?:No conversion rule found for operations|Conversion is failed for): ([\w.-]+)", words)
    kind = listed[1].removeprefix("ai.onnx.").split("-")[0] if listed else None
    nodes = [node.name for node in onnx.load_from_string(content).graph.node if node.op_type == kind]
    if kind and nodes:
        return lacks(model, nodes[0], kind, "OpenVINO")
    return ValueError(f"{owner(model, '')}: OpenVINO cannot express it: {first_words(ValueError(words))}")
