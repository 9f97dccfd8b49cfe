"""The operations that OpenVINO 2026.4 computes otherwise than Keras on a processor, or cannot run."""

from typing import Any

import keras

from study_keras.formats.export.graph.frozen import lacks, owner

# Integers and half floats are int32 or float32 there.
NARROW = {"i8", "u8", "i16", "u16", "f16"}
SUMS = {"Add", "Subtract", "Multiply", "ReduceSum", "ReduceProd", "CumSum"}


def check_operations(model: keras.Model, converted: Any) -> None:
    """Refuse operations on values of the inputs that OpenVINO does otherwise than Keras.

    Args:
        converted: the ``openvino.Model`` of ``model``.

    Raises:
        ValueError: names the layer and the operation.
    """
    depend = set[str]()  # names of nodes whose values, and not only sizes, come from the inputs
    for node in converted.get_ordered_ops():
        name, kind = node.get_friendly_name(), node.get_type_name()
        given = [port.get_source_output() for port in node.inputs()]
        taken = [port for port in given if port.get_node().get_friendly_name() in depend]
        if kind == "Parameter" or (taken and kind != "ShapeOf"):
            depend.add(name)
        if kind == "Unique":
            raise lacks(model, name, kind, "OpenVINO")
        if taken and (why := _otherwise(node, kind, [port.get_element_type().get_type_name() for port in taken])):
            raise ValueError(f"{owner(model, name)}: OpenVINO has no {why}; leave this layer out of the exported model")


def _otherwise(node: Any, kind: str, taken: list[str]) -> str | None:
    """Return what OpenVINO computes otherwise, of a node that takes values of these dtypes from the inputs."""
    made = node.get_output_element_type(0).get_type_name() if node.get_output_size() else ""
    if kind == "Convert" and made in NARROW - {"i8", "u8"} and taken != [made]:
        return f"conversion to {made}, but to a wider dtype"
    if kind in SUMS and made in NARROW:
        return f"arithmetic in {made}, but in a wider dtype"
    return None
