"""Checks that a SavedModel only computes, before TensorFlow loads it: no access to files, Python or other machines.

TensorFlow runs the functions in the object graph of a SavedModel: signatures when they are called, initializers while
it is loaded. Every operation that these functions call, whatever their names, must be in ``OPERATIONS``: what the
layers and operations of Keras 3.15 trace to, and their relatives in older versions. A lookup table is read only from an
asset in the folder.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from study_keras import limits

# fmt: off
OPERATIONS = frozenset("""
    Abs AccumulateNV2 Acos Acosh Add AddN AddV2 AdjustContrastv2 AdjustHue AdjustSaturation All Angle Any
    ApproximateEqual ArgMax ArgMin AsString Asin Asinh Assert AssignAddVariableOp AssignSubVariableOp
    AssignVariableOp Atan Atan2 Atanh AvgPool AvgPool3D BatchMatMul BatchMatMulV2 BatchMatMulV3 BatchToSpace
    BatchToSpaceND BesselI0 BesselI0e BesselI1 BesselI1e Betainc BiasAdd Bincount Bitcast BitwiseAnd BitwiseOr
    BitwiseXor BroadcastArgs BroadcastGradientArgs BroadcastTo Bucketize Case Cast Ceil CheckNumerics Cholesky
    ClipByValue CombinedNonMaxSuppression Complex ComplexAbs Concat ConcatOffset ConcatV2 Conj Const Conv Conv2D
    Conv2DBackpropInput Conv3D Conv3DBackpropInputV2 Cos Cosh CropAndResize Cross CudnnRNN
    CudnnRNNCanonicalToParamsV2 CudnnRNNV2 CudnnRNNV3 Cumprod Cumsum CumulativeLogsumexp DataFormatDimMap
    DataFormatVecPermute DecodeBase64 DecodeRaw DenseBincount DepthToSpace DepthwiseConv2dNative Dequantize
    DestroyResourceOp Diag DiagPart Digamma Dilation2D DisableCopyOnRead Div DivNoNan DynamicPartition DynamicStitch
    Eig Einsum Elu Empty EmptyTensorList EncodeBase64 EnsureShape Enter Equal Erf Erfc Erfinv Exit Exp ExpandDims
    Expm1 ExtractImagePatches ExtractVolumePatches FFT FFT2D FFT3D FakeQuantWithMinMaxArgs FakeQuantWithMinMaxVars
    FakeQuantWithMinMaxVarsPerChannel Fill Floor FloorDiv FloorMod FractionalMaxPool FusedBatchNorm FusedBatchNormV2
    FusedBatchNormV3 Gather GatherNd GatherV2 Greater GreaterEqual GuaranteeConst HSVToRGB HashTableV2
    HistogramFixedWidth IFFT IFFT2D IFFT3D IRFFT IRFFT2D IRFFT3D Identity IdentityN If Igamma Igammac Imag
    ImageProjectiveTransformV2 ImageProjectiveTransformV3 InTopK InTopKV2 InitializeTableV2 Inv Invert
    InvertPermutation IsFinite IsInf IsNan L2Loss LRN LeakyRelu LeftShift Less LessEqual Lgamma LinSpace ListDiff
    Log Log1p LogMatrixDeterminant LogSoftmax LogicalAnd LogicalNot LogicalOr LookupTableExportV2 LookupTableFindV2
    LookupTableImportV2 LookupTableInsertV2 LookupTableSizeV2 LoopCond LowerBound MatMul MatrixBandPart
    MatrixDeterminant MatrixDiag MatrixDiagPart MatrixDiagPartV2 MatrixDiagPartV3 MatrixDiagV2 MatrixDiagV3
    MatrixExponential MatrixInverse MatrixLogarithm MatrixSetDiag MatrixSetDiagV2 MatrixSetDiagV3 MatrixSolve
    MatrixSquareRoot MatrixTriangularSolve Max MaxPool MaxPool3D MaxPoolV2 MaxPoolWithArgmax Maximum Mean Merge Min
    Minimum MirrorPad Mod Mul MulNoNan Multinomial MutableDenseHashTableV2 MutableHashTableV2 Ndtri Neg NextAfter
    NextIteration NoOp NonMaxSuppressionV3 NonMaxSuppressionV4 NonMaxSuppressionV5 NotEqual NthElement OneHot
    OnesLike Pack Pad PadV2 ParallelConcat ParallelDynamicStitch PartitionedCall Placeholder PlaceholderWithDefault
    Polygamma Pow PreventGradient Prod Qr QuantizeAndDequantizeV2 QuantizeAndDequantizeV3 QuantizeAndDequantizeV4
    QuantizeV2 RFFT RFFT2D RFFT3D RGBToHSV RaggedBincount RaggedGather RaggedRange RaggedTensorFromVariant
    RaggedTensorToSparse RaggedTensorToTensor RaggedTensorToVariant RandomStandardNormal RandomUniform
    RandomUniformInt Range Rank ReadVariableOp Real RealDiv Reciprocal RegexFullMatch RegexReplace Relu Relu6
    Reshape ResizeArea ResizeBicubic ResizeBilinear ResizeNearestNeighbor ResourceGather ResourceGatherNd Reverse
    ReverseSequence ReverseV2 RightShift Rint RngReadAndSkip RngSkip Roll Round Rsqrt ScaleAndTranslate ScatterNd
    SegmentMax SegmentMean SegmentMin SegmentProd SegmentSum Select SelectV2 SelfAdjointEigV2 Selu Shape ShapeN
    Sigmoid Sign Sin Sinh Size Slice Snapshot Softmax SoftmaxCrossEntropyWithLogits Softplus Softsign SpaceToBatch
    SpaceToBatchND SpaceToDepth SparseBincount SparseConcat SparseCross SparseDenseCwiseAdd SparseDenseCwiseMul
    SparseFillEmptyRows SparseReorder SparseReshape SparseSegmentMean SparseSegmentSqrtN SparseSegmentSum
    SparseSlice SparseSoftmaxCrossEntropyWithLogits SparseTensorDenseMatMul SparseToDense Split SplitV Sqrt Square
    SquaredDifference Squeeze StatefulPartitionedCall StatefulStandardNormalV2 StatefulUniform StatefulUniformInt
    StatelessCase StatelessIf StatelessMultinomial StatelessRandomGammaV3 StatelessRandomGetAlg
    StatelessRandomGetKeyCounter StatelessRandomGetKeyCounterAlg StatelessRandomNormal StatelessRandomNormalV2
    StatelessRandomUniform StatelessRandomUniformInt StatelessRandomUniformIntV2 StatelessRandomUniformV2
    StatelessTruncatedNormalV2 StatelessWhile StaticRegexFullMatch StaticRegexReplace StopGradient StridedSlice
    StringFormat StringJoin StringLength StringLower StringNGrams StringSplit StringSplitV2 StringStrip
    StringToHashBucket StringToHashBucketFast StringToHashBucketStrong StringToNumber StringUpper Sub Substr Sum Svd
    Switch Tan Tanh TensorArrayConcatV3 TensorArrayGatherV3 TensorArrayReadV3 TensorArrayScatterV3 TensorArraySizeV3
    TensorArraySplitV3 TensorArrayV3 TensorArrayWriteV3 TensorListConcatV2 TensorListElementShape
    TensorListFromTensor TensorListGather TensorListGetItem TensorListLength TensorListPopBack TensorListPushBack
    TensorListReserve TensorListResize TensorListScatterV2 TensorListSetItem TensorListStack TensorScatterAdd
    TensorScatterMax TensorScatterMin TensorScatterSub TensorScatterUpdate Tile TopK TopKV2 Transpose TruncateDiv
    TruncateMod TruncatedNormal UnicodeDecodeWithOffsets UnicodeEncode UnicodeTranscode Unique UniqueV2
    UniqueWithCounts UniqueWithCountsV2 Unpack UnravelIndex UnsortedSegmentMax UnsortedSegmentMin
    UnsortedSegmentProd UnsortedSegmentSum UpperBound VarHandleOp VarIsInitializedOp Where While Xdivy XlaCallModule
    XlaDynamicUpdateSlice Xlog1py Xlogy ZerosLike Zeta
