"""Einsum as a matrix product: TF.js' wasm backend has no kernel for it."""

from collections.abc import Mapping
from typing import Any


def einsum(op: Any, *operands: Any) -> Any:
    """A product of two tensors as one matmul: axes of both in front, then those of one, then those summed over."""
    import tensorflow as tf

    equation = op.get_attr("equation").decode()
    left, out = equation.split("->")
    terms = left.split(",")
    ranks = [x.shape.rank for x in operands]
    if len(terms) > 2 or None in ranks:
        return None
    terms, out = _without_ellipsis(terms, out, ranks)
    if any(len(set(term)) != len(term) for term in (*terms, out)):
        return None
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
