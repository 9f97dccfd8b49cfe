"""The operations of a frozen TensorFlow graph that tf2onnx says wrongly or not at all, in others that it knows."""

from collections.abc import Mapping

from study_keras.formats.freeze import Frozen, optimize
from study_keras.formats.rewrite import Rewrite, call, rewrite
from study_keras.formats.tfjs import operations as shared


def in_onnx_operations(frozen: Frozen) -> Frozen:
    """Return ``frozen`` without the operations that ``REWRITES`` names."""
    for _ in range(2):  # folding makes plain what can be rewritten, and the other way round
        frozen = optimize(rewrite(frozen, REWRITES))
    return rewrite(frozen, REWRITES)


REWRITES: Mapping[str, Rewrite] = {
    "Bitcast": shared.bitcast,
    "Bucketize": shared.bucketize,
    "CheckNumerics": shared.identity,
    "EnsureShape": shared.identity,
    "Erfc": shared.erfc,
    "PartitionedCall": call,
    "Snapshot": shared.identity,
    "StopGradient": shared.identity,
    "Xdivy": shared.xlogy,
    "Xlog1py": shared.xlogy,
    "Xlogy": shared.xlogy,
}
