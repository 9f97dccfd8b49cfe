"""The one table of the files that stand for every format, and the call that writes each."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from study_keras.formats.detection import detect_target
from study_keras.formats.proof.prove import Proof
from study_keras.formats.table import QUANTIZED, Format
from study_keras.formats.tfjs import why_graph

Wish = bool | Callable[[Proof], None]


class Variant(NamedTuple):
    """A file beside ``NAME.keras``.

    Attributes:
        suffix: what follows ``NAME``.
        quantize: how it stores its numbers; None for float32.
        in_run: whether ``hello-mnist run`` writes it too.
    """

    suffix: str
    quantize: str | None = None
    in_run: bool = True

    @property
    def format(self) -> Format:
        return detect_target(f"model{self.suffix}")


VARIANTS = (
    Variant(".h5"),
    Variant(".model.json"),  # NAME.json is the metadata
    Variant(".model.yaml"),
    Variant(".weights.h5"),
    Variant(".ckpt"),
    Variant(".savedmodel"),
    Variant(".tfjs"),
    Variant("_float16.tfjs", "float16"),
    Variant("_uint16.tfjs", "uint16"),
    Variant("_uint8.tfjs", "uint8"),
    Variant(".tflite"),
    Variant("_float16.tflite", "float16"),
    Variant("_dynamic.tflite", "dynamic"),
    Variant("_int8.tflite", "int8"),
    Variant(".onnx"),
    Variant(".safetensors"),
    Variant("_numpy.py"),
    Variant(".c"),
    Variant("_int8.c", "int8"),
    Variant("_torch.py"),
    Variant(".pt2", in_run=False),
    Variant(".xml"),
    Variant(".micro.c", in_run=False),
    Variant("_int8.micro.c", "int8"),
)
# The suffixes of the files that a format's ``save`` writes beside the one that it is named after.
_BESIDE = {
    "openvino": (".bin",),
    "litert_micro": (".h",),
    "c": (".h",),
    "numpy_program": (".npz",),
    "torch_program": (".safetensors",),
}


def exporter(path: Path, variant: Variant, images: list[Any] | None, prove: Wish) -> partial[Any]:
    """Return the call that writes a variant to ``path``; it takes the model.

    Args:
        images: for int8, some hundred typical inputs, an array for each input of the model.
        prove: as the format's own function takes it; without effect on a format that has no runtime of its own.
    """
    found = variant.format
    options: dict[str, Any] = {"path": path}
    if found.runtime:
        options["prove"] = prove
    if found.name in QUANTIZED:
        options["quantize"] = variant.quantize
    if variant.quantize == "int8":
        options["images"] = images
    return partial(found.function("save"), **options)


def needs_tensorflow(variant: Variant, model: Any) -> bool:
    """Tell whether only TensorFlow can write this variant of ``model``: all such belong in one subprocess."""
    found = variant.format
    graph = found.name == "tfjs" and why_graph(model) is not None
    return graph or found.needs == "tensorflow" or variant.quantize == "int8"  # which all begin as LiteRT


def files_of(path: Path, found: Format) -> list[Path]:
    """Return the files and folders that were written for ``path``."""
    if found.name == "tf_checkpoint":
        return sorted(path.parent.glob(f"{path.name}.*"))
    return [path, *(path.with_suffix(suffix) for suffix in _BESIDE.get(found.name, ()))]
