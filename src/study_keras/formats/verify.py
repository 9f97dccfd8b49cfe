"""The proof that an artifact answers as its model does: both run on the same images, each in its real runtime."""

import glob
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from study_keras import formats
from study_keras.formats import inference
from study_keras.formats.quiet import quiet
from study_keras.formats.runners import open_litert, quantization
from study_keras.formats.tfjs.node import run_many_tfjs

# How an artifact stores its numbers: the fraction of images that must get Keras' class, and the largest difference.
# The difference is that of probabilities; where answers are larger than 1, it is relative to the largest.
THRESHOLDS: dict[str, tuple[float, float | None]] = {
    "float32": (1.0, 1e-5),
    "float16": (0.9998, 2e-3),
    "uint16": (0.9999, None),
    "uint8": (0.9970, None),
    "dynamic": (0.9970, None),
    "int8": (0.9970, None),
}
TIE = 1e-5  # classes nearer to Keras' best than this, in the same unit, are as good: rounding decides between them
BATCH = 1000
Arrays = list[np.ndarray]
Runner = Callable[[Arrays], Arrays]


def verify(model: keras.Model, artifact: str | Path, images: Any, labels: Any = None) -> dict[str, Any]:
    """Run ``artifact`` in its real runtime and compare its answers with those of ``model``.

    A file of weights is put into a copy of the model first; a structure gets the model's weights.

    Args:
        artifact: whatever ``formats.save`` writes.
        images: as the model takes them, ``(n, ...)``; a list of arrays where it has several inputs.
        labels: ``(n,)`` the true classes, for the accuracy.

    Returns:
        ``artifact``; ``runtime`` (TF.js runs in Node, on wasm); ``bytes``; ``images``: n; ``agree``: for how many the
        predicted class is Keras', or one that is within ``TIE`` of it; ``max_abs_diff`` and ``mean_abs_diff`` of the
        outputs; ``accuracy`` of the artifact, None without labels; ``ms_per_image``: in batches of 1000 after a first
        one, without loading; ``passed``: within ``THRESHOLDS``.

    Raises:
        ValueError: the artifact is missing or broken, or takes or gives other shapes than the model.
        FileNotFoundError: Node or its packages, for a TF.js model, are not installed.
    """
    inputs = [np.asarray(array) for array in (images if isinstance(images, list | tuple) else [images])]
    if len({len(array) for array in inputs}) != 1 or not len(inputs[0]):
        raise ValueError(f"images of {[array.shape for array in inputs]}; expected the same number, at least one")
    expected = _keras_runner(model)(inputs)
    runtime, stored, answers, seconds = _run(model, Path(artifact), inputs)
    given, wanted = ([array.shape for array in arrays] for arrays in (answers, expected))
    if given != wanted:
        raise ValueError(f"{artifact}: gives {given}, the model gives {wanted}; is it of another model?")
    count = len(inputs[0])
    size = max(1.0, *(float(np.abs(array).max()) for array in expected))
    agree, largest, mean = _compare(expected, answers, TIE * size)
    fraction, limit = THRESHOLDS[stored]
    return {
        "artifact": str(artifact),
        "runtime": runtime,
        "bytes": _size(Path(artifact)),
        "images": count,
        "agree": agree,
        "max_abs_diff": largest,
        "mean_abs_diff": mean,
        "accuracy": None if labels is None else float((_classes(answers[0]) == np.asarray(labels)).mean()),
        "ms_per_image": 1000 * seconds / count,
        "passed": agree >= fraction * count and (limit is None or largest <= limit * size),
    }


def _compare(expected: Arrays, answers: Arrays, tie: float) -> tuple[int, float, float]:
    """Return for how many images all outputs have the same class, and the largest and the mean difference."""
    same = np.ones(len(expected[0]), bool)
    differences = []
    for wanted, found in zip(expected, answers, strict=True):
        same &= _agree(wanted, found, tie).reshape(len(found), -1).all(axis=1)
        same &= np.isfinite(found).reshape(len(found), -1).all(axis=1)
        differences.append(np.abs(wanted.astype("float64") - found).ravel())
    flat = np.concatenate(differences)
    return int(same.sum()), float(flat.max()), float(flat.mean())


def _agree(wanted: np.ndarray, found: np.ndarray, tie: float) -> np.ndarray:
    """Tell for each prediction whether its class is the wanted one, or as good within ``tie``."""
    same: np.ndarray = _classes(wanted) == _classes(found)
    if wanted.ndim < 2 or wanted.shape[-1] == 1:
        return same | (np.abs(wanted.reshape(same.shape) - 0.5) <= tie)
    chosen = np.take_along_axis(wanted, found.argmax(axis=-1)[..., None], axis=-1)[..., 0]
    return same | (chosen >= wanted.max(axis=-1) - tie)


def _classes(answer: np.ndarray) -> np.ndarray:
    """Return the predicted classes; of a single number the side of 0.5 that it is on."""
    if answer.ndim < 2 or answer.shape[-1] == 1:
        return answer.reshape(len(answer), -1) > 0.5
    return answer.argmax(axis=-1)


