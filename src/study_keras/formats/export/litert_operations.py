"""A frozen TensorFlow graph as LiteRT's converter takes it, in operations that LiteRT has among its built-in ones."""

from collections.abc import Mapping
from typing import Any

from study_keras.formats.export.graph import arithmetic, bits, convolutions, elementwise, indexing
from study_keras.formats.export.graph.freeze import Frozen, Port, check_numbers, optimize
from study_keras.formats.export.graph.rewrite import Rewrite, Through, rewrite, rewrite_bodies
from study_keras.formats.export.shared_operations import SHARED


def in_litert_operations(frozen: Frozen, model: Any) -> Frozen:
    """Return ``frozen`` without the operations that ``REWRITES`` names.

    Raises:
        ValueError: a layer of ``model`` computes with what is no number, or no number that others have.
    """
    check_numbers(frozen, model, "LiteRT")
    frozen = rewrite(frozen, bits.WRAPPED)
    for _ in range(2):  # folding makes plain what can be rewritten, and the other way round
        frozen = optimize(rewrite(frozen, REWRITES))
    # The converter finds a whole gelu by its Erfc, and has an operation for it; inside loops it does not look.
    return rewrite_bodies(rewrite(frozen, REWRITES), {**REWRITES, "Erfc": elementwise.erfc})


def loops(frozen: Frozen) -> bool:
    """Tell whether the graph fills lists in a loop, for which LiteRT must know how many inputs there are."""
    bodies = (frozen.graph_def.node, *(function.node_def for function in frozen.graph_def.library.function))
    return any(node.op == "TensorListReserve" for nodes in bodies for node in nodes)


def saved_model(frozen: Frozen) -> bytes:
    """Return the content of the ``saved_model.pb`` that computes ``frozen``; its signature names inputs and outputs."""
    import tensorflow as tf
    from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

    def described(port: Port, shape: Any) -> Any:
        return meta_graph_pb2.TensorInfo(
            name=port.tensor, dtype=tf.as_dtype(port.dtype).as_datatype_enum, tensor_shape=shape.as_proto()
        )

    inputs = {port.name: described(port, tf.TensorShape(port.shape)) for port in frozen.inputs}
    outputs = {port.name: described(port, tf.TensorShape(None)) for port in frozen.outputs}  # the graph knows them
    model = saved_model_pb2.SavedModel(saved_model_schema_version=1)
    graph = model.meta_graphs.add()
    graph.meta_info_def.tags.append("serve")
    graph.graph_def.CopyFrom(frozen.graph_def)
    signature = meta_graph_pb2.SignatureDef(inputs=inputs, outputs=outputs, method_name="tensorflow/serving/predict")
    graph.signature_def["serving_default"].CopyFrom(signature)
    return model.SerializeToString()


def transposed(op: Any, size: Any, kernel: Any, x: Any) -> Any:
    """LiteRT dilates none."""
    if op.get_attr("data_format").decode().startswith("NC"):
        return convolutions.transposed(op, size, kernel, x)  # first makes it channels last
    return convolutions.transposed_by_zeros(op, size, kernel, x) if max(op.get_attr("dilations")) > 1 else None


REWRITES: Mapping[str, Rewrite | Through] = {
    **SHARED,
    "Acos": arithmetic.arc,
    "Acosh": arithmetic.hyperbolic,
    "Asin": arithmetic.arc,
    "Asinh": arithmetic.hyperbolic,
    "Atan": arithmetic.arc,
    "Atanh": arithmetic.hyperbolic,
    "AvgPool3D": convolutions.pool3d,
    "BatchToSpaceND": arithmetic.space_and_batch,
    "BiasAdd": convolutions.bias_add,
    "Conv2DBackpropInput": transposed,
    "Conv3D": convolutions.conv3d,
    "Conv3DBackpropInputV2": transposed,
    "Cosh": arithmetic.hyperbolic,
    "Erf": arithmetic.erf,
    "IsInf": arithmetic.is_infinite,
    "MaxPool3D": convolutions.pool3d,
    "Roll": indexing.roll,
    "Rsqrt": arithmetic.rsqrt,
    "Sinh": arithmetic.hyperbolic,
    "Softplus": arithmetic.softplus,
    "SpaceToBatchND": arithmetic.space_and_batch,
    "Squeeze": arithmetic.squeeze,
    "StridedSlice": arithmetic.new_axes,
    "Tan": arithmetic.tan,
}
