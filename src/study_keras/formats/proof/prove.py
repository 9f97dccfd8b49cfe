"""The check of an export: before a file gets its name, its outputs in its own runtime must equal those of Keras."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from study_keras.formats import inference
from study_keras.formats.keras_internals import as_float32
from study_keras.formats.keras_runner import batch_size, keras_answers
from study_keras.formats.proof.artifact import open_artifact
from study_keras.formats.proof.differences import ROUNDING, THRESHOLDS, differences
from study_keras.formats.proof.random_inputs import random_inputs
from study_keras.formats.proof.rounding import allowed
from study_keras.runtimes.runner import Arrays, Runner

EXAMPLES = 5  # the first by itself, the others at once, since a file may take only one batch size
FORMATS = {"onnxruntime": "ONNX", "TensorFlow": "SavedModel"}  # where the runtime's name is not the format's


@dataclass(frozen=True)
class Proof:
    """What was checked: the runtime, the number of examples, and the largest difference of an output."""

    runtime: str
    examples: int = 0
    difference: float = 0.0
    missing: str | None = None  # why the file was not run
    random: bool = True  # False for given examples, such as those that int8 is calibrated on

    def __str__(self) -> str:
        if self.missing:
            return f"not run: {self.missing}"
        examples = f"{self.examples} {'random' if self.random else 'given'} example{'s' if self.examples > 1 else ''}"
        return f"{self.runtime} answers as Keras does: {examples}, largest difference {self.difference:.1e}"


def prove_export(
    wish: bool | Callable[[Proof], None], model: Any, path: str | Path, stored: str = "float32", inputs: Any = None
) -> None:
    """Handle the argument ``prove`` of an export function: False, True, or a function that receives the ``Proof``."""
    if wish is not False:
        report_proof(wish, prove(model, path, stored, inputs))


def report_proof(wish: bool | Callable[[Proof], None], proof: Proof) -> None:
    """Give ``proof`` to the function in ``wish``, if it is one."""
    if callable(wish):
        wish(proof)


def prove(
    model: Any,
    path: str | Path,
    stored: str = "float32",
    inputs: Sequence[np.ndarray] | None = None,
    opened: Runner | None = None,
) -> Proof:
    """Run the file that ``model`` was exported to, and compare its inputs and outputs with those of Keras.

    Args:
        model: a Keras model.
        path: the file or folder, perhaps under a temporary name.
        stored: how it stores its numbers, a key of ``THRESHOLDS``.
        inputs: one array per input, of which some examples are used; None for random ones.
        opened: the file ready to run, where another runtime than that of its format is to run it.

    Returns:
        What was checked. Without Node or its packages a TF.js model is not run, without PyTorch no program for it, and
        without a compiler no C, which is not an error.

    Raises:
        ValueError: the runtime cannot open the file, or the file differs from the model: in the name, shape or dtype of
            an input, in the number, shape or dtype of its outputs, or in an output's values.
    """
    path = Path(path)
    try:
        runner = opened or open_artifact(path, model)
        return _compare(runner, f"{path.name}: {FORMATS.get(runner.runtime, runner.runtime)}", model, stored, inputs)
    except FileNotFoundError as error:
        runtime = {".py": "PyTorch", ".c": "C"}.get(path.suffix, "TF.js")
        return Proof(runtime, missing="Node is missing" if "Node" in str(error) else str(error))
    except ValueError as error:
        raise ValueError(str(error).replace(str(path), path.name)) from error


# The runtimes whose inputs have names and dtypes of their own.
_NAMED = ("LiteRT", "TFLite Micro", "onnxruntime", "OpenVINO", "C")


def _compare(runner: Runner, name: str, model: Any, stored: str, inputs: Sequence[np.ndarray] | None) -> Proof:
    if runner.runtime in _NAMED:
        _check_inputs(name, runner, model)
    fixed = batch_size(model)
    arrays = random_inputs(model, EXAMPLES) if inputs is None else _some(inputs, fixed)
    answers = _in_two(lambda sets: [runner.run(some, fixed or EXAMPLES).outputs for some in sets], arrays, fixed)
    with as_float32(model):  # the file computes in float32 whatever mixed precision the model has
        expected = keras_answers(model, arrays)
    _check_outputs(name, runner, model, expected, answers)
    count, limit = len(arrays[0]), THRESHOLDS[stored][1] or ROUNDING
    found = [differences(one, other, count) for one, other in zip(expected, answers, strict=True)]
    largest = max(float(rows.max(initial=0)) for rows in found)
    if largest > limit:  # perhaps only rounding, which takes Keras longer to tell
        with as_float32(model):
            expected = _in_two(lambda sets: [keras_answers(model, some) for some in sets], arrays, fixed)
            found = [differences(one, other, count) for one, other in zip(expected, answers, strict=True)]
            _check_answers(name, found, allowed(model, stored, arrays))
    return Proof(runner.runtime, count, largest, random=inputs is None)


def _some(inputs: Sequence[np.ndarray], fixed: int | None) -> Arrays:
    count = EXAMPLES if fixed is None else fixed
    if len(inputs[0]) < count:
        inputs = [np.concatenate([array] * math.ceil(count / len(array))) for array in inputs]
    return [np.asarray(array[:count]) for array in inputs]


def _in_two(run: Callable[[list[Arrays]], list[Arrays]], arrays: Arrays, fixed: int | None) -> Arrays:
    """Return the outputs for the first example by itself and for the others at once, joined."""
    if fixed is not None or len(arrays[0]) == 1:
        return run([arrays])[0]
    first, others = run([[array[:1] for array in arrays], [array[1:] for array in arrays]])
    return [_join(*pair) for pair in zip(first, others, strict=True)]


def _join(first: np.ndarray, others: np.ndarray) -> np.ndarray:
    if first.shape[1:] != others.shape[1:] or first.ndim != others.ndim:
        return others  # its shape says what is wrong
    return np.concatenate([first, others]) if first.ndim else others


def _check_inputs(name: str, runner: Runner, model: Any) -> None:
    """Refuse a file whose inputs are not the model's."""
    if not runner.inputs or not getattr(model, "inputs", None):
        return
    if (
        runner.runtime in ("onnxruntime", "OpenVINO") and runner.batch_size and not batch_size(model)
    ):  # LiteRT may need a fixed one
        raise ValueError(f"{name} takes batches of {runner.batch_size} only; expected a dynamic batch size")
    expected = list(zip(inference.input_names(model), model.inputs, strict=True))
    found = {tensor.name: tensor for tensor in runner.inputs}
    named = [input_name for input_name, _ in expected]
    if None not in found and (set(found) != set(named) or len(runner.inputs) != len(named)):
        raise ValueError(f"{name} has the inputs {', '.join(map(str, found))}; expected {', '.join(named)}")
    for (input_name, item), tensor in zip(expected, runner.inputs, strict=False):
        shape = tuple(item.shape)
        fits = (
            tensor.shape is not None
            and len(shape) == len(tensor.shape)
            and all(None in (ours, theirs) or ours == theirs for ours, theirs in zip(shape, tensor.shape, strict=True))
        )
        if not fits or tensor.dtype not in _dtypes(item.dtype):
            received = f"{tensor.dtype} of {tensor.shape}"
            raise ValueError(f"{name} takes {received} as {input_name}; expected {item.dtype} of {shape}")