def _run(model: keras.Model, path: Path, inputs: Arrays) -> tuple[str, str, Arrays, float]:
    """Return the runtime, how the artifact stores its numbers, its answers, and the seconds they took."""
    kind = formats.kind(path)
    stored = "float32"
    if kind == "tfjs":
        (result,) = run_many_tfjs([(path, inputs)], "wasm", BATCH)
        if result.error:
            raise ValueError(f"{path}: TF.js failed: {result.error}")
        return "TF.js", _stored_tfjs(path), result.outputs, result.milliseconds / 1000
    if kind == "litert":
        interpreter = open_litert(path)
        runtime, stored, runner = "LiteRT", quantization(interpreter), _litert_runner(interpreter, model)
    elif kind == "onnx":
        runtime, runner = "onnxruntime", _onnx_runner(path)
    elif kind == "saved_model":
        runtime, runner = "TensorFlow", _saved_model_runner(path)
    else:
        runtime, runner = "Keras", _keras_runner(_loaded(model, path, kind))
    try:
        runner([array[:BATCH] for array in inputs])  # the first run compiles
        started = time.perf_counter()
        answers = runner(inputs)
    except OSError:
        raise
    except Exception as error:  # the runtimes raise what they like
        raise ValueError(f"{path}: {runtime} failed: {(str(error) or type(error).__name__).splitlines()[0]}") from error
    return runtime, stored, answers, time.perf_counter() - started


def _in_batches(runner: Runner, size: int = BATCH) -> Runner:
    def run(arrays: Arrays) -> Arrays:
        starts = range(0, len(arrays[0]), size)
        parts = [runner([array[start : start + size] for array in arrays]) for start in starts]
        return [np.concatenate(pieces) for pieces in zip(*parts, strict=True)]

    return run


def _loaded(model: keras.Model, path: Path, kind: str) -> keras.Model:
    if "structure" not in formats.KEEPS[kind]:
        copy = keras.models.clone_model(model)
        formats.load_weights(copy, path)
        return copy
    loaded = formats.load(path)
    if "weights" not in formats.KEEPS[kind]:
        loaded.set_weights(model.get_weights())
    return loaded


def _keras_runner(model: keras.Model) -> Runner:
    def run(arrays: Arrays) -> Arrays:
        with quiet():
            outputs = model.predict(arrays[0] if len(arrays) == 1 else arrays, batch_size=BATCH, verbose=0)
        return [np.asarray(output) for output in keras.tree.flatten(outputs)]

    return run


def _litert_runner(interpreter: Any, model: keras.Model) -> Runner:
    key, signature = next(iter(interpreter.get_signature_list().items()))
    names, outputs = inference.input_names(model), inference.output_names(model)
    names = names if sorted(names) == sorted(signature["inputs"]) else signature["inputs"]
    outputs = outputs if sorted(outputs) == sorted(signature["outputs"]) else signature["outputs"]
    run_signature = interpreter.get_signature_runner(key)
    fixed = int(interpreter.get_input_details()[0]["shape_signature"][0])  # -1 for as many as you like

    def run(arrays: Arrays) -> Arrays:
        count = len(arrays[0])
        short = fixed - count if fixed > 0 else 0  # the last batch is filled up with its last image
        padded = [np.concatenate([array, array[-1:].repeat(short, axis=0)]) if short else array for array in arrays]
        answer = run_signature(**dict(zip(names, padded, strict=True)))
        return [answer[name][:count].copy() for name in outputs]

    return _in_batches(run, fixed if fixed > 0 else BATCH)


def _onnx_runner(path: Path) -> Runner:
    import onnxruntime

    try:
        session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from error
    except Exception as error:  # onnxruntime's own classes
        raise ValueError(f"{path}: onnxruntime cannot run it: {str(error).splitlines()[0]}") from error
    names = [item.name for item in session.get_inputs()]
    return _in_batches(lambda arrays: session.run(None, dict(zip(names, arrays, strict=True))))


def _saved_model_runner(path: Path) -> Runner:
    predict = formats.load_saved_model(path)
    return _in_batches(lambda arrays: keras.tree.flatten(predict(arrays[0] if len(arrays) == 1 else arrays)))


def _stored_tfjs(path: Path) -> str:
    """Return the coarsest quantization in the manifest of a TF.js model, which ran already."""
    manifest = json.loads((path / "model.json").read_text(encoding="utf-8"))["weightsManifest"]
    weights = [weight for group in manifest for weight in group["weights"]]
    found = {weight["quantization"]["dtype"] for weight in weights if "quantization" in weight}
    return next((name for name in ("uint8", "uint16", "float16") if name in found), "float32")


def _size(path: Path) -> int:
    """Return the bytes of a file, of all files in a folder, or of the files of a checkpoint."""
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    if path.is_file():
        return path.stat().st_size
    name = glob.escape(path.name)
    return sum(file.stat().st_size for part in ("index", "data-*") for file in path.parent.glob(f"{name}.{part}"))
