"""Models of every kind in every format for inference: each answers as in Keras, or is refused by name."""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import matrix
import pytest

# What TF.js refuses of all models, with the reason. The README lists the same.
TFJS_REFUSED = {
    "stateful LSTM": "remembers the call before", "stateful RNN of a cell": "remembers the call before",
    "stateful in Bidirectional": "remembers the call before",
    "a layer that remembers": "changes a variable at inference",
    "a layer that remembers much": "changes a variable at inference", "a layer that draws numbers": "answers at random",
    "TextVectorization": "strings", "StringLookup": "strings", "Hashing": "SipHash", "HashedCrossing": "FarmHash",
    "float8 dense": "numbers of 8 bits with a point",
    "op repeat unevenly": "how much comes out depends on the values", "op solve": "systems of equations",
}  # fmt: skip


# These hold no model of their own, or take what is no tensor.
LEFT_OUT = {
    "Layer": "the base of all", "Wrapper": "the base of wrappers", "InputSpec": "no layer",
    "FlaxLayer": "Flax' code", "JaxLayer": "JAX' code", "TorchModuleWrapper": "PyTorch's code",
    "TFSMLayer": "a SavedModel's code", "MaxNumBoundingBoxes": "takes boxes, for training only",
}  # fmt: skip
# The rooms with a model for each layer; the others hold operations and combinations.
LAYERS = """
import json, inspect, keras, models
others = {"drawn", "dtypes", "graphs", "mobile", "operations", "sizes_and_masks"}
classes = {name: kind for name, kind in vars(keras.layers).items() if inspect.isclass(kind)}
seen = set()
for room in models.ROOMS.keys() - others:
    for name in models.names(room):
        keras.utils.clear_session(free_memory=False)
        seen |= {type(layer) for layer in models.MODELS[name]()._flatten_layers(include_self=True, recursive=True)}
print(json.dumps(sorted(name for name, kind in classes.items() if kind not in seen)))
"""
LONG = ("onnx_web", "openvino", *matrix.SOURCE)  # a second for each model
# In OpenVINO: it divides and compares integers in float32. Only the proof of an export refuses these.
PROVEN = {
    "integers divided", "integers divided by a constant", "integers compared, large", "integers sorted",
    "integers sorted, large", "op einsum diagonal",
}  # fmt: skip
# Names in tests/matrix/models, by the kind of fault that they once showed.
ONCE_WRONG = {
    "one layer, two sizes": ["two sizes: CenterCrop", "two sizes: MaxPooling3D", "two sizes: Flatten"],
    "constants": ["Add with a constant", "ops concatenate constants", "constants as initial states"],
    "window below the stride": ["Conv3D window below stride", "AveragePooling3D window below stride"],
    "cancellation": ["op clip large", "relu large max", "normalization of large means, no axis"],
    "dtypes": ["Concatenate integers and floats", "bool and floats out", "nested: floats to integers"],
    "masks": ["mask by hand: LSTM", "mask by hand: average", "masked bidirectional series", "mask for one of two"],
    "nested": ["nested: called with a dict", "nested: one axis more, for numbers"],
    "augmentation": ["AutoContrast", "RandomCrop"],
    "unknown sizes": ["batch norm any size", "TimeDistributed any length", "MultiHeadAttention causal any length"],
    "graphs of TensorFlow": ["activation gelu", "dense celu", "op argmax", "Discretization", "IntegerLookup"],
    "integers": ["integers added", "integers concatenated"],
    "source": ["layer norm bare", "op average"],
    "others": ["GRU any length, one after another", "Dot normalized of zeros", "brain transformer", "LSTM of one step"],
}  # fmt: skip


@pytest.fixture(scope="module", params=[0, pytest.param(10, marks=pytest.mark.slow)])
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """Every twentieth model of each room, and those that once went wrong, in all targets; ``make matrix`` runs all.

    In those that take long, the quick tests run few: they are written by way of what is tested here already.
    """
    names = [name for room in matrix.names_by_room().values() for name in room[request.param :: 20]]
    if request.param == 0:
        names = list(dict.fromkeys([*names, *itertools.chain(*ONCE_WRONG.values())]))
    found: dict = {"counts": {}, "seconds": {}, "lists": {}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_BACKEND", "tensorflow")
        for some in ([target for target in matrix.TARGETS if target not in LONG], LONG):
            share = [*names[::20], "op top_k"] if some is LONG and request.param == 0 else names
            part = matrix.run(tmp_path_factory.mktemp("matrix"), share, some)
            assert all(sum(counts.values()) == len(share) for counts in part["counts"].values())
            found = {key: found[key] | part[key] for key in found}
    return found


@pytest.mark.parametrize("target", matrix.TARGETS)
def test_a_model_answers_as_in_keras_or_is_refused_by_name(found: dict, target: str) -> None:
    print(found["counts"][target], found["seconds"][target])
    lists = found["lists"][target]
    failed = {name: why for outcome in matrix.OUTCOMES[2:] for name, why in lists[outcome].items()}
    assert not {name: why for name, why in failed.items() if target != "openvino" or name not in PROVEN}
    assert target != "tfjs" or set(lists["refused"]) <= set(TFJS_REFUSED)
    assert target in matrix.SOURCE or not set(lists["refused"]) & set(itertools.chain(*ONCE_WRONG.values()))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backend", "share", "least"), [("jax", 24, 4), ("numpy", 6, 20)]
)  # JAX compiles each operation of each model
def test_other_backends_write_the_same_layers_models(
    backend: str, share: int, least: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", backend)
    names = matrix.names_of("dense_and_activations,pooling,convolutions,shapes,normalization")[::share]
    found = matrix.run(tmp_path, names, matrix.TARGETS)
    print(backend, found["counts"])
    lists = found["lists"]["tfjs"]
    assert not lists["wrong"], lists["wrong"]
    assert not lists["internal error"], lists["internal error"]
    assert found["counts"]["tfjs"]["equal"] >= least  # the others are no layers of TF.js
    assert os.environ["KERAS_BACKEND"] == backend


@pytest.mark.slow
def test_every_layer_of_keras_is_in_the_matrix() -> None:
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", LAYERS]
    folder = Path(__file__).parent
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert set(json.loads(done.stdout.splitlines()[-1])) == set(LEFT_OUT)
    assert len(matrix.names_of()) >= 600
    assert len(set(TFJS_REFUSED.values())) <= 10
