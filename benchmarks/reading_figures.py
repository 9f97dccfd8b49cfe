"""The figures of ``reading.py``: fractions of answers with Wilson's intervals, and how answers are wrong."""

from collections import Counter, defaultdict
from statistics import mean

import numpy as np


def wilson(fraction, n):
    """Return the fraction, and Wilson's 95 % interval of it in ``n`` trials."""
    z = 1.96
    middle, half = fraction + z * z / (2 * n), z * np.sqrt(fraction * (1 - fraction) / n + z * z / (4 * n * n))
    low, high = ((middle + side * half) / (1 + z * z / n) for side in (-1, 1))
    return [round(float(one), 4) for one in (fraction, max(low, 0), min(high, 1))]


def distance(one, other):
    """Return the edit distance of two texts."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        last, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (a != b))
    return row[-1]


def failure(label, text):
    """Return how a wrong answer is wrong."""
    if not text:
        return "refused" if text is None else "no digit"
    found, there = len(text.replace("\n", "")), len(label.replace("\n", ""))
    return "wrong" if found == there else "fewer" if found < there else "more"


def figures(pictures, texts, plain):
    """Return the figures of a row.

    Args:
        pictures: ``(label, picture, origin)`` of each.
        texts: what the reader says of each, None where it refuses.
        plain: what the plain recipe says; None for pictures of several digits or none.
    """
    labels, origins = [label for label, _, _ in pictures], [origin for _, _, origin in pictures]
    right = [(text or "") == label for label, text in zip(labels, texts, strict=True)]
    n, several = len(labels), len(set(origins)) > 1
    if not any(labels):
        return {"pictures": n, "taken for a digit": wilson(1 - mean(right), n)}
    row = {"pictures": n, "exact": wilson(mean(right), n)}
    if several:
        row |= {"origins": len(set(origins)), "mean of origins": mean_of_origins(origins, right)}
    if any(len(label) > 1 for label in labels):
        row["digits"] = digits_right(labels, texts)
    if plain:
        same = [text == label for label, text in zip(labels, plain, strict=True)]
        row["plain recipe"] = wilson(mean(same), n)
        if several:
            row["plain recipe, mean of origins"] = mean_of_origins(origins, same)
    wrong = Counter(
        failure(*pair) for pair, good in zip(zip(labels, texts, strict=True), right, strict=True) if not good
    )
    return row | {"failures": dict(wrong.most_common())}


def digits_right(labels, texts):
    """Return 1 - edit distance / digits, line breaks left out.

    The digits of a picture are right or wrong together, so the trials of the interval are the pictures, weighted by
    their digits (Kish's effective number): as many as pictures if all have the same number of digits.
    """
    pairs = [
        (label.replace("\n", ""), (text or "").replace("\n", "")) for label, text in zip(labels, texts, strict=True)
    ]
    digits = sum(len(label) for label, _ in pairs)
    missed = sum(min(distance(label, text), len(label)) for label, text in pairs)
    return wilson(1 - missed / digits, digits**2 / sum(len(label) ** 2 for label, _ in pairs))


def mean_of_origins(origins, right):
    """Return the mean of the accuracies of the origins, with the interval of that many trials."""
    by_origin = defaultdict(list)
    for origin, good in zip(origins, right, strict=True):
        by_origin[origin].append(good)
    return wilson(mean(map(mean, by_origin.values())), len(by_origin))
