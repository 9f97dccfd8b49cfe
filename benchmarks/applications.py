"""Every architecture of ``keras.applications`` in TF.js, LiteRT and ONNX, compared on logits with Keras in float64.

    python benchmarks/applications.py [FOLDER] [--only NAME] [--targets tfjs,litert,onnx]

Takes about 50 minutes. Each architecture runs in a subprocess, and an interrupted run resumes (FOLDER,
``output/applications`` by default, has a line of JSON for each). The images are as small as the architecture allows,
the weights random. Batch normalization has the statistics of a batch of such images, so that no signal
vanishes or explodes, and shifts of about 1: around 0 each activation would amplify rounding errors, and after eighty
layers the logits would be noise. Kernels without any normalization are scaled for ReLU, as He et al. do.

A file passes if its logits differ from those in float64 by at most 1e-5 of the largest logit, or by at most four times
the difference of Keras in float32. The control is the change of the logits when one kernel changes by 1 %: it must be
at least ten times the limit.
"""

import argparse
import gc
import inspect
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
TARGETS = {"tfjs": ".tfjs", "litert": ".tflite", "onnx": ".onnx"}
SMALLEST = {"InceptionV3": 75, "InceptionResNetV2": 75, "Xception": 71}  # pixels; the others take 32


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("output/applications"))
    parser.add_argument("--only", help="one architecture, or several with commas")
    parser.add_argument("--targets", default=",".join(TARGETS))
    parser.add_argument("--one", help=argparse.SUPPRESS)  # for the subprocess
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    if chosen.one:
        print(json.dumps(measure(chosen.one, chosen.folder, chosen.targets.split(","))))
        return
    results = chosen.folder / "results.jsonl"
    names = chosen.only.split(",") if chosen.only else architectures()
    for name in names:
        if name in finished(results):
            continue
        command = [sys.executable, __file__, str(chosen.folder), "--one", name, "--targets", chosen.targets]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        failed = {"name": name, "error": f"code {done.returncode}: {done.stderr[-300:]}"}
        row = failed if done.returncode else json.loads(done.stdout.splitlines()[-1])
        with results.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(line(row), flush=True)
    table([finished(results)[name] for name in names])


