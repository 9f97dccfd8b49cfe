"""Which TensorFlow operations a TF.js graph model may hold, and how others are said with these, exactly.

``ALLOWED`` are those whose kernels in TF.js 4.22 (wasm and cpu) were run against TensorFlow's by the matrix test.
``REWRITES`` serves operations that TF.js lacks, and those that it gets wrong with certain options.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from study_keras.formats.freeze import Frozen, optimize, owner
from study_keras.formats.rewrite import Rewrite, call, constant, reachable, rewrite
from study_keras.formats.tfjs import convolutions, integers

ALLOWED = frozenset(
    """
    Abs Acos Acosh Add AddN AddV2 All Any ArgMax ArgMin Asin Asinh Atan Atan2 Atanh AvgPool BatchMatMulV2
    BatchToSpaceND BiasAdd BitwiseAnd BroadcastTo Cast Ceil ClipByValue Concat ConcatV2 Const Conv2D
    Conv2DBackpropInput Conv3D Cos Cosh Cumprod Cumsum DenseBincount DepthToSpace DepthwiseConv2dNative DivNoNan Elu
    Enter Equal Erf Exit Exp ExpandDims Expm1 Fill Floor FloorDiv FloorMod FusedBatchNormV3 GatherNd GatherV2 Greater
    GreaterEqual Identity IdentityN ImageProjectiveTransformV3 IsFinite IsInf IsNan LeakyRelu Less LessEqual LinSpace
    Log Log1p LogSoftmax LogicalAnd LogicalNot LogicalOr LoopCond MatMul Max MaxPool Maximum Mean Merge Min Minimum
    MirrorPad Mod Mul Neg NextIteration NotEqual OnesLike Pack Pad PadV2 Placeholder Pow Prod Range Rank RealDiv
    Reciprocal Relu Relu6 Reshape ResizeBilinear ResizeNearestNeighbor ReverseV2 Round Rsqrt ScatterNd Select SelectV2
    Selu Shape Sigmoid Sign Sin Sinh Size Slice Softmax Softplus SpaceToBatchND Split SplitV Sqrt Square
    SquaredDifference Squeeze StridedSlice Sub Sum Switch Tan Tanh TensorListFromTensor TensorListGetItem
    TensorListReserve TensorListSetItem TensorListStack TensorScatterUpdate Tile TopKV2 Transpose Unpack ZerosLike
    """.split()  # noqa: SIM905  # forty lines as a list
)


def in_tfjs_operations(frozen: Frozen, model: Any) -> Frozen:
    """Return ``frozen`` in operations of ``ALLOWED``.

    Args:
        model: the Keras model of the graph, to name the layer of what is refused.

    Raises:
        ValueError: the layer, and the operation that TF.js lacks.
    """
    for _ in range(3):  # folding makes plain what can be rewritten, and the other way round
        frozen = optimize(rewrite(frozen, REWRITES))
    frozen = rewrite(frozen, REWRITES)
    graph_def = reachable(frozen.graph_def, frozen)
    graph_def.ClearField("library")
    for node in graph_def.node:
        if node.op not in ALLOWED:
            raise ValueError(
                f"{owner(model, node.name)}: TF.js has no operation {node.op}, nor can it be said with others as it is "
                "used here; use another layer, or leave this one out of the exported model"
            )
    return Frozen(graph_def, frozen.inputs, frozen.outputs)


def identity(op: Any, x: Any, *_: Any) -> Any:
    import tensorflow as tf

    return tf.identity(x)


def erfc(op: Any, x: Any) -> Any:
    import tensorflow as tf

    return 1 - tf.math.erf(x)


def softsign(op: Any, x: Any) -> Any:
    import tensorflow as tf

    return x / (1 + tf.abs(x))


def rint(op: Any, x: Any) -> Any:
    import tensorflow as tf

    return tf.round(x)


def xlogy(op: Any, x: Any, y: Any) -> Any:
    import tensorflow as tf

    log = tf.math.log1p(y) if op.type == "Xlog1py" else tf.math.log(y)
    product = x / y if op.type == "Xdivy" else x * log
    return tf.where(tf.equal(x, 0), tf.zeros_like(product), product)


def bucketize(op: Any, x: Any) -> Any:
    import tensorflow as tf

    limits = tf.constant(list(op.get_attr("boundaries")), "float32")
    reached = tf.cast(x, "float32")[..., None] >= limits
    return tf.reduce_sum(tf.cast(reached, "int32"), axis=-1)


def one_hot(op: Any, indices: Any, depth: Any, on: Any, off: Any) -> Any:
    import tensorflow as tf

    axis = op.get_attr("axis")
    indices = tf.cast(tf.expand_dims(indices, axis), "int32")
    rank = indices.shape.rank
    shape = [1] * rank
    shape[axis] = -1
    hit = tf.equal(indices, tf.reshape(tf.range(depth), shape))
    if on.dtype == tf.bool:
        return tf.logical_or(tf.logical_and(hit, on), tf.logical_and(tf.logical_not(hit), off))
    return tf.cast(hit, on.dtype) * (on - off) + off


def band_part(op: Any, x: Any, lower: Any, upper: Any) -> Any:
    """TF.js reads the upper limit from the wrong input."""
    import tensorflow as tf

    rows, columns = tf.shape(x)[-2], tf.shape(x)[-1]
    below = tf.range(rows)[:, None] - tf.range(columns)[None, :]
    lower, upper = tf.cast(lower, "int32"), tf.cast(upper, "int32")
    kept = tf.logical_and(tf.logical_or(lower < 0, below <= lower), tf.logical_or(upper < 0, -below <= upper))
    if x.dtype == tf.bool:
        return tf.logical_and(x, kept)
    return tf.where(kept, x, tf.zeros_like(x))


def bitcast(op: Any, x: Any) -> Any:
    """Of float32 as int32, asked for its sign only: Keras looks for -0.0."""
    import tensorflow as tf

    consumers = [consumer.type for output in op.outputs for consumer in output.consumers()]
    limits = [constant(c.inputs[1]) for output in op.outputs for c in output.consumers() if c.type == "Less"]
    if set(consumers) != {"Less"} or any(limit is None or np.any(limit != 0) for limit in limits):
        return None
    negative = tf.logical_or(x < 0, tf.logical_and(tf.equal(x, 0), 1 / x < 0))
    return -tf.cast(negative, "int32")


def cumulative(op: Any, x: Any, axis: Any) -> Any:
    """TF.js takes no axis that is counted from the end here."""
    import tensorflow as tf

    along = constant(axis)
    if along is None or along >= 0 or x.shape.rank is None:
        return None
    function = tf.cumsum if op.type == "Cumsum" else tf.math.cumprod
    options = {name: op.get_attr(name) for name in ("exclusive", "reverse")}
    return function(x, int(along) + x.shape.rank, **options)


def strided_slice(op: Any, x: Any, begin: Any, end: Any, step: Any) -> Any:
    size = _known_size(op, begin, end, step)
    return integers.strided_slice(op, x, begin, end, step) if size is None else size


def _known_size(op: Any, begin: Any, end: Any, step: Any) -> Any:
    """A size that is asked for at run time, though it is known: with it as a constant much else can be folded."""
    import tensorflow as tf

    sizes, limits = op.inputs[0], [constant(value) for value in (begin, end, step)]
    masks = [op.get_attr(name) for name in ("ellipsis_mask", "new_axis_mask")]
    if (
        sizes.op.type != "Shape"
        or sizes.op.inputs[0].shape.rank is None
        or any(x is None for x in limits)
        or any(masks)
    ):
        return None
    start, stop, by = (int(value[0]) for value in limits)
    cut = slice(None if op.get_attr("begin_mask") else start, None if op.get_attr("end_mask") else stop, by)
    known = sizes.op.inputs[0].shape.as_list()
    found = [known[start]] if op.get_attr("shrink_axis_mask") else known[cut]
    if None in found:
        return None
    return tf.constant(found[0] if op.get_attr("shrink_axis_mask") else found, op.outputs[0].dtype)


def roll(op: Any, x: Any, shift: Any, axis: Any) -> Any:
    import tensorflow as tf

    shifts, axes = constant(op.inputs[1]), constant(op.inputs[2])
    if shifts is None or axes is None:
        return None
    for by, along in zip(np.atleast_1d(shifts).tolist(), np.atleast_1d(axes).tolist(), strict=True):
        size = tf.shape(x)[along] if x.shape[along] is None else x.shape[along]
        cut = (size - by) % size
        x = tf.concat([_part(x, along, cut, None), _part(x, along, None, cut)], axis=along)
    return x


def _part(x: Any, axis: int, start: Any, stop: Any) -> Any:
    where = [slice(None)] * x.shape.rank
    where[axis] = slice(start, stop)
    return x[tuple(where)]


def einsum(op: Any, *operands: Any) -> Any:
    """A product of two tensors as one matmul: axes of both in front, then those of one, then those summed over."""
    import tensorflow as tf

    equation = op.get_attr("equation").decode()
    left, out = equation.split("->")
    terms = left.split(",")
    if any(len(set(term)) != len(term) for term in (*terms, out)) or len(terms) > 2:
        return None
    terms, out = _without_ellipsis(terms, out, [x.shape.rank for x in operands])
    if len(terms) == 1:
        return _reduce_and_order(operands[0], terms[0], out)
    (a, b), (x, y) = terms, operands
    x, a = _sum_own(x, a, b + out)
    y, b = _sum_own(y, b, a + out)
    batch = [axis for axis in a if axis in b and axis in out]
    summed = [axis for axis in a if axis in b and axis not in out]
    rows, columns = [axis for axis in a if axis not in b], [axis for axis in b if axis not in a]
    sizes = {axis: _size(x, a.index(axis)) for axis in a} | {axis: _size(y, b.index(axis)) for axis in columns}
    x = tf.transpose(x, [a.index(axis) for axis in (*batch, *rows, *summed)])
    y = tf.transpose(y, [b.index(axis) for axis in (*batch, *summed, *columns)])
    head = [sizes[axis] for axis in batch]
    x = tf.reshape(x, [*head, _product(sizes, rows), _product(sizes, summed)])
    y = tf.reshape(y, [*head, _product(sizes, summed), _product(sizes, columns)])
    z = tf.reshape(tf.matmul(x, y), [*head, *(sizes[axis] for axis in (*rows, *columns))])
    order = [*batch, *rows, *columns]
    return tf.transpose(z, [order.index(axis) for axis in out])


def _without_ellipsis(terms: list[str], out: str, ranks: list[int]) -> tuple[list[str], str]:
    """Give the axes behind ``...`` letters, the last ones the same in every term."""
    free = [chr(code) for code in range(0x100, 0x120)]
    count = {term: rank - len(term) + 3 for term, rank in zip(terms, ranks, strict=True) if "..." in term}
    longest = max(count.values(), default=0)
    named = [term.replace("...", "".join(free[longest - count.get(term, 0) : longest])) for term in terms]
    return named, out.replace("...", "".join(free[:longest]))


def _reduce_and_order(x: Any, term: str, out: str) -> Any:
    import tensorflow as tf

    x, term = _sum_own(x, term, out)
    return tf.transpose(x, [term.index(axis) for axis in out])


def _sum_own(x: Any, term: str, others: str) -> tuple[Any, str]:
    """Sum over the axes that nobody else has."""
    import tensorflow as tf

    own = [index for index, axis in enumerate(term) if axis not in others]
    return (tf.reduce_sum(x, own) if own else x), "".join(axis for axis in term if axis in others)


def _size(x: Any, axis: int) -> Any:
    import tensorflow as tf

    return tf.shape(x)[axis] if x.shape[axis] is None else int(x.shape[axis])


def _product(sizes: Mapping[str, Any], axes: list[str]) -> Any:
    """At most one size of a tensor may be left to reshape."""
    result: Any = 1
    for axis in axes:
        result = result * sizes[axis]
    return result


def resize_by_matrix(op: Any, x: Any, size: Any, *others: Any) -> Any:
    """A resizing that TF.js lacks is linear along each axis: TensorFlow tells the matrices by resizing the identity."""
    import tensorflow as tf

    height, width = x.shape[1], x.shape[2]
    values = [constant(value) for value in (size, *others)]
    if height is None or width is None or any(value is None for value in values):
        return None
    options = {
        name: op.get_attr(name) for name in ("align_corners", "half_pixel_centers", "antialias") if _has(op, name)
    }
    if op.type == "ScaleAndTranslate":
        options["kernel_type"] = op.get_attr("kernel_type").decode()
        size, scale, move = values
    else:
        size, scale, move = values[0], None, None

    def matrix(length: int, axis: int) -> np.ndarray:
        one = np.eye(length, dtype="float32").reshape(length, length, 1, 1)  # as images, length x 1
        with tf.Graph().as_default() as graph:
            if op.type == "ScaleAndTranslate":
                scales, moves = np.array([scale[axis], 1], "float32"), np.array([move[axis], 0], "float32")
                made = tf.raw_ops.ScaleAndTranslate(
                    images=one, size=[int(size[axis]), 1], scale=scales, translation=moves, **options
                )
            else:
                made = getattr(tf.raw_ops, op.type)(images=one, size=[int(size[axis]), 1], **options)
            with tf.compat.v1.Session(graph=graph) as session:
                return session.run(made)[:, :, 0, 0].T  # (new, old)

    rows, columns = matrix(height, 0), matrix(width, 1)
    x = tf.cast(x, "float32")
    channels = x.shape[3]
    x = tf.matmul(rows, tf.reshape(x, [-1, height, width * channels]))
    x = tf.reshape(x, [-1, int(size[0]), width, channels])
    x = tf.transpose(x, [0, 1, 3, 2])
    x = tf.matmul(tf.reshape(x, [-1, width]), columns, transpose_b=True)
    return tf.transpose(tf.reshape(x, [-1, int(size[0]), channels, int(size[1])]), [0, 1, 3, 2])


def _has(op: Any, name: str) -> bool:
    return name in op.node_def.attr


REWRITES: Mapping[str, Rewrite] = {
    **convolutions.REWRITES,
    **integers.REWRITES,
    "Bitcast": bitcast,
    "Bucketize": bucketize,
    "CheckNumerics": identity,
    "Cumprod": cumulative,
    "Cumsum": cumulative,
    "Einsum": einsum,
    "EnsureShape": identity,
    "Erfc": erfc,
    "MatrixBandPart": band_part,
    "OneHot": one_hot,
    "PartitionedCall": call,
    "PreventGradient": identity,
    "ResizeArea": resize_by_matrix,
    "ResizeBicubic": resize_by_matrix,
    "Rint": rint,
    "Roll": roll,
    "ScaleAndTranslate": resize_by_matrix,
    "Softsign": softsign,
    "StridedSlice": strided_slice,
    "Snapshot": identity,
    "StopGradient": identity,
    "Xdivy": xlogy,
    "Xlog1py": xlogy,
    "Xlogy": xlogy,
}
