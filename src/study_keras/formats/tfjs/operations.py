"""The TensorFlow operations that a TF.js graph model may hold, and the rewrites that replace others.

``ALLOWED`` are those whose kernels in TF.js 4.22 (wasm and cpu) the matrix test compared with TensorFlow's.
``REWRITES`` replaces operations that TF.js lacks, and those that it gets wrong with some options.
"""

from typing import Any

from study_keras.formats.export.graph.frozen import Frozen, check_dtypes, lacks
from study_keras.formats.export.graph.rewrite import Table, call, legalize, rewrite
from study_keras.formats.export.rewrites import (
    convolutions,
    elementwise,
    images,
    indexing,
    integers,
    matmul,
    pooling,
    signals,
)
from study_keras.formats.tfjs import integers as tfjs_integers

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
# In addition to those that no runtime has; TF.js holds float32, int32 and bool.
_REFUSED_DTYPES = {name: name for name in ("complex64", "complex128", "uint64")}
REWRITES: Table = {
    **integers.REWRITES,
    **convolutions.REWRITES,
    **elementwise.REWRITES,
    **images.REWRITES,
    **indexing.REWRITES,
    **matmul.REWRITES,
    **pooling.REWRITES,
    **tfjs_integers.REWRITES,
    **signals.REWRITES,
    "PartitionedCall": call,
}


def to_tfjs_operations(frozen: Frozen, model: Any) -> Frozen:
    """Return ``frozen`` in operations of ``ALLOWED``.

    Args:
        model: the Keras model of the graph, to name the layer of a refused operation.

    Raises:
        ValueError: names the layer and the operation or dtype that TF.js lacks.
    """
    frozen = legalize(rewrite(frozen, integers.WRAPPED), REWRITES, passes=3)
    frozen.graph_def.ClearField("library")  # no node calls a function any more
    for node in frozen.graph_def.node:
        if node.op not in ALLOWED:
            raise lacks(model, node.name, node.op, "TF.js")
    check_dtypes(frozen, model, "TF.js", _REFUSED_DTYPES)
    return frozen
