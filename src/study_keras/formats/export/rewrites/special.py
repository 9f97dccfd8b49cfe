"""Functions of single numbers whose usual formulas lose digits, in formulas that are exact to float32's rounding."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from study_keras.formats.export.graph.rewrite import Table

# The quotient of two polynomials that Eigen, and so TensorFlow itself, computes for erf.
_ERF_ABOVE = (
    -2.72614225801306e-10, 2.77068142495902e-08, -2.10102402082508e-06, -5.69250639462346e-05,
    -7.34990630326855e-04, -2.95459980854025e-03, -1.60960333262415e-02,
)  # fmt: skip
_ERF_BELOW = (
    -1.45660718464996e-05, -2.13374055278905e-04, -1.68282697438203e-03, -7.37332916720468e-03, -1.42647390514189e-02,
)  # fmt: skip
# M. Giles, Approximating the erfinv function (2010), single precision.
_ERFINV_NEAR = (
    2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087, -0.00125372503, -0.00417768164,
    0.246640727, 1.50140941,
)  # fmt: skip
_ERFINV_FAR = (
    -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047,
    1.00167406, 2.83297682,
)  # fmt: skip


def expm1(op: Any, x: Any) -> Any:
    """exp(x) - 1 loses the digits of a small x; this does not."""
    return tf.tanh(x / 2) * (tf.exp(x) + 1)


def log1p(op: Any, x: Any) -> Any:
    """log(1 + x) loses the digits of a small x; the series of 2 artanh(x / (2 + x)) does not."""
    ratio = tf.where(tf.abs(x) < 0.3, x, tf.zeros_like(x))
    ratio /= 2 + ratio
    small = 2 * ratio * _polynomial((1 / 9, 1 / 7, 1 / 5, 1 / 3, 1), ratio * ratio)
    return tf.where(tf.abs(x) < 0.3, small, tf.math.log(1 + x))


def softplus(op: Any, x: Any) -> Any:
    """LiteRT computes log(1 + exp(x)), which overflows."""
    return tf.maximum(x, 0) + log1p(op, tf.exp(-tf.abs(x)))


def arc(op: Any, x: Any) -> Any:
    """Compute an angle from its sine and cosine."""
    if op.type == "Atan":
        return tf.atan2(x, tf.ones_like(x))
    other = tf.sqrt((1 - x) * (1 + x))
    return tf.atan2(x, other) if op.type == "Asin" else tf.atan2(other, x)


def hyperbolic(op: Any, x: Any) -> Any:
    if op.type == "Cosh":
        return (tf.exp(x) + tf.exp(-x)) / 2
    if op.type == "Sinh":
        return (expm1(op, x) - expm1(op, -x)) / 2
    if op.type == "Atanh":
        return (log1p(op, x) - log1p(op, -x)) / 2
    if op.type == "Acosh":
        return tf.math.log(x + tf.sqrt(x - 1) * tf.sqrt(x + 1))
    size = tf.abs(x)  # Asinh
    return tf.sign(x) * log1p(op, size + size * size / (1 + tf.sqrt(1 + size * size)))


def tan(op: Any, x: Any) -> Any:
    return tf.sin(x) / tf.cos(x)


def erf(op: Any, x: Any) -> Any:
    x = tf.clip_by_value(x, -4, 4)
    return x * _polynomial(_ERF_ABOVE, x * x) / _polynomial(_ERF_BELOW, x * x)


def erfinv(op: Any, x: Any) -> Any:
    w = -tf.math.log((1 - x) * (1 + x))
    inner = _polynomial(_ERFINV_NEAR, w - 2.5)
    outer = _polynomial(_ERFINV_FAR, tf.sqrt(tf.maximum(w, 5.0)) - 3)
    return x * tf.where(w < 5, inner, outer)


def _polynomial(coefficients: Sequence[float], x: Any) -> Any:
    value = coefficients[0]
    for coefficient in coefficients[1:]:
        value = value * x + coefficient
    return value


# LiteRT lacks these.
TRIGONOMETRIC: Table = {
    **dict.fromkeys(("Acos", "Asin", "Atan"), arc),
    **dict.fromkeys(("Acosh", "Asinh", "Atanh", "Cosh", "Sinh"), hyperbolic),
    "Tan": tan,
}
