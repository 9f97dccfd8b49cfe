"""Rewrites of operations that both LiteRT's converter and tf2onnx lack or get wrong."""

from study_keras.formats.export.graph.rewrite import Table, call
from study_keras.formats.export.rewrites import (
    convolutions,
    elementwise,
    images,
    indexing,
    integers,
    matmul,
    signals,
    special,
)

SHARED: Table = {
    **dict.fromkeys(("AvgPool", "Conv2D", "DepthwiseConv2dNative", "MaxPool"), convolutions.channels_first),
    **dict.fromkeys(("CheckNumerics", "EnsureShape", "Snapshot", "StopGradient"), elementwise.identity),
    **dict.fromkeys(("ResizeBicubic", "ScaleAndTranslate"), images.resize_by_matrix),
    **integers.REWRITES,
    **signals.REWRITES,
    "BatchMatMulV3": matmul.matmul_of_integers,
    "Bucketize": elementwise.bucketize,
    "Cross": elementwise.cross,
    "DenseBincount": integers.dense_bincount,
    "Erfinv": special.erfinv,
    "Expm1": special.expm1,
    "HSVToRGB": images.rgb,
    "ImageProjectiveTransformV3": images.project,
    "InTopKV2": elementwise.in_top_k,
    "Log1p": special.log1p,
    "MatrixDiagPartV3": indexing.diagonal,
    "PartitionedCall": call,
    "RGBToHSV": images.hsv,
}
