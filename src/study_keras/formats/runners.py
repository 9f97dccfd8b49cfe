"""Every artifact in its real runtime: what ``verify`` runs is what the proof of an export runs."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from study_keras import formats
from study_keras.formats import inference
from study_keras.formats.compare import Arrays
from study_keras.formats.keras_answers import in_batches, predictor
from study_keras.formats.saving import weights
from study_keras.startup import silent

Run = Callable[[Sequence[Arrays], int], list[tuple[Arrays, float]]]


class Tensor(NamedTuple):
    """An input as a file describes it; None in ``shape`` for a size that is open."""

    name: str | None
    shape: tuple[int | None, ...]
    dtype: str


@dataclass(frozen=True)
class Opened:
    """An artifact that is ready to run.

    ``run(sets, batch)`` answers several sets of inputs, each in batches of at most ``batch`` examples, and tells the
    seconds that each took, without loading.
    """

    runtime: str
    run: Run
    stored: str = "float32"  # a key of THRESHOLDS
    inputs: list[Tensor] | None = None  # in the model's order; None where the format does not tell
    outputs: list[str] | None = None  # their names


def open_artifact(path: str | Path, model: Any) -> Opened:
    """Return the artifact at ``path``, which was made of ``model``, ready to run.

    Weights are put into a copy of the model first; a structure gets the model's weights.

    Raises:
        ValueError: it is missing or broken.
        FileNotFoundError: Node or its packages, for a TF.js model, are not installed.
    """
    path = Path(path)
    kind = formats.kind(path)
    openers = {
        "tfjs": _open_tfjs,
        "tfjs_graph": _open_tfjs,
        "litert": _open_litert,
        "onnx": _open_onnx,
        "saved_model": _open_saved_model,
    }
    if kind in openers:
        return openers[kind](path, model)
    return Opened("Keras", timed(f"{path}: Keras", predictor(_loaded(model, path, kind))))


def input_names(model: Any) -> list[str]:
    """Return the names that a file for inference has for the inputs of ``model``."""
    if isinstance(model, keras.Model):
        return inference.input_names(model) if getattr(model, "inputs", None) else []
    return [item.name for item in model.inputs]


def output_names(model: Any) -> list[str]:
    """Return the names that a file for inference has for the outputs of ``model``; none where it does not tell."""
    return inference.output_names(model) if getattr(model, "outputs", None) else []


def open_litert(path: str | Path) -> Any:
    """Return the interpreter of the LiteRT file at ``path``, without memory for its tensors: their sizes may be open.

    Raises:
        ValueError: the file is missing or broken.
    """
    from ai_edge_litert.interpreter import Interpreter

    try:
        with silent(2):  # it announces on stderr how it multiplies
            return Interpreter(model_content=Path(path).read_bytes())
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RuntimeError, TypeError) as error:
        raise ValueError(f"{path}: LiteRT cannot run it: {_reason(error)}") from error


def quantization(interpreter: Any) -> str:
    """Return how a LiteRT file stores its numbers: "float32", "float16", "dynamic" or "int8"."""
    tensors = interpreter.get_tensor_details()
    small = [tensor for tensor in tensors if tensor["dtype"] in (np.int8, np.uint8, np.int16)]
    small = [tensor for tensor in small if len(tensor["quantization_parameters"]["scales"])]
    if small:  # weights are centred on 0; what int8 computes with is not
        centred = all((tensor["quantization_parameters"]["zero_points"] == 0).all() for tensor in small)
        return "dynamic" if centred else "int8"
    return "float16" if any(tensor["dtype"] == np.float16 for tensor in tensors) else "float32"


def _open_tfjs(path: Path, model: Any) -> Opened:
    from study_keras.formats.tfjs.node import find_runtime, run_many_tfjs  # whose room writes with the proof

    find_runtime()

    def run(sets: Sequence[Arrays], batch: int) -> list[tuple[Arrays, float]]:
        results = run_many_tfjs([(path, arrays) for arrays in sets], "wasm", batch)
        if errors := [result.error for result in results if result.error]:
            raise ValueError(f"{path}: TF.js failed: {errors[0]}")
        return [(result.outputs, result.milliseconds / 1000) for result in results]

    return Opened("TF.js", run, _stored_tfjs(path))


def _stored_tfjs(path: Path) -> str:
    """Return the coarsest quantization in the manifest of a TF.js model."""
    try:
        manifest = json.loads((path / "model.json").read_text(encoding="utf-8"))["weightsManifest"]
        weights = [weight for group in manifest for weight in group["weights"]]
        found = {weight["quantization"]["dtype"] for weight in weights if "quantization" in weight}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: cannot be read as a TF.js model: {_reason(error)}") from error
    return next((name for name in ("uint8", "uint16", "float16") if name in found), "float32")


def _open_litert(path: Path, model: Any) -> Opened:
    interpreter = open_litert(path)
    details = interpreter.get_input_details()
    names: list[Any] = [None] * len(details)
    outputs: list[str] | None = None
    signatures = interpreter.get_signature_list()
    if signatures:
        key, signature = next(iter(signatures.items()))
        runner = interpreter.get_signature_runner(key)
        names = _in_order(input_names(model), signature["inputs"])
        outputs = _in_order(output_names(model), signature["outputs"])
        by_name = runner.get_input_details()
        details = [by_name[name] for name in names]

        def answer(arrays: Arrays) -> Arrays:
            with silent(2):  # it announces there what it multiplies with
                found = runner(**dict(zip(names, arrays, strict=True)))
            return [found[name].copy() for name in outputs]

    else:

        def answer(arrays: Arrays) -> Arrays:
            for tensor, array in zip(details, arrays, strict=True):
                interpreter.resize_tensor_input(tensor["index"], array.shape)
            with silent(2):
                interpreter.allocate_tensors()
            for tensor, array in zip(details, arrays, strict=True):
                interpreter.set_tensor(tensor["index"], array)
            interpreter.invoke()
            return [interpreter.get_tensor(tensor["index"]) for tensor in interpreter.get_output_details()]

    shapes = [[int(size) for size in tensor["shape_signature"]] for tensor in details]  # -1 for an open size
    tensors = [
        Tensor(name, tuple(size if size >= 0 else None for size in shape), np.dtype(tensor["dtype"]).name)
        for name, shape, tensor in zip(names, shapes, details, strict=True)
    ]
    fixed = next((shape[0] for shape in shapes if shape and shape[0] >= 0), None)
    run = timed(f"{path}: LiteRT", answer if fixed is None else _filled(answer, fixed), fixed)
    return Opened("LiteRT", run, quantization(interpreter), tensors, outputs)


def _filled(run: Callable[[Arrays], Arrays], size: int) -> Callable[[Arrays], Arrays]:
    """Fill a batch that is too small up with its last example, and give the answers to the others alone."""

    def filled(arrays: Arrays) -> Arrays:
        count = len(arrays[0])
        padded = [np.concatenate([array, array[-1:].repeat(size - count, axis=0)]) for array in arrays]
        return [answer[:count] if len(answer) == size else answer for answer in run(padded)]

    return filled


def _open_onnx(path: Path, model: Any) -> Opened:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        with silent(2):  # it tells its complaints twice
            session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from error
    except Exception as error:  # onnxruntime's own classes
        raise ValueError(f"{path}: onnxruntime cannot run it: {_reason(error)}") from error
    found = {item.name: item for item in session.get_inputs()}
    names = _in_order(input_names(model), list(found))
    dtypes = {"float": "float32", "double": "float64"}
    tensors = [
        Tensor(
            name,
            tuple(size if isinstance(size, int) else None for size in found[name].shape),
            dtypes.get(found[name].type[7:-1], found[name].type[7:-1]),  # tensor(float)
        )
        for name in names
    ]

    def answer(arrays: Arrays) -> Arrays:
        return [np.asarray(output) for output in session.run(None, dict(zip(names, arrays, strict=True)))]

    return Opened("onnxruntime", timed(f"{path}: onnxruntime", answer), inputs=tensors)


def _open_saved_model(path: Path, model: Any) -> Opened:
    predict = formats.load_saved_model(path)

    def answer(arrays: Arrays) -> Arrays:
        outputs = predict(arrays[0] if len(arrays) == 1 else arrays)
        return [np.asarray(output) for output in keras.tree.flatten(outputs)]

    return Opened("TensorFlow", timed(f"{path}: TensorFlow", answer))


def _loaded(model: Any, path: Path, kind: str) -> Any:
    if "structure" not in formats.KEEPS[kind]:
        copy = keras.models.clone_model(model)
        formats.load_weights(copy, path)
        return copy
    loaded = formats.load(path)
    if "weights" not in formats.KEEPS[kind]:
        loaded.set_weights(model.get_weights())
        weights.finalize(loaded)
    return loaded


def timed(who: str, run: Callable[[Arrays], Arrays], largest: int | None = None) -> Run:
    """Return ``run`` for several sets, in batches of at most ``largest``; what fails names ``who``."""

    def run_timed(sets: Sequence[Arrays], batch: int) -> list[tuple[Arrays, float]]:
        results = []
        for arrays in sets:
            started = time.perf_counter()
            try:
                answers = in_batches(run, arrays, batch if largest is None else largest)
            except Exception as error:  # the runtimes raise what they like
                raise ValueError(f"{who} failed: {_reason(error)}") from error
            results.append((answers, time.perf_counter() - started))
        return results

    return run_timed


def _in_order(expected: list[str], found: list[str]) -> list[str]:
    """Return the names that a file has, in the model's order where they are the model's."""
    return expected if sorted(expected) == sorted(found) else found


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
