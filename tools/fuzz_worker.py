"""The process in which `fuzz.py` reads inputs; with a folder as argument it writes one valid input for each reader."""

import contextlib
import gzip
import json
import os
import re
import sys
import tempfile
import time
import traceback
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np

from study_keras.startup import import_keras

keras = import_keras()
import tensorflow as tf

from study_keras import formats
from study_keras.data import class_names, dataset
from study_keras.formats.proof.examples import load_examples
from study_keras.train import metadata
from study_keras.vision.classifier import load_network
from study_keras.vision.recognize import recognize

MEMORY = 500 * 2**20
ROOT = Path(__file__).resolve().parents[1]
OUTSIDE = []
CURRENT = [""]


NETWORK = load_network()


def model():
    layers = [keras.layers.Dense(4, activation="relu"), keras.layers.Dropout(0.5), keras.layers.Dense(3)]
    return keras.Sequential([keras.Input((4,)), *layers])


def run(path):
    """Open a model and run it once, on zeros of the shape that it asks for."""
    runner = formats.open(path)
    arrays = [np.zeros([size or 1 for size in spec.shape or ()], spec.dtype) for spec in runner.inputs]
    if sum(array.nbytes for array in arrays) < 2**20:
        runner.run(arrays)


READERS = {
    "m.keras": formats.load,
    "m.h5": formats.load,
    "m.json": formats.load,
    "m.yaml": formats.load,
    "m.weights.h5": lambda path: formats.load_weights(model(), path),
    "m.ckpt": lambda path: formats.load_weights(model(), path),
    "m.savedmodel": formats.load,
    "keras2": formats.load,
    "m.tfjs": formats.load,
    "m.tflite": run,
    "m.onnx": run,
    "d.npz": dataset.load_data,
    "idx": dataset.load_data,
    "gz": dataset.load_data,
    "shards": dataset.load_data,
    "npy": dataset.load_data,
    "x.npz": lambda path: load_examples(path, model()),
    "classes.npz": lambda path: class_names.find_class_names(path, 3),
    "r.keras": lambda path: metadata.load_class_names(path) and None,
    "unfinished": metadata.load_unfinished_metadata,
    **{f"p.{suffix}": lambda path: recognize(path, NETWORK) for suffix in ("png", "jpg", "gif", "bmp", "webp")},
}


def write_seeds(folder):
    """Write one valid input for each reader; print reader -> path as JSON."""
    folder.mkdir(parents=True)
    one = model()
    one.compile("adam", "mse")
    images, labels = np.zeros((4, 28, 28), np.uint8), np.arange(4, dtype=np.uint8) % 3
    images[:, 4:24, 12:16] = 255
    parts = dict(zip(("x_train", "y_train", "x_test", "y_test"), (images, labels) * 2, strict=True))
    for name in READERS:
        if name.startswith("m."):
            formats.save(one, folder / name, **({"prove": False} if name.endswith("tfjs") else {}))
    import tf_keras

    tf_keras.Sequential([tf_keras.layers.Dense(3, input_shape=(4,))]).save(folder / "keras2", save_format="tf")
    np.savez_compressed(folder / "d.npz", **parts)
    np.savez(folder / "x.npz", x=np.zeros((3, 4), np.float32), y=np.zeros(3, np.int64))
    for kind in ("idx", "gz"):
        (folder / kind).mkdir()
        for part, where in (("train", "train"), ("test", "t10k")):
            for key, what in (("x", "images-idx3"), ("y", "labels-idx1")):
                array = parts[f"{key}_{part}"]
                sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
                content = bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()
                name = f"{where}-{what}-ubyte" + (".gz" if kind == "gz" else "")
                (folder / kind / name).write_bytes(gzip.compress(content, 1) if kind == "gz" else content)
    for kind in ("shards", "npy"):
        (folder / kind).mkdir()
        for part in ("train", "test"):
            x, y = parts[f"x_{part}"], parts[f"y_{part}"]
            if kind == "shards":
                np.savez(folder / kind / f"{part}-00000.npz", x=x, y=y)
            else:
                np.save(folder / kind / f"x_{part}.npy", x)
                np.save(folder / kind / f"y_{part}.npy", y)
    np.savez(folder / "classes.npz", **parts)
    (folder / "classes.classes.txt").write_text("a\nb\nc\n")
    write_records(folder, one)
    from PIL import Image

    for suffix in ("png", "jpg", "gif", "bmp", "webp"):
        Image.fromarray(255 - images[0]).save(folder / f"p.{suffix}")
    print(json.dumps({name: str(folder / name) for name in READERS}))


