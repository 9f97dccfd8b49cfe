"""A frozen graph in operations that LiteRT's converter accepts and that are built into LiteRT."""

from typing import Any

from study_keras.formats.export.graph.frozen import Frozen, all_nodes, check_dtypes
from study_keras.formats.export.graph.rewrite import Table, legalize, rewrite, rewrite_bodies
from study_keras.formats.export.rewrites import convolutions, elementwise, integers, pooling, slicing, special
from study_keras.formats.export.shared_operations import SHARED


def to_litert_operations(frozen: Frozen, model: Any) -> Frozen:
    """Return ``frozen`` without the operations in ``REWRITES``.

    Raises:
        ValueError: a layer of ``model`` computes with strings, float8 or lookup tables.
    """
    check_dtypes(frozen, model, "LiteRT")
    frozen = legalize(rewrite(frozen, integers.WRAPPED), REWRITES)
    # The converter recognizes gelu by its Erfc, and has an operation for it, but not inside loops.
    return rewrite_bodies(frozen, {**REWRITES, "Erfc": elementwise.erfc})


def has_loops(frozen: Frozen) -> bool:
    """Return whether a loop of the graph fills a list, for which LiteRT needs a fixed batch size."""
    return any(node.op == "TensorListReserve" for node in all_nodes(frozen.graph_def))


def transposed(op: Any, size: Any, kernel: Any, x: Any) -> Any:
    """LiteRT has no transposed convolution with dilation."""
    if convolutions.is_channels_first(op):
        return convolutions.channels_last(op, size, kernel, x)
    return convolutions.transposed_by_zeros(op, size, kernel, x) if max(op.get_attr("dilations")) > 1 else None


REWRITES: Table = {
    **SHARED,
    **pooling.POOL3D,
    **special.TRIGONOMETRIC,
    "BatchToSpaceND": slicing.space_and_batch,
    "BiasAdd": convolutions.bias_add,
    "Conv2DBackpropInput": transposed,
    "Conv3D": convolutions.convolution,
    "Conv3DBackpropInputV2": transposed,
    "Erf": special.erf,
    "IsInf": elementwise.is_infinite,
    "Roll": slicing.roll,
    "Rsqrt": elementwise.rsqrt,
    "Softplus": special.softplus,
    "SpaceToBatchND": slicing.space_and_batch,
    "Squeeze": slicing.squeeze,
    "StridedSlice": slicing.new_axes,
}
