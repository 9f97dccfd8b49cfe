"""What the matrix must say of some rooms of models."""

import os
from pathlib import Path

import matrix

TFJS_REFUSED = (
    "stateful LSTM", "stateful RNN of a cell", "stateful in Bidirectional",  # no file for inference remembers
    "TextVectorization", "StringLookup",  # TF.js' models have no strings
    "Hashing", "HashedCrossing",  # nor FarmHash and SipHash
    "a layer that remembers", "a layer that draws numbers",  # no file does
)  # fmt: skip
# Keras on TensorFlow answers these when called, but can make no graph of them: its own `predict` fails.
UNTRACEABLE = (
    "adaptive of any size", "adaptive of any length", "adaptive max of any size", "adaptive to one",
    "RandomCrop any size", "up sampling bilinear any size",
)  # fmt: skip


# Every second model, some 640, takes 7 minutes of one processor; ``python tests/matrix.py`` runs all.
SHARE = 2


def check(folder: Path, *rooms: str, share: int = SHARE) -> None:
    """Run a share of the models of ``rooms`` in all targets, print the counts, and assert that none is wrong."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    names = matrix.names_of(",".join(rooms))[::share]
    found = matrix.run(folder, names, matrix.TARGETS)
    for target, counts in found["counts"].items():
        print(f"{', '.join(rooms)} in {target}: {counts}, seconds {found['seconds'][target]}")
    bad = {
        (target, outcome): lists[outcome]
        for target, lists in found["lists"].items()
        for outcome in matrix.OUTCOMES[2:]
        if lists[outcome]
    }
    assert not bad, bad
    assert set(found["lists"]["tfjs"]["refused"]) <= {*TFJS_REFUSED, *UNTRACEABLE}
    assert all(sum(counts.values()) == len(names) for counts in found["counts"].values())
