"""Operations, dtypes and normalization in TF.js, LiteRT and ONNX: as in Keras, or refused by name."""

from pathlib import Path

from matrix_checks import check


def test_operations(tmp_path: Path) -> None:
    check(tmp_path, "operations")


def test_merges_and_dtypes(tmp_path: Path) -> None:
    check(tmp_path, "merges", "dtypes", "normalization")
