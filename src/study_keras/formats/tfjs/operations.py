"""Which TensorFlow operations a TF.js graph model may hold, and how others are said with these, exactly.

``ALLOWED`` are those whose kernels in TF.js 4.22 (wasm and cpu) were run against TensorFlow's by the matrix test.
``REWRITES`` serves operations that TF.js lacks, and those that it gets wrong with certain options.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from study_keras.formats.export.graph import (
    arithmetic,
    bits,
    convolutions,
    einsum,
    elementwise,
    images,
    indexing,
    signals,
)
from study_keras.formats.export.graph.freeze import Frozen, optimize, owner
from study_keras.formats.export.graph.rewrite import Rewrite, Through, call, rewrite
from study_keras.formats.tfjs import integers

ALLOWED = frozenset(
    """
    Abs Acos Acosh Add AddN AddV2 All Any ArgMax ArgMin Asin Asinh Atan Atan2 Atanh AvgPool BatchMatMulV2
    BatchToSpaceND BiasAdd BroadcastArgs BroadcastTo Cast Ceil ClipByValue Concat ConcatV2 Const Conv2D
    Conv2DBackpropInput Conv3D Cos Cosh Cumprod Cumsum DenseBincount DepthToSpace DepthwiseConv2dNative DivNoNan
    Elu Enter Equal Erf Exit Exp ExpandDims Expm1 Fill Floor FloorDiv FloorMod FusedBatchNormV3 GatherNd GatherV2
    Greater GreaterEqual Identity IdentityN IsFinite IsInf IsNan LeakyRelu Less
    LessEqual LinSpace Log Log1p LogSoftmax LogicalAnd LogicalNot LogicalOr LoopCond LowerBound MatMul Max MaxPool
    Maximum Mean Merge Min Minimum MirrorPad Mod Mul Neg NextIteration NotEqual OnesLike Pack Pad PadV2
    Placeholder Pow Prod Range Rank RealDiv Reciprocal Relu Relu6 Reshape ResizeBilinear ResizeNearestNeighbor
    ReverseV2 Round Rsqrt ScatterNd Select SelectV2 Selu Shape Sigmoid Sign Sin Sinh Size Slice Softmax Softplus
    SpaceToBatchND Split SplitV Sqrt Square SquaredDifference Squeeze StridedSlice Sub Sum Switch Tan Tanh
    TensorListFromTensor TensorListGetItem TensorListReserve TensorListSetItem TensorListStack TensorScatterUpdate
    Tile TopKV2 Transpose Unpack UpperBound ZerosLike
    """.split()  # noqa: SIM905  # forty lines as a list
)


REWRITES: Mapping[str, Rewrite | Through] = {
    **bits.REWRITES,
    **convolutions.REWRITES,
    **elementwise.REWRITES,
    **images.REWRITES,
    **indexing.REWRITES,
    **integers.REWRITES,
    **signals.REWRITES,
    "Bitcast": arithmetic.bitcast,
    "Einsum": einsum.einsum,
    "Erfinv": arithmetic.erfinv,
    "PartitionedCall": call,
    "XlaDynamicUpdateSlice": arithmetic.update_slice,
}


# What TF.js holds as float32, int32 or bool; "variant" is a list of tensors in a loop.
TYPES = frozenset(
    "bfloat16 bool float16 float32 float64 int8 int16 int32 int64 invalid uint8 uint16 uint32 variant".split()  # noqa: SIM905
)


def in_tfjs_operations(frozen: Frozen, model: Any) -> Frozen:
    """Return ``frozen`` in operations of ``ALLOWED``.

    Args:
        model: the Keras model of the graph, to name the layer of what is refused.

    Raises:
        ValueError: the layer, and the operation that TF.js lacks.
    """
    import tensorflow as tf

    frozen = rewrite(frozen, bits.WRAPPED)
    for _ in range(3):  # folding makes plain what can be rewritten, and the other way round
        frozen = optimize(rewrite(frozen, REWRITES))
    frozen = rewrite(frozen, REWRITES)
    graph_def = frozen.graph_def  # what the outputs need; nothing in it calls a function any more
    graph_def.ClearField("library")
    for node in graph_def.node:
        if node.op not in ALLOWED:
            raise ValueError(
                f"{owner(model, node.name)}: TF.js has no operation {node.op}, nor can it be said with others as it is "
                "used here; use another layer, or leave this one out of the exported model"
            )
    for node in graph_def.node:
        types = {tf.dtypes.as_dtype(node.attr[name].type).name for name in ("T", "DstT", "dtype") if name in node.attr}
        if types - TYPES:
            raise ValueError(
                f"{owner(model, node.name)}: TF.js has no {', '.join(types - TYPES)}; use float32 or int32"
            )
    return replace(frozen, graph_def=graph_def)
