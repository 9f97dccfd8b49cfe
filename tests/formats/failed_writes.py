"""Makes writes fail, in a process of its own: every writer at several bytes, at the flush and at the rename.

Prints one line of JSON for each case: {"writer", "fault", "problems"}. What crashes ends the process.
"""

import contextlib
import errno
import json
import os
import re
import resource
import sys
import tempfile
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np

from study_keras import files, formats
from study_keras.data.dataset import load_data
from study_keras.report import evaluation, html, plots
from study_keras.serve.single_file import write_page
from study_keras.train import checkpoint, metadata
from study_keras.vision import classifier, debug_images, recognize

DIGIT = Path(__file__).parents[1] / "golden/plain_3.png"
FAULTS = (
    "byte 0",
    "byte 1",
    "byte 100",
    "byte 5000",
    "the half",
    "the last byte",
    "flush",
    "rename",
    "the last rename",
)
SLOW = ("model.savedmodel", "model.tflite", "model.onnx", "graph.tfjs", "page.html", "report.html")
SLOW += ("model.xml", "model.micro.c", "int8.c")
FEW = ("the half",)  # for the slow ones, without --all


def make_model():
    layers = [keras.layers.Flatten(), keras.layers.Dense(64, "relu"), keras.layers.Dense(10, "softmax")]
    model = keras.Sequential([keras.Input((28, 28)), *layers])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(np.zeros((8, 28, 28), "float32"), np.arange(8), verbose=0)
    return model


def writers(model):
    """Return by name what is written and the function that writes it."""
    whole = (".keras", ".h5", ".weights.h5", ".json", ".yaml", ".ckpt", "_two.weights", ".safetensors")
    table = {f"model{suffix}": lambda path: formats.save(model, path) for suffix in whole}
    for suffix in (".savedmodel", ".tfjs", ".tflite", ".onnx", ".xml", ".micro.c", ".c", "_numpy.py", "_torch.py"):
        table[f"model{suffix}"] = lambda path: formats.save(model, path, prove=False)
    images = np.zeros((4, 28, 28), "float32")
    table["int8.c"] = lambda path: formats.save(model, path, prove=False, quantize="int8", images=images)
    table["graph.tfjs"] = lambda path: formats.save(model, path, kind="graph", prove=False)
    test = tuple(part[:50] for part in load_data()[1])
    result = evaluation.evaluate(model, *test)
    found = recognize.detect(str(DIGIT), classifier.load_network(None))
    unfinished = checkpoint.SaveUnfinished
    return table | {
        "page.html": lambda path: write_page(model, path, prove=False),
        "report.html": lambda path: html.write_report(
            path, model, (test, test), result, {"name": "model", "command": "report"}
        ),
        "plot.png": lambda path: plots.save(plots.samples(*test), path),
        "layers.png": lambda path: plots.plot_model(model, path),
        "digit_answer.png": lambda path: debug_images.save_debug_images(found, path.parent, "digit"),
        "metadata.json": lambda path: metadata.save_metadata({"settings": {}}, path),
        "hello_mnist.unfinished.keras": lambda path: save_unfinished(unfinished(path, {}, {}), model),
    }


def save_unfinished(callback, model):
    callback.set_model(model)
    callback.on_train_begin()


def content(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@contextlib.contextmanager
def failing(fault, size, last):
    """Let writes fail as ``fault`` says, where ``size`` is that of the largest file, and ``last`` counts renames."""
    if fault == "flush":
        real, os.fsync = os.fsync, fail
        try:
            yield
        finally:
            os.fsync = real
        return
    if "rename" in fault:
        with renaming(last if "last" in fault else 1):
            yield
        return
    limits = {"the half": size // 2, "the last byte": size - 1}
    limit = limits[fault] if fault in limits else int(fault.split()[1])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))  # as a full disk does it, writes beyond it are refused
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextlib.contextmanager
def renaming(failing_one=None):
    """Yield a list of the renames of files and folders; let one of them fail, counted from 1."""
    places = [(Path, "replace"), (Path, "rename"), (files, "_exchange")]
    real, done = [getattr(place, name) for place, name in places], []

    def counted(function):
        def rename(*paths):
            done.append(paths)
            return fail() if len(done) == failing_one else function(*paths)

        return rename

    for (place, name), function in zip(places, real, strict=True):
        setattr(place, name, counted(function))
    try:
        yield done
    finally:
        for (place, name), function in zip(places, real, strict=True):
            setattr(place, name, function)


def fail(*_, **__):
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def problems(write, path, fault, size, last):
    """Return what is wrong after a failed write: a list of texts."""
    before, found = content(path.parent), []
    try:
        with failing(fault, size, last):
            write(path)
        found.append("no error")
    except OSError as error:
        said = f"{error.filename}: {error.strerror}"
        expected = f"{re.escape(str(path.parent))}/\\S*: cannot be written \\(.*\\); the old content is unchanged; .*"
        no_room = (
            f"{tempfile.gettempdir()}: no room for temporary files \\(.*\\); free some space there, or set TMPDIR .*"
        )
        if not re.fullmatch(f"{expected}|{no_room}", said):
            found.append(f"the message is {said!r}")
    except Exception as error:
        found.append(f"{type(error).__name__}: {str(error)[:300]!r}")
    after = content(path.parent)
    if after.keys() != before.keys():
        found.append(f"files: {sorted(map(str, after.keys() ^ before.keys()))}")
    elif after != before:
        found.append("the former content has changed")
    return found


def main(folder, every):
    model = make_model()
    for name, write in writers(model).items():
        place = folder / name.replace(".", "_")
        place.mkdir()
        faults = FEW if name in SLOW and not every else FAULTS
        for _ in range(3 if "two" in name else 2 if len(faults) > 1 else 1):
            with renaming() as renames:
                write(place / name)
        size = max(len(data) for data in content(place).values())
        # A checkpoint is the new one as soon as its index has its name, which happens twice.
        last = next((number for number, (*_, to) in enumerate(renames, 1) if str(to).endswith(".index")), len(renames))
        for fault in faults:
            if fault.startswith("byte") and int(fault.split()[1]) >= size:
                continue
            # Each write is of something else, of the same size: the text of other numbers might be shorter.
            model.layers[-1].bias.assign(np.roll(model.layers[-1].bias, 1))
            found = problems(write, place / name, fault, size, last)
            print(json.dumps({"writer": name, "fault": fault, "problems": found}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), "--all" in sys.argv)