def architectures():
    """Return the names of all architectures, from a subprocess that imports Keras."""
    code = (
        "import inspect, json; from keras import applications as a;"
        "print(json.dumps([name for name in dir(a) if inspect.isfunction(getattr(a, name))]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def finished(results):
    rows = [json.loads(text) for text in results.read_text().splitlines()] if results.exists() else []
    return {row["name"]: row for row in rows if "error" not in row}


def build(name):
    """Return the architecture with random weights and logits as its output."""
    import keras

    size = SMALLEST.get(name, 32)
    return getattr(keras.applications, name)(weights=None, input_shape=(size, size, 3), classifier_activation=None)


def initialize(model, images):
    """Set all weights to values that affect the logits, and batch normalization to the statistics of ``images``."""
    import keras

    random = np.random.default_rng(0)
    layers = list(model._flatten_layers(include_self=False, recursive=True))
    for layer in layers:
        if isinstance(layer, keras.layers.Dropout) or hasattr(layer, "drop_path_rate"):
            layer.rate = layer.drop_path_rate = 0.0
        for variable in layer.trainable_variables:
            scale = type(layer).__name__ == "LayerScale"  # initially 1e-6, which would hide its branch
            if scale or variable.name in ("gamma", "beta", "bias"):
                shift = variable.name == "beta" and isinstance(layer, keras.layers.BatchNormalization)
                middle = 0.3 if scale else float(variable.name == "gamma" or shift)
                variable.assign(random.normal(middle, 0.1, variable.shape).astype("float32"))
    if not any("Normalization" in type(layer).__name__ for layer in layers):  # VGG
        for variable in (v for layer in layers for v in layer.trainable_variables if v.name == "kernel"):
            variable.assign(variable * 2**0.5)  # the gain for ReLU
    normalizations = [layer for layer in layers if isinstance(layer, keras.layers.BatchNormalization)]
    before = [layer.momentum for layer in normalizations]
    for layer in normalizations:
        layer.momentum = 0.0  # use the statistics of the batch at once
    model(images, training=True)
    for layer, momentum in zip(normalizations, before, strict=True):
        layer.momentum = momentum


def measure(name, folder, targets):
    """Return one row of the table."""
    import keras

    keras.utils.set_random_seed(0)
    model = build(name)
    rescales = any(isinstance(layer, keras.layers.Rescaling) for layer in model.layers)
    random = np.random.default_rng(1)
    size = model.input_shape[1]
    images = random.normal(128, 50, (40, size, size, 3)) if rescales else random.normal(0, 1, (40, size, size, 3))
    images = images.astype("float32")
    initialize(model, images[:32])
    asked = images[32:36]
    logits = np.asarray(model(asked, training=False))
    exact, moved = in_float64(name, model.get_weights(), asked)
    largest = np.abs(exact).max()
    own = float(np.abs(logits - exact).max() / largest)
    row = {
        "name": name, "pixels": size, "weights": model.count_params(), "keras": own, "spread": float(np.std(exact)),
        "control": float(np.abs(moved - exact).max() / largest), "limit": max(1e-5, 4 * own),
    }  # fmt: skip
    for target in targets:
        row[target] = in_target(model, target, folder / f"{name}{TARGETS[target]}", asked, exact)
    row["passed"] = row["control"] >= 10 * row["limit"] and all(
        row[target].get("difference", np.inf) <= row["limit"] for target in targets
    )
    return row


def in_float64(name, weights, images):
    """Return the logits in float64, and those after one kernel in the middle is scaled by 1.01."""
    import keras

    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    model = build(name)
    model.set_weights(weights)
    exact = np.asarray(model(images.astype("float64"), training=False))
    kernels = [variable for variable in model.trainable_variables if "kernel" in variable.name]
    kernel = kernels[len(kernels) // 2]
    kernel.assign(kernel * 1.01)
    moved = np.asarray(model(images.astype("float64"), training=False))
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
    del model
    gc.collect()
    return exact, moved


def in_target(model, target, path, images, exact):
    """Export, run and compare; return the difference or the error."""
    from study_keras import formats
    from study_keras.formats.tfjs import export_tfjs

    export = {"tfjs": export_tfjs, "litert": formats.export_litert, "onnx": formats.export_onnx}[target]
    options = {"prove": False} if "prove" in inspect.signature(export).parameters else {}
    started = time.perf_counter()
    try:
        export(model, path, **options)
        seconds = time.perf_counter() - started
        found = {"tfjs": run_tfjs, "litert": run_litert, "onnx": run_onnx}[target](path, images)
    except Exception as error:  # becomes a row of the table
        return {"error": f"{type(error).__name__}: {str(error).splitlines()[0][:200] if str(error) else ''}"}
    finally:
        kind = json.loads((path / "model.json").read_text())["format"] if (path / "model.json").exists() else ""
        remove(path)
    far = float(np.abs(found - exact).max() / np.abs(exact).max())
    return {"difference": far, "seconds": seconds, "kind": kind.removesuffix("-model")}


def run_tfjs(path, images):
    from study_keras.runtimes import tfjs

    return tfjs.run_tfjs(path, images)[0]


def run_litert(path, images):
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(str(path)).get_signature_runner()
    (name,) = runner.get_input_details()
    if runner.get_input_details()[name]["shape_signature"][0] == 1:
        return np.concatenate([next(iter(runner(**{name: image[None]}).values())).copy() for image in images])
    return next(iter(runner(**{name: images}).values()))


def run_onnx(path, images):
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: images})[0]


def remove(path):
    import shutil

    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)


def line(row):
    if "error" in row:
        return f"{row['name']}: {row['error'].strip()}"
    cells = {
        target: (f"{row[target]['difference']:.1e} {row[target]['kind']} in {row[target]['seconds']:.0f} s")
        if "difference" in row[target]
        else row[target]["error"]
        for target in TARGETS
        if target in row
    }
    parts = ", ".join(f"{target} {cell}" for target, cell in cells.items())
    verdict = "passed" if row["passed"] else "FAILED"
    return f"{row['name']}: {verdict}; Keras {row['keras']:.1e}, {parts}, control {row['control']:.1e}"


def table(rows):
    from rich.console import Console
    from rich.table import Table

    made = Table(box=None, padding=(0, 1, 0, 0))  # fits into 80 columns
    made.add_column("architecture", no_wrap=True)
    for heading in ("weights", "Keras", "TF.js", "LiteRT", "ONNX", "control"):
        made.add_column(heading, justify="right")
    made.add_column("TF.js as")
    for row in rows:
        cells = [
            f"{row[target]['difference']:.0e}" if "difference" in row.get(target, {}) else "-" for target in TARGETS
        ]
        kind = row.get("tfjs", {}).get("kind", "")
        made.add_row(
            row["name"], f"{row['weights'] / 1e6:.1f} M", f"{row['keras']:.0e}", *cells, f"{row['control']:.0e}", kind
        )
    Console().print(made)
    failed = [row["name"] for row in rows if not row["passed"]]
    print(f"{len(rows) - len(failed)} of {len(rows)} passed{': not ' if failed else ''}{', '.join(failed)}")
    raise SystemExit(bool(failed))


if __name__ == "__main__":
    main()
