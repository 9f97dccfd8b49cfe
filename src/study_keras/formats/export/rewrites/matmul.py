"""Matrix products: Einsum and products of integers, for which TF.js' wasm backend has no kernels."""

import functools
import math
import operator
from typing import Any

import tensorflow as tf

from study_keras.formats.export.graph.rewrite import Table, sizes

_CHUNK = 1024  # float32 holds the sum of this many products of two int8 exactly: 1024 * 128 * 128 = 2 ** 24


def matmul_of_integers(op: Any, x: Any, y: Any) -> Any:
    """Multiply integers in float32, in parts short enough to be exact for int8 (for others below 2 ** 24)."""
    if x.dtype.is_floating or x.dtype.is_complex:
        return None
    transposed = ("adj_x", "adj_y") if op.type.startswith("Batch") else ("transpose_a", "transpose_b")
    x, y = (tf.cast(value, "float32") for value in (x, y))
    x, y = (
        tf.linalg.matrix_transpose(value) if op.get_attr(name) else value
        for value, name in zip((x, y), transposed, strict=True)
    )
    length = y.shape[-2] if y.shape.rank else None
    if length is None or length <= _CHUNK:
        return tf.cast(tf.matmul(x, y), op.outputs[0].dtype)
    starts = range(0, length, _CHUNK)
    parts = [tf.matmul(x[..., start : start + _CHUNK], y[..., start : start + _CHUNK, :]) for start in starts]
    total = functools.reduce(operator.add, (tf.cast(part, "int32") for part in parts))
    return tf.cast(total, op.outputs[0].dtype)


def einsum(op: Any, *operands: Any) -> Any:
    """One matmul: the axes of both operands first, then those of one, then those that are summed over."""
    left, out = op.get_attr("equation").decode().split("->")
    terms = left.split(",")
    ranks = [x.shape.rank for x in operands]
    if len(terms) > 2 or None in ranks:
        return None
    terms, out = _without_ellipsis(terms, out, ranks)
    if any(len(set(term)) != len(term) for term in (*terms, out)):
        return None
    if len(terms) == 1:
        x, term = _sum_own(operands[0], terms[0], out)
        return tf.transpose(x, [term.index(axis) for axis in out])
    (a, b), (x, y) = terms, operands
    x, a = _sum_own(x, a, b + out)
    y, b = _sum_own(y, b, a + out)
    batch = [axis for axis in a if axis in b and axis in out]
    summed = [axis for axis in a if axis in b and axis not in out]
    rows, columns = [axis for axis in a if axis not in b], [axis for axis in b if axis not in a]
    known = dict(zip((*b, *a), (*sizes(y), *sizes(x)), strict=True))
    head, inner = [known[axis] for axis in batch], math.prod(known[axis] for axis in summed)
    x = tf.transpose(x, [a.index(axis) for axis in (*batch, *rows, *summed)])
    y = tf.transpose(y, [b.index(axis) for axis in (*batch, *summed, *columns)])
    x = tf.reshape(x, [*head, math.prod(known[axis] for axis in rows), inner])
    y = tf.reshape(y, [*head, inner, math.prod(known[axis] for axis in columns)])
    z = tf.reshape(tf.matmul(x, y), [*head, *(known[axis] for axis in (*rows, *columns))])
    order = [*batch, *rows, *columns]
    return tf.transpose(z, [order.index(axis) for axis in out])


def _without_ellipsis(terms: list[str], out: str, ranks: list[int]) -> tuple[list[str], str]:
    """Give letters to the axes of ``...``, the last ones the same in every term."""
    free = [chr(code) for code in range(0x100, 0x120)]
    count = {term: rank - len(term) + 3 for term, rank in zip(terms, ranks, strict=True) if "..." in term}
    longest = max(count.values(), default=0)
    named = [term.replace("...", "".join(free[longest - count.get(term, 0) : longest])) for term in terms]
    return named, out.replace("...", "".join(free[:longest]))


def _sum_own(x: Any, term: str, others: str) -> tuple[Any, str]:
    """Sum over the axes that are in no other term."""
    own = [index for index, axis in enumerate(term) if axis not in others]
    return (tf.reduce_sum(x, own) if own else x), "".join(axis for axis in term if axis in others)


REWRITES: Table = {
    "BatchMatMulV2": matmul_of_integers,
    "BatchMatMulV3": matmul_of_integers,
    "Einsum": einsum,
    "MatMul": matmul_of_integers,
}
