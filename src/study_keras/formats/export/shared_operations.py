"""What LiteRT's converter and tf2onnx both lack or get wrong, in operations that they know."""

from collections.abc import Mapping

from study_keras.formats.export.graph import arithmetic, bits, elementwise, images, indexing, signals
from study_keras.formats.export.graph.rewrite import Rewrite, Through, call

SHARED: Mapping[str, Rewrite | Through] = {
    **arithmetic.REWRITES,
    **bits.REWRITES,
    **signals.REWRITES,
    "AvgPool": arithmetic.channels_last,
    "Bucketize": elementwise.bucketize,
    "CheckNumerics": elementwise.identity,
    "Conv2D": arithmetic.channels_last,
    "Cross": elementwise.cross,
    "DenseBincount": arithmetic.dense_bincount,
    "DepthwiseConv2dNative": arithmetic.channels_last,
    "EnsureShape": elementwise.identity,
    "HSVToRGB": images.rgb,
    "ImageProjectiveTransformV3": images.project,
    "InTopKV2": elementwise.in_top_k,
    "MatrixDiagPartV3": indexing.diagonal,
    "MaxPool": arithmetic.channels_last,
    "PartitionedCall": call,
    "RGBToHSV": images.hsv,
    "ResizeBicubic": images.resize_by_matrix,
    "ScaleAndTranslate": images.resize_by_matrix,
    "Snapshot": elementwise.identity,
    "StopGradient": elementwise.identity,
}
