"""ONNX: one ``.onnx`` file for onnxruntime and all that reads ONNX."""

import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np

from study_keras import files
from study_keras.formats import inference
from study_keras.formats.export import tensorflow_process
from study_keras.formats.export.graph.freeze import LARGE, Frozen, freeze, owner
from study_keras.formats.export.graph.weights import with_weights
from study_keras.formats.export.onnx_operations import in_onnx_operations
from study_keras.formats.proof.prove import Proof, prove_export
from study_keras.startup import quiet, silent

OPSETS = range(13, 19)  # of tf2onnx 1.17; before 13 much of a Keras model cannot be said
DEFAULT_OPSET = 15
_INT64 = 7  # onnx.TensorProto.INT64
_LAYOUTS = ("Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze")


def export_onnx(
    model: keras.Model,
    path: str | Path,
    *,
    opset: int = DEFAULT_OPSET,
    prove: bool | Callable[[Proof], None] = True,
) -> Path:
    """Write ``model`` for inference as ONNX, for any number of inputs at once.

    Only TensorFlow can trace it: on another backend of Keras the model travels to a process of its own for that,
    which takes some 10 seconds. Inputs and outputs have the names that ``keras.Input`` and the layers have.

    Args:
        path: ends in ``.onnx``.
        opset: the version of ONNX' operations, 13 to 18. A newer one needs a newer runtime.
        prove: whether the file must answer as Keras does before it gets its name; a function is told the ``Proof``.

    Returns:
        The path.

    Raises:
        ValueError: the model was never built, ONNX cannot express it, ``opset`` is none of those, or the path is no
            ``.onnx``.
        OSError: the file cannot be written. What stood there is untouched.
    """
    path = Path(path)
    if opset not in OPSETS:
        raise ValueError(f"opset={opset!r}; expected {OPSETS[0]} to {OPSETS[-1]}")
    inference.check_model(model, path, ".onnx")
    if keras.backend.backend() == "tensorflow":
        content = onnx_of(model, opset).SerializeToString()
        with files.atomic_write(path) as temporary:
            temporary.write_bytes(content)
            prove_export(prove, model, temporary)
    else:
        tensorflow_process.export_many(model, [partial(export_onnx, path=path, opset=opset, prove=prove)])
    return path


def list_onnx(path: str | Path) -> list[tuple[str, tuple[int, ...]]]:
    """Return name and shape of the weights in an ONNX file.

    Raises:
        ValueError: the file is missing or broken.
    """
    import onnx

    try:
        graph = onnx.load(path).graph
    except Exception as error:  # onnx raises protobuf's errors
        raise ValueError(f"{path}: cannot be read as ONNX: {str(error).splitlines()[0]}") from error
    return [(item.name, tuple(item.dims)) for item in graph.initializer]


def onnx_of(model: keras.Model, opset: int) -> Any:
    """Return ``model`` as an ``onnx.ModelProto``.

    Raises:
        ValueError: as ``export_onnx``.
    """
    frozen = with_weights(in_onnx_operations(freeze(model), model), LARGE)
    try:
        converted = _converted(frozen, opset)
    except Exception as error:  # tf2onnx raises what it likes
        reason = (str(error) or type(error).__name__).splitlines()[0][:300]
        raise ValueError(f"ONNX cannot express the model {model.name!r}: {reason}") from error
    _check(converted, frozen, model, opset)
    return converted


def _converted(frozen: Frozen, opset: int) -> Any:
    from keras.src.export.tf2onnx_lib import patch_tf2onnx

    with warnings.catch_warnings(), quiet(), silent(2):
        warnings.simplefilter("ignore", FutureWarning)  # Keras looks for np.object, to mend tf2onnx
        patch_tf2onnx()
        import tf2onnx

        ports = (*frozen.inputs, *frozen.outputs)
        names = inference.distinct([port.name for port in ports])  # here an output may not be named as an input
        converted, _ = tf2onnx.convert.from_graph_def(
            frozen.graph_def,
            input_names=[*(port.tensor for port in frozen.inputs), *(f"{name}:0" for name in frozen.weights)],
            output_names=[port.tensor for port in frozen.outputs],
            opset=opset,
            custom_op_handlers={"SelectV2": (_where, [])},
            tensors_to_rename=dict(zip((port.tensor for port in ports), names, strict=True)),
        )
    _put_in(converted.graph, {f"{name}:0": array for name, array in frozen.weights.items()})
    return converted


def _put_in(graph: Any, weights: dict[str, np.ndarray]) -> None:
    """Make initializers of the inputs of ``graph`` that are weights, in the layout that its operations want.

    tf2onnx copies a graph with all its constants dozens of times; without the weights it is small.
    """
    from onnx import numpy_helper
    from onnx.reference import ReferenceEvaluator

    shapes = {item.name: numpy_helper.to_array(item) for item in graph.initializer if item.data_type == _INT64}
    nodes = list(graph.node)
    for node in nodes:
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
    """tf2onnx multiplies with 0 and 1 and adds, which keeps every NaN and infinity that ``where`` should drop."""
    from onnx import TensorProto
    from tf2onnx.onnx_opset.controlflow import Select

    kept = (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT32, TensorProto.INT64, TensorProto.BOOL)
    if context.get_dtype(node.output[0]) in kept:
        node.type = "Where"
    else:  # of which onnxruntime has no Where
        Select.version_9(context, node)


def _check(converted: Any, frozen: Frozen, model: keras.Model, opset: int) -> None:
    """Refuse what no runtime opens: operations of TensorFlow, and inputs that the model does not have."""
    import onnx

    for node in _nodes(converted.graph):
        if node.domain not in ("", "ai.onnx") or not onnx.defs.has(node.op_type, opset):
            raise ValueError(
                f"{owner(model, node.name)}: ONNX {opset} has no operation {node.op_type}, nor can it be said with "
                "others as it is used here; use another layer, or leave this one out of the exported model"
            )
    names = [item.name for item in converted.graph.input]
    if names != [port.name for port in frozen.inputs]:
        raise ValueError(f"ONNX cannot express the model {model.name!r}: tf2onnx gave it the inputs {names}")
    try:
        onnx.checker.check_model(converted)
    except Exception as error:  # onnx' own class
        raise ValueError(f"ONNX cannot express the model {model.name!r}: {str(error).splitlines()[0]}") from error


def _nodes(graph: Any) -> Any:
    """Yield all nodes of ``graph`` and of the graphs inside them."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from _nodes(inner)
