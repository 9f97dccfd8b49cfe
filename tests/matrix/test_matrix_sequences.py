"""Sequences, text and attention in TF.js, LiteRT and ONNX: each model answers as in Keras, or is refused by name."""

from pathlib import Path

from matrix_checks import check


def test_recurrent_layers_attention_and_text(tmp_path: Path) -> None:
    check(tmp_path, "recurrent", "attention", "text_and_preprocessing")


def test_sizes_and_masks(tmp_path: Path) -> None:
    check(tmp_path, "sizes_and_masks")
