"""What a model takes and gives, as the lines of code for each platform spell it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from study_keras.formats import inference
from study_keras.formats.keras_internals import as_float32
from study_keras.formats.keras_runner import keras_answers
from study_keras.formats.proof.random_inputs import random_inputs
from study_keras.formats.written.identifiers import distinct

# Words that a variable must not be called, in one of the languages or in the lines around it.
_WORDS = (
    "as async await const fn fun func guard impl in init interpreter internal is let match mod model module move mut "
    "null object operator outputs own private protocol public ref repeat run self session signature static struct "
    "super switch tensor this throw type typealias typeof use val var void when where "
    "abstract become box case catch class default delete do double dyn enum export extension extern false final float "
    "int interface long new override short true unsafe unsized virtual yield shape context "
    "load keras np numpy onnxruntime openvino ort predict tf torch main weights path"
)
_TAKEN = frozenset(_WORDS.split())


@dataclass(frozen=True)
class Tensor:
    """An input or an output.

    Attributes:
        name: in the files for inference.
        variable: what it is called in code.
        shape: of one example, with the batch.
        declared: the same, with None for the sizes that are open.
        dtype: in the files for inference, as NumPy spells it.
    """

    name: str
    variable: str
    shape: tuple[int, ...]
    declared: tuple[int | None, ...]
    dtype: str

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def described(self) -> str:
        return f"{self.name}: {self.shape} {self.dtype}"


@dataclass(frozen=True)
class Interface:
    """A model in a folder.

    Attributes:
        model: the Keras model.
        folder: where its files are now.
        name: that the names of its files begin with.
        inputs, outputs: in Keras' order.
    """

    model: Any
    folder: Path
    name: str
    inputs: Sequence[Tensor]
    outputs: Sequence[Tensor]


def interface_of(model: Any, folder: Path, name: str) -> Interface:
    """Return what a model takes and gives.

    Raises:
        ValueError: Keras can run no random input of it.
    """
    arrays = random_inputs(model, 1)
    with as_float32(model):
        answers = keras_answers(model, arrays)
    inputs = _tensors(inference.input_names(model), arrays, getattr(model, "inputs", None), "x")
    outputs = _tensors(inference.output_names(model), answers, getattr(model, "outputs", None), "y", inputs)
    return Interface(model, folder, name, inputs, outputs)


def _tensors(
    names: list[str], arrays: Sequence[np.ndarray], symbolic: Any, only: str, others: Sequence[Tensor] = ()
) -> list[Tensor]:
    taken = {*_TAKEN, *(item.variable for item in others)}
    found = list[Tensor]()
    for index, (name, array) in enumerate(zip(names, arrays, strict=True)):
        variable = only if len(names) == 1 else distinct(name, taken)
        taken.add(variable)
        declared = tuple(symbolic[index].shape) if symbolic else (None, *array.shape[1:])
        dtype = "string" if array.dtype.kind in "OSU" else array.dtype.name
        dtype = "float32" if dtype in ("float16", "bfloat16") else dtype
        found.append(Tensor(name, variable, array.shape, declared, dtype))
    return found
