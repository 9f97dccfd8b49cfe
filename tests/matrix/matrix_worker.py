"""One process of the matrix: exports models, runs the files, and writes a line of JSON for each model and target."""

import faulthandler
import gc
import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from study_keras.startup import import_keras

keras = import_keras()

import models
from matrix_model import TOLERANCE, Arrays, answers, difference, inputs_of, randomize, rounding
from matrix_targets import EXPORTS, RUN, export

from study_keras.formats import inference
from study_keras.formats.tfjs import load_tfjs
from study_keras.runtimes.tfjs import run_many_tfjs

PATIENCE = 240  # seconds for one model and target
LARGE = 10**6  # weights; of more, TF.js' backend `cpu` takes minutes


class Case(NamedTuple):
    """A model of the corpus with its inputs and Keras' answers."""

    name: str
    model: keras.Model
    batches: list[Arrays]
    expected: list[Arrays]


class Worker:
    """Where the results go, and what waits for Node."""

    def __init__(self, folder: Path, chunk: int, *, prove: bool) -> None:
        self.folder, self.chunk, self.prove = folder, chunk, prove
        self.waiting: list[tuple[Case, Path, float]] = []
        folder.mkdir(exist_ok=True)

    def write(self, name: str, target: str, outcome: str, why: str = "", **more: Any) -> None:
        with (self.folder / "results.jsonl").open("a") as file:
            file.write(json.dumps({"name": name, "target": target, "outcome": outcome, "why": why[:600]} | more) + "\n")

    def do(self, name: str, targets: list[str]) -> None:
        """Export one model to all its targets."""
        (self.folder / "current.json").write_text(json.dumps([name, "keras"]))
        faulthandler.dump_traceback_later(PATIENCE, exit=True)
        started = cpu_seconds()
        try:
            case = make(name)
        except Exception as error:  # the corpus is at fault, or Keras
            for target in targets:
                self.write(name, target, "no answer of Keras", f"{type(error).__name__}: {error}")
            return
        built = cpu_seconds() - started
        for target in targets:
            (self.folder / "current.json").write_text(json.dumps([name, target]))
            faulthandler.dump_traceback_later(PATIENCE, exit=True)
            self.one(case, target, built)
        if len(self.waiting) >= self.chunk:
            self.run_tfjs()

    def one(self, case: Case, target: str, built: float) -> None:
        path = self.folder / f"model{EXPORTS[target][0]}"
        path = path.with_stem(f"{len(self.waiting)}") if target == "tfjs" else path
        started = cpu_seconds()
        try:
            export(case.model, target, path, prove=self.prove)
        except Exception as error:  # what it is decides
            self.write(case.name, target, *judged(case, error, path), seconds=cpu_seconds() - started, built=built)
            return
        seconds = cpu_seconds() - started
        if target == "tfjs":
            self.waiting.append((case, path, seconds))
            return
        started = cpu_seconds()
        try:
            found, why = RUN[target](case.model, path, case.batches), ""
        except Exception as error:  # the runtimes raise what they like
            found, why = None, f"{type(error).__name__}: {error}"
        ran = cpu_seconds() - started
        self.compare(case, target, [("", found, why)], seconds=seconds, ran=ran, built=built)
        for file in written(path):
            file.unlink()

    def run_tfjs(self) -> None:
        """Run all that waits in Node, on both backends."""
        only = self.waiting[0][0].name if len(self.waiting) == 1 else ""
        (self.folder / "current.json").write_text(json.dumps([only, "tfjs"]))
        faulthandler.dump_traceback_later(2 * PATIENCE, exit=True)
        waiting, self.waiting = self.waiting, []
        runs: list[list[tuple[str, list[Arrays] | None, str]]] = [[] for _ in waiting]
        started = cpu_seconds()
        for backend in ("wasm", "cpu"):
            some = [i for i, (case, *_) in enumerate(waiting) if backend == "wasm" or case.model.count_params() < LARGE]
            for index, (found, why) in zip(some, in_node([waiting[i][:2] for i in some], backend), strict=True):
                runs[index].append((backend, found, why))
        ran = (cpu_seconds() - started) / max(len(waiting), 1)
        for (case, path, seconds), run in zip(waiting, runs, strict=True):
            kind = json.loads((path / "model.json").read_text())["format"]
            if kind == "layers-model":
                run.append(("read back", *read_back(path, case)))
            self.compare(case, "tfjs", run, kind=kind, seconds=seconds, ran=ran)
            shutil.rmtree(path)

    def compare(self, case: Case, target: str, runs: list[tuple[str, list[Arrays] | None, str]], **more: Any) -> None:
        """Write how far the answers of all runs are from those of Keras."""
        if case.name in models.REFUSED:
            self.write(case.name, target, "wrong", f"must be refused: {models.REFUSED[case.name]}", **more)
            return
        worst, doubt = 0.0, 0.0
        for backend, found, why in runs:
            if found is None:
                self.write(case.name, target, "wrong", f"{backend or 'the runtime'} failed: {why}", **more)
                return
            for inputs, expected, received in zip(case.batches, case.expected, found, strict=True):
                if trouble := unlike(expected, received, loosely=target == "tfjs"):
                    self.write(case.name, target, "wrong", f"{backend} {trouble}".strip(), **more)
                    return
                far = difference(expected, received)
                worst = max(worst, far)
                if far > TOLERANCE:
                    doubt = max(doubt, rounding(case.model, inputs, expected))
                    if far > 8 * doubt:
                        off = f"{backend} off by {far:.2g}, rounding {doubt:.1g}".strip()
                        self.write(case.name, target, "wrong", off, **more)
                        return
        self.write(case.name, target, "equal", difference=worst, rounding=doubt, **more)


