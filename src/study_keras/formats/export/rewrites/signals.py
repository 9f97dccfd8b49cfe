"""Fourier transforms as matrix products: TF.js' wasm backend has neither kernels for them nor complex numbers.

A complex tensor exists only between two operations: one makes it from two real tensors, the next takes it apart. So
each of these rewrites uses the real tensors behind it (see ``rewrite.Through``).
"""

from typing import Any

import numpy as np
import tensorflow as tf

from study_keras.formats.export.graph.rewrite import Table, Through, constant


def _waves(length: int, sign: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the cosines and sines of a transform of ``length`` values, each (length, length) float32."""
    angle = 2 * np.pi * np.outer(np.arange(length), np.arange(length)) % (2 * np.pi * length) / length
    return np.cos(angle).astype("float32"), (sign * np.sin(angle)).astype("float32")


def _inputs(op: Any) -> list[Any] | None:
    """Return the real tensors behind a complex one: one of an RFFT, two of an FFT or IFFT."""
    source = op.inputs[0].op
    if source.type == "RFFT" and constant(source.inputs[1]) is not None:
        return [source.inputs[0]]
    if source.type in ("FFT", "IFFT") and source.inputs[0].op.type == "Complex":
        return list(source.inputs[0].op.inputs)
    return list(source.inputs) if source.type == "Complex" else None


def real_part(op: Any, *parts: Any) -> Any:
    """Compute Real, Imag or ComplexAbs of a transform."""
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
    """Cut the last axis, or pad it with zeros."""
    x = x[..., :length]
    if x.shape[-1] is not None and x.shape[-1] < length:
        x = tf.pad(x, [[0, 0]] * (x.shape.rank - 1) + [[0, length - x.shape[-1]]])
    return x


def _spectrum(op: Any) -> list[Any] | None:
    source = op.inputs[0].op
    known = source.type == "Complex" and constant(op.inputs[1]) is not None
    return list(source.inputs) if known else None


def inverse_real(op: Any, real: Any, imaginary: Any) -> Any:
    """Compute IRFFT; the second half of the spectrum mirrors the first."""
    length = int(constant(op.inputs[1])[0])
    half = length // 2 + 1
    real, imaginary = _of_length(real, half), _of_length(imaginary, half)
    cosine, sine = _waves(length, 1)
    weight = np.full((half, 1), 2, "float32")
    weight[0] = 1
    if length % 2 == 0:
        weight[-1] = 1
    return (tf.matmul(real, cosine[:half] * weight) - tf.matmul(imaginary, sine[:half] * weight)) / length


REWRITES: Table = {
    "ComplexAbs": Through(_inputs, real_part),
    "IRFFT": Through(_spectrum, inverse_real),
    "Imag": Through(_inputs, real_part),
    "Real": Through(_inputs, real_part),
}
