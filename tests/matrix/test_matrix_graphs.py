"""Whole architectures in TF.js, LiteRT and ONNX, some drawn by hypothesis: as in Keras, or refused by name."""

import os
from pathlib import Path

import matrix
import pytest
from matrix_checks import check


def test_graphs_custom_layers_and_augmentation(tmp_path: Path) -> None:
    check(tmp_path, "graphs", "custom", "augmentation")


def test_architectures_drawn_by_hypothesis(tmp_path: Path) -> None:
    check(tmp_path, "drawn")


# JAX compiles each operation of each model.
@pytest.mark.parametrize(
    ("backend", "share", "least"), [pytest.param("jax", 24, 4, marks=pytest.mark.slow), ("numpy", 6, 20)]
)
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
