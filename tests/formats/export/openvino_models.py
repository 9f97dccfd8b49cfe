"""Models exported to OpenVINO, and run there as their own program would. Usage: openvino_models.py FOLDER

It prints, for each model, how far the answers are from Keras', for batches of three and of one, or why it was refused.
"""

import contextlib
import errno
import json
import os
import resource
import signal
import sys
from pathlib import Path

import numpy as np

from study_keras.startup import import_keras

keras = import_keras()

from keras import Input, Model, Sequential, layers, ops

from study_keras import formats
from study_keras.runtimes.openvino import library

openvino = library()


def several():
    """Two inputs and three outputs, of one shape each, so that an exchange shows; one output is an input."""
    one, two = Input((4,), name="one"), Input((4,), name="two")
    first, second = layers.Dense(4, name="zebra")(one), layers.Dense(4, name="ape")(two)
    return Model([two, one], [first, layers.Subtract(name="less")([first, second]), one])


def recurrent():
    masked = layers.Masking(name="mask")
    return Sequential([Input((5, 3)), masked, layers.Bidirectional(layers.GRU(4)), layers.Dense(2, "softmax")])


def unused():
    one, two = Input((4,), name="one"), Input((3,), name="two")
    return Model([two, one], layers.Dense(2, name="only")(one))


def stacked():
    """What one LSTM gives is taken by another, and by what else: OpenVINO once mixed up the two."""
    steps = Input((6, 5))
    x = layers.LSTM(5, return_sequences=True)(steps)
    y = layers.LSTM(5, return_sequences=True)(x)
    return Model(steps, [layers.Add(name="both")([x, y]), layers.GlobalAveragePooling1D(name="mean")(y)])


MODELS = {
    "stacked": stacked,
    "unused": unused,
    "several": several,
    "recurrent": recurrent,
    "images": lambda: Sequential(
        [Input((12, 12, 1)), layers.Conv2D(3, 3), layers.BatchNormalization(), layers.MaxPooling2D(), layers.Flatten()]
    ),
    "no weights": lambda: Sequential([Input((3,)), layers.ReLU()]),
    "half": lambda: Sequential([Input((9,)), layers.Dense(3, dtype="mixed_float16")]),
    "text": lambda: Sequential([Input((), dtype="string"), layers.Hashing(7, name="bins")]),
    "wraps": lambda: Sequential([Input((4,), dtype="uint8"), layers.Lambda(lambda x: x + x + x, name="sum")]),
}


def answers(model, path):
    """How far OpenVINO, by its own functions and names, is from Keras."""
    compiled = openvino.compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    random, far = np.random.default_rng(0), []
    for count in (3, 1):
        feed = {item.name: random.normal(size=(count, *item.shape[1:])).astype("float32") for item in model.inputs}
        named = {port.get_any_name() for port in compiled.inputs}
        given = feed if named == set(feed) else {0: next(iter(feed.values()))}
        found = compiled(given)
        wanted = ops.convert_to_numpy
        for place, output in enumerate(keras.tree.flatten(model(list(feed.values()) if len(feed) > 1 else given[0]))):
            far.append(float(np.max(np.abs(wanted(output).astype("float32") - found[place]))))
    return {"far": max(far), "names": [port.get_any_name() for port in compiled.outputs]}


def failed_writes(folder):
    """What a full disk, and each rename that fails, leave of the files of a model that stood there before."""
    model, path = several(), folder / "failing.xml"
    formats.save(model, path, prove=False)
    before = {file: file.read_bytes() for file in folder.iterdir()}
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    said = {}
    for fault in ("full", 0, 1, 2, 3):
        try:
            with full_disk() if fault == "full" else failing_rename(fault):
                formats.save(several(), path, prove=False)
            said[fault] = "no error"
        except OSError as error:
            unchanged = before == {file: file.read_bytes() for file in folder.iterdir()}
            said[fault] = f"{'unchanged' if unchanged else 'changed'}: {error.strerror}"
    for file in before:
        file.unlink()
    with contextlib.suppress(OSError), failing_rename(1):  # where nothing was there before
        formats.save(several(), path, prove=False)
    return {**said, "left": [file.name for file in folder.iterdir()]}


@contextlib.contextmanager
def full_disk():
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextlib.contextmanager
def failing_rename(number):
    """Let one rename fail, counted from 0; those after it, which put things back, succeed."""
    real, done = Path.replace, []

    def replace(self, target):
        done.append(target)
        if len(done) == number + 1:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(self, target)

    Path.replace = replace
    try:
        yield
    finally:
        Path.replace = real


def main(folder):
    print(json.dumps({"name": "failed writes", "said": failed_writes(folder)}), flush=True)
    for name, build in MODELS.items():
        keras.utils.set_random_seed(1)
        model, path = build(), folder / f"{name}.xml"
        try:
            proofs = []
            formats.save(model, path, prove=proofs.append)
            result = {"proof": str(proofs[0]), **answers(model, path)}
        except ValueError as error:
            result = {"refused": str(error), "left": [file.name for file in folder.glob(f"*{name}*")]}
        print(json.dumps({"name": name, **result}), flush=True)


main(Path(sys.argv[1]))
