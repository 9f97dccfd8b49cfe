"""What the matrix must say of some rooms of models."""

import os
from pathlib import Path

import matrix

# What TF.js refuses of all models, with the reason. notes/study_keras/4_formats.md lists the same.
TFJS_REFUSED = {
    "stateful LSTM": "remembers the call before", "stateful RNN of a cell": "remembers the call before",
    "stateful in Bidirectional": "remembers the call before",
    "a layer that remembers": "changes a variable at inference",
    "a layer that remembers much": "changes a variable at inference", "a layer that draws numbers": "answers at random",
    "TextVectorization": "strings", "StringLookup": "strings", "Hashing": "SipHash", "HashedCrossing": "FarmHash",
    "float8 dense": "numbers of 8 bits with a point",
    "op repeat unevenly": "how much comes out depends on the values", "op solve": "systems of equations",
}  # fmt: skip


# Every tenth model, some 130; ``make matrix`` runs all, which takes half an hour of one processor.
SHARE = 10


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
    assert set(found["lists"]["tfjs"]["refused"]) <= set(TFJS_REFUSED)
    assert all(sum(counts.values()) == len(names) for counts in found["counts"].values())