def write_records(folder, one):
    import zipfile

    from study_keras.train.recipes import RECIPES, to_settings

    settings = to_settings(next(iter(RECIPES.values())))
    formats.save(one, folder / "r.keras")
    metadata.save_metadata({"settings": settings, "classes": ["a", "b", "c"]}, folder / "r.keras")
    record = {"settings": settings, "data": {"sha256": "0"}, "backend": "jax", "history": {"loss": [1.0]}}
    (folder / "unfinished").mkdir()
    with zipfile.ZipFile(folder / "unfinished" / metadata.UNFINISHED, "w") as archive:
        archive.writestr(metadata.ENTRY, json.dumps(record))


def memory(field):
    return int(re.search(rf"{field}:\s+(\d+)", Path("/proc/self/status").read_text())[1]) * 1024


def watch(event, arguments):
    """Note what is opened outside of the input, of the installation and of the folder of temporary files."""
    if event == "open" and CURRENT[0] and isinstance(arguments[0], str):
        path, mode = os.path.realpath(arguments[0]), arguments[1] or ""
        writes = any(letter in str(mode) for letter in "wax+")
        allowed = (
            (CURRENT[0], *TEMPORARY, "/dev/null")
            if writes
            else (
                CURRENT[0],
                *TEMPORARY,
                sys.prefix,
                sys.base_prefix,
                str(ROOT),
                "/proc",
                "/dev/null",
                "/sys",
                "/usr",
                "/etc/mime.types",
                "/etc/ld",
            )
        )
        if not path.startswith(allowed):
            OUTSIDE.append(path)
    elif event in ("os.system", "socket.connect", "subprocess.Popen") and CURRENT[0]:
        OUTSIDE.append(f"{event}{arguments[:1]}")


def read(reader, path):
    """Read one input, and return what came of it."""
    Path("/proc/self/clear_refs").write_text("5")
    before, started = memory("VmRSS"), time.monotonic()
    OUTSIDE.clear()
    CURRENT[0] = str(Path(path).resolve().parent)
    found = {"kind": "read"}
    try:
        with Path(os.devnull).open("w") as null, contextlib.redirect_stdout(null), contextlib.redirect_stderr(null):
            READERS[reader](Path(path))
    except (ValueError, OSError) as error:
        message = str(error)
        clear = message and "\n" not in message.strip() and len(message) < 2000
        found = {"kind": "refused"} if clear else {"kind": "message", "what": place(error) + f" {message[:300]!r}"}
    except BaseException as error:
        found = {"kind": type(error).__name__, "what": place(error) + f" {str(error)[:150]!r}"}
    CURRENT[0] = ""
    keras.backend.clear_session()
    if OUTSIDE:
        found = {"kind": "opened outside", "what": re.sub(r"\d+", "0", OUTSIDE[0])[:200]}
    elif memory("VmHWM") - before > MEMORY:
        found = {"kind": "memory", "what": f"{(memory('VmHWM') - before) >> 20} MiB"}
    elif time.monotonic() - started > 10:
        found = {"kind": "slow", "what": ""}
    return found


def place(error):
    """Return the innermost line of this project in a traceback."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "study_keras" in frame.filename]
    return f"{frames[-1].filename.split('study_keras/')[-1]}:{frames[-1].lineno}" if frames else ""


if __name__ == "__main__":
    if len(sys.argv) > 1:
        write_seeds(Path(sys.argv[1]))
        sys.exit()
    TEMPORARY = (tempfile.gettempdir(),)
    tf.zeros(1)
    sys.addaudithook(watch)
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    answers.write('{"kind": "ready"}\n')
    for line in sys.stdin:
        answers.write(json.dumps(read(*json.loads(line))) + "\n")
