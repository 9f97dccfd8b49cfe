"""Fourier transforms as products with matrices: TF.js' wasm backend has no kernels for them, nor complex numbers.

A complex number exists between two operations only: what is made of two real ones, and taken apart again. So each of
these rewrites looks through one operation (see ``rewrite.Through``) at the real tensors behind it.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from study_keras.formats.export.graph.rewrite import Through, constant


def _waves(length: int, sign: int) -> tuple[np.ndarray, np.ndarray]:
    """Return cosines and sines of the transform of ``length`` values: (length, length), float32."""
    angle = 2 * np.pi * np.outer(np.arange(length), np.arange(length)) % (2 * np.pi * length) / length
    return np.cos(angle).astype("float32"), (sign * np.sin(angle)).astype("float32")


def _inputs(op: Any) -> list[Any] | None:
    """Return the real tensors behind a complex one: of an RFFT one, of an FFT or IFFT two."""
    source = op.inputs[0].op
    if source.type == "RFFT" and constant(source.inputs[1]) is not None:
        return [source.inputs[0]]
    if source.type in ("FFT", "IFFT") and source.inputs[0].op.type == "Complex":
        return list(source.inputs[0].op.inputs)
    return list(source.inputs) if source.type == "Complex" else None


def taken_apart(op: Any, *parts: Any) -> Any:
    """Real, Imag or ComplexAbs of a transform."""
    import tensorflow as tf

    source = op.inputs[0].op
    if source.type == "Complex":
        real, imaginary = parts
    elif source.type == "RFFT":
        length = int(constant(source.inputs[1])[0])
        x = _of_length(parts[0], length)
        cosine, sine = _waves(length, -1)
        half = length // 2 + 1
        real, imaginary = tf.matmul(x, cosine[:, :half]), tf.matmul(x, sine[:, :half])
    else:
        length, inverse = parts[0].shape[-1], source.type == "IFFT"
        if length is None:
            return None
        cosine, sine = _waves(length, 1 if inverse else -1)
        a, b = (part[..., None, :] if part.shape.rank == 1 else part for part in parts)
        real = tf.matmul(a, cosine) - tf.matmul(b, sine)
        imaginary = tf.matmul(a, sine) + tf.matmul(b, cosine)
        real, imaginary = (part / length if inverse else part for part in (real, imaginary))
    if op.type == "ComplexAbs":
        return tf.sqrt(real * real + imaginary * imaginary)
    return real if op.type == "Real" else imaginary


def _of_length(x: Any, length: int) -> Any:
    """Cut off, or fill up with zeros, the last axis."""
    import tensorflow as tf

    x = x[..., :length]
    if x.shape[-1] is not None and x.shape[-1] < length:
        x = tf.pad(x, [[0, 0]] * (x.shape.rank - 1) + [[0, length - x.shape[-1]]])
    return x


def _spectrum(op: Any) -> list[Any] | None:
    source = op.inputs[0].op
    known = source.type == "Complex" and constant(op.inputs[1]) is not None
    return list(source.inputs) if known else None


def inverse_real(op: Any, real: Any, imaginary: Any) -> Any:
    """IRFFT: the second half of the spectrum is the first one's mirror."""
    import tensorflow as tf

    length = int(constant(op.inputs[1])[0])
    half = length // 2 + 1
    real, imaginary = _of_length(real, half), _of_length(imaginary, half)
    cosine, sine = _waves(length, 1)
    weight = np.full((half, 1), 2, "float32")
    weight[0] = 1
    if length % 2 == 0:
        weight[-1] = 1
    return (tf.matmul(real, cosine[:half] * weight) - tf.matmul(imaginary, sine[:half] * weight)) / length


REWRITES: Mapping[str, Any] = {
    "ComplexAbs": Through(_inputs, taken_apart),
    "IRFFT": Through(_spectrum, inverse_real),
    "Imag": Through(_inputs, taken_apart),
    "Real": Through(_inputs, taken_apart),
}