def _check_outputs(name: str, runner: Runner, model: Any, expected: Arrays, answers: Arrays) -> None:
    """Refuse outputs of another number, shape or dtype."""
    if runner.runtime in ("LiteRT", "TFLite Micro", "C") and runner.outputs and getattr(model, "inputs", None):
        found_names, named = [str(output.name) for output in runner.outputs], inference.output_names(model)
        if None not in {output.name for output in runner.outputs} and sorted(found_names) != sorted(named):
            raise ValueError(f"{name} has the outputs {', '.join(found_names)}; expected {', '.join(named)}")
    if len(answers) != len(expected):
        raise ValueError(f"{name} gives {len(answers)} outputs; expected {len(expected)}")
    for index, (wanted, found) in enumerate(zip(expected, answers, strict=True)):
        dtypes = _dtypes(wanted.dtype.name, loosely=runner.runtime == "TF.js")
        if found.shape != wanted.shape or found.dtype.name not in dtypes:
            received = f"{found.dtype.name} of {found.shape}"
            raise ValueError(
                f"{name} gives {received} as output {index}; expected {wanted.dtype.name} of {wanted.shape}"
            )


def _dtypes(dtype: str, *, loosely: bool = False) -> tuple[str, ...]:
    """Return the dtypes that a file may have for one of Keras: float16 becomes float32, and TF.js has few dtypes."""
    if dtype in ("float16", "bfloat16") or (loosely and "float" in dtype):
        return dtype, "float32"
    if loosely:
        return (dtype, "int32", "bool") if dtype == "bool" else (dtype, "int32")
    return (dtype,)


def _check_answers(name: str, found: list[np.ndarray], largest: list[np.ndarray]) -> None:
    """Refuse a file where an example's difference in an output is larger than allowed."""
    for index, (rows, most) in enumerate(zip(found, largest, strict=True)):
        if (rows > most).any():
            worst = int(np.argmax(rows - most))
            raise ValueError(
                f"{name} does not answer as Keras does: output {index} of {len(found)} differs by {rows[worst]:.1e}, "
                f"more than {most[worst]:.1e}; nothing was written"
            )
