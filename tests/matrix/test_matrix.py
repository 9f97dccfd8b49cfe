"""Layers without a memory in TF.js, LiteRT and ONNX: each answers as in Keras, or is refused by name."""

import json
import os
import subprocess
import sys
from pathlib import Path

from matrix_checks import TFJS_REFUSED, check

# These hold no model of their own, or take what is no tensor.
LEFT_OUT = {
    "Layer": "the base of all", "Wrapper": "the base of wrappers", "InputSpec": "no layer",
    "FlaxLayer": "Flax' code", "JaxLayer": "JAX' code", "TorchModuleWrapper": "PyTorch's code",
    "TFSMLayer": "a SavedModel's code", "MaxNumBoundingBoxes": "takes boxes, for training only",
}  # fmt: skip
CODE = """
import json, sys, inspect, keras, models
seen = set()
for name, build in models.MODELS.items():
    keras.utils.clear_session(free_memory=False)
    seen |= {type(layer) for layer in build()._flatten_layers(include_self=True, recursive=True)}
classes = {name: kind for name, kind in vars(keras.layers).items() if inspect.isclass(kind)}
print(json.dumps([len(models.MODELS), sorted(name for name, kind in classes.items() if kind not in seen)]))
"""


def test_dense_convolutions_pooling_and_shapes(tmp_path: Path) -> None:
    check(tmp_path, "dense_and_activations", "convolutions", "pooling", "shapes")


def test_every_layer_of_keras_is_in_the_matrix() -> None:
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        env=environment,
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    count, missing = json.loads(done.stdout.splitlines()[-1])
    assert count >= 600
    assert set(missing) == set(LEFT_OUT)
    assert len(set(TFJS_REFUSED.values())) <= 10