""".split())  # noqa: SIM905
# fmt: on
LOOPS = ("While", "StatelessWhile", "NextIteration")
RUN_WHEN_LOADED = ("_create_resource", "_initialize", "_destroy_resource")  # the names of these functions
SAVING = ("MergeV2Checkpoints", "RestoreV2", "SaveV2", "ShardedFilename")
TABLES_FROM_FILES = ("InitializeTableFromTextFile", "InitializeTableFromTextFileV2")  # the second input is a file name


def check_saved_model(folder: Path) -> None:
    """Refuse a SavedModel that could access files, Python or other machines.

    Raises:
        ValueError: names the operation or the asset.
    """
    from tensorflow.core.protobuf import saved_model_pb2

    content = limits.read_bytes(folder / "saved_model.pb")
    meta_graphs = saved_model_pb2.SavedModel.FromString(content).meta_graphs
    if not meta_graphs:
        raise ValueError("there is no graph in it")
    for meta_graph in meta_graphs:
        if not meta_graph.object_graph_def.nodes:
            raise ValueError("it has no object graph, as if saved by TensorFlow 1; save it with TensorFlow 2")
        _check_assets(folder, meta_graph)
        _check_functions(meta_graph)


def _check_assets(folder: Path, meta_graph: Any) -> None:
    inside = (folder / "assets").resolve()
    for asset in meta_graph.asset_file_def:
        path = (folder / "assets" / asset.filename).resolve()
        if not path.is_relative_to(inside) or not path.is_file():
            raise ValueError(f"the asset {asset.filename!r} is not a file in the folder assets; it is refused")


def _check_functions(meta_graph: Any) -> None:
    library = {function.signature.name: function for function in meta_graph.graph_def.library.function}
    objects = meta_graph.object_graph_def
    for node in meta_graph.graph_def.node:  # which TensorFlow 2 does not run
        if node.op not in OPERATIONS and node.op not in library and node.op not in (*SAVING, *TABLES_FROM_FILES):
            raise _refusal(node)
    _check_initializers(library, objects)
    for name in _reachable(library, objects.concrete_functions):
        for node in library[name].node_def:
            if node.op == "Const":
                _check_constant(node)
            if node.op in TABLES_FROM_FILES:
                _check_table(node, library[name], objects)
            elif (node.op not in OPERATIONS and node.op not in library) or _has_callback(node):
                raise _refusal(node)


def _check_constant(node: Any) -> None:
    """Refuse a constant that is larger than a load may take; one value may stand for all of them."""
    from tensorflow import as_dtype

    tensor = node.attr["value"].tensor
    size = as_dtype(tensor.dtype).size if tensor.dtype else 1
    limits.take(limits.byte_count([dim.size for dim in tensor.tensor_shape.dim], size or 1), f"constant {node.name}")


def _check_initializers(library: dict[str, Any], objects: Any) -> None:
    """Refuse a loop in what TensorFlow runs while it loads the folder, where nothing ends it."""
    started = [
        name
        for node in objects.nodes
        for child in node.children
        if child.local_name in RUN_WHEN_LOADED
        for name in objects.nodes[child.node_id].function.concrete_functions
    ]
    for name in _reachable(library, started):
        if loop := next((node.op for node in library[name].node_def if node.op in LOOPS), None):
            raise ValueError(f"the operation {loop} would run while the folder is loaded; it is refused")


def _refusal(node: Any) -> ValueError:
    return ValueError(f"the operation {node.op} reaches out of the model, or Keras has no use for it; it is refused")


def _has_callback(node: Any) -> bool:
    """Return whether a module that JAX exported calls back into a Python process, by an address in it."""
    return node.op == "XlaCallModule" and b"callback" in node.attr["module"].s


def _reachable(library: dict[str, Any], names: Iterable[str]) -> Iterator[str]:
    """Yield ``names`` and the functions that they call, directly or not.

    Raises:
        ValueError: a function calls itself.
    """
    waiting, open_calls, done = [name for name in names if name in library], set[str](), set[str]()
    while waiting:
        name = waiting[-1]
        if name in open_calls or name in done:
            open_calls.discard(waiting.pop())
            done.add(name)
            continue
        open_calls.add(name)
        yield name
        called = [called for called in _called(library[name]) if called in library]
        if recursive := open_calls.intersection(called):
            raise ValueError(f"the function {min(recursive)} calls itself; it is refused")
        waiting += [called for called in called if called not in done]


def _called(function: Any) -> Iterator[str]:
    for node in function.node_def:
        yield node.op
        for value in node.attr.values():
            yield from [value.func.name] if value.HasField("func") else [each.name for each in value.list.func]


def _check_table(node: Any, function: Any, objects: Any) -> None:
    """Refuse a lookup table whose file name is anything but an argument that is bound to an asset."""
    arguments = [argument.name for argument in function.signature.input_arg]
    bound = objects.concrete_functions[function.signature.name].bound_inputs
    first = len(arguments) - len(bound)  # captured tensors are the last arguments
    place = arguments.index(node.input[1]) - first if node.input[1] in arguments else -1
    if place < 0 or objects.nodes[bound[place]].WhichOneof("kind") != "asset":
        raise ValueError(f"the operation {node.op} reads a file that is not an asset; it is refused")