def cpu_seconds() -> float:
    """What this process and those it started have taken of the processor: other work does not count."""
    return sum(os.times()[:4])


def make(name: str) -> Case:
    """Build a model, give it weights and inputs, and ask Keras."""
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(0)
    model = models.MODELS[name]()
    if name in models.REFUSED:
        return Case(name, model, [], [])
    model = randomize(model)
    batches = inputs_of(model, name, models.VALUES.get(name))
    expected = [answers(model, arrays, predict=name in models.PREDICTED) for arrays in batches]
    if not any(array.size and (array.dtype.kind != "f" or np.isfinite(array).any()) for array in expected[0]):
        raise ValueError("all answers are empty or infinite")
    return Case(name, model, batches, expected)


def unlike(expected: Arrays, received: Arrays, *, loosely: bool) -> str:
    """What differs in number, shape or dtype; TF.js has few dtypes, and the runner of Node fewer."""
    shapes, others = [x.shape for x in expected], [np.shape(x) for x in received]
    if shapes != others:
        return f"gives {others} instead of {shapes}"
    kinds, found = (
        ["f" if x.dtype.kind in "fV" else x.dtype.kind for x in map(np.asarray, xs)] for xs in (expected, received)
    )
    if loosely:
        kinds, found = (["i" if kind in "biu" else kind for kind in some] for some in (kinds, found))
    return f"gives {[x.dtype.name for x in received]} instead of {[x.dtype.name for x in expected]}" * (kinds != found)


def in_node(jobs: list[tuple[Case, Path]], backend: str) -> list[tuple[list[Arrays] | None, str]]:
    """What TF.js answers to both batches, or why it does not; a model that fails is tried again by itself."""
    try:
        runs = run_many_tfjs([(path, arrays) for case, path in jobs for arrays in case.batches], backend)
    except Exception as error:  # Node itself failed
        if len(jobs) <= 1:
            return [(None, f"{type(error).__name__}: {error}") for _ in jobs]
        return [answer for job in jobs for answer in in_node([job], backend)]
    found: list[tuple[list[Arrays] | None, str]] = []
    for index, job in enumerate(jobs):
        pair = runs[2 * index : 2 * index + 2]
        failed = next((run.error for run in pair if run.error), None)
        if failed and len(jobs) > 1:
            found += in_node([job], backend)
        else:
            found.append((None, failed) if failed else ([run.outputs for run in pair], ""))
    return found


def read_back(path: Path, case: Case) -> tuple[list[Arrays] | None, str]:
    """What a layers model answers that was loaded into Keras again."""
    try:
        model = load_tfjs(path)
        found = [model(arrays[0] if len(arrays) == 1 else arrays, training=False) for arrays in case.batches]
        return [[keras.ops.convert_to_numpy(x) for x in keras.tree.flatten(outputs)] for outputs in found], ""
    except Exception as error:  # what it says is the result
        return None, f"{type(error).__name__}: {error}"


def judged(case: Case, error: Exception, path: Path) -> tuple[str, str]:
    """What an export that failed counts as: a refusal names what is at fault, in words that a user can act on."""
    words = str(error).replace(str(path), path.name)
    if written(path):
        return "internal error", f"left a file behind: {words}"
    if not isinstance(error, ValueError):
        return "internal error", f"{type(error).__name__}: {words}"
    must = models.REFUSED.get(case.name)
    few = re.search(r"^the input |written (source|C) ", words)  # a writer of few layers names the first that it lacks
    if must and must.lower() not in words.lower() and not few:
        return "internal error", f"refused without {must!r}: {words}"
    if re.search(
        r"\b0x[0-9a-f]{6,}|mlir|loc\(|\bat the graph execution error|Traceback|Unknown input node|ConstantFolding",
        words,
    ):
        return "internal error", f"nobody can act on: {words}"
    if re.search(
        r"answers otherwise|instead of Keras|\bdiffers?\b|is off by|LiteRT failed|onnxruntime failed|TF.js failed",
        words,
    ):
        return "refused by proof", words
    return ("refused" if must or named(case.model, words) else "internal error"), words


def written(path: Path) -> list[Path]:
    """The file or folder at ``path``, and what lies beside it under the same name: weights, a header."""
    return list(path.parent.glob(f"{path.stem}.*"))


def named(model: keras.Model, words: str) -> bool:
    """Tell whether a refusal names a layer of the model, an input of it, or an operation of TensorFlow's."""
    import tensorflow as tf

    layers = list(model._flatten_layers(include_self=False, recursive=True))
    names = {type(layer).__name__ for layer in layers} | {layer.name for layer in layers}
    models_inside = [layer for layer in model._flatten_layers() if getattr(layer, "operations", None)]
    names |= {type(operation).__name__ for each in models_inside for operation in each.operations}
    names |= {*inference.input_names(model), model.name}
    found = set(re.findall(r"\w+", words))
    operations = {word for word in found if len(word) > 3 and hasattr(tf.raw_ops, word.lstrip("_"))}
    return bool(operations | found & (names - {"Sequential", "Functional", "InputLayer"}) or "operation _" in words)


def main() -> None:
    folder, prove, todo = Path(sys.argv[1]), sys.argv[2] == "prove", json.loads(Path(sys.argv[3]).read_text())
    worker = Worker(folder, int(sys.argv[4]), prove=prove)
    make("dense")  # loads what TensorFlow loads at first use
    gc.collect()
    gc.freeze()  # LiteRT's converter collects garbage at every export: two thirds of its time
    for name, targets in todo:
        worker.do(name, targets)
    worker.run_tfjs()
    faulthandler.cancel_dump_traceback_later()


if __name__ == "__main__":
    main()
