"""The public readers that the fuzzer calls: each takes the folder of a seed, which has been changed, and reads it."""

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from study_keras import formats, runtimes
from study_keras.data import class_names, dataset
from study_keras.train import metadata
from study_keras.vision import classifier, detection, image_io, marks, recognize

CALL_AT_MOST = 2**22  # numbers in an input: a larger one is the caller's own wish


class Target(NamedTuple):
    """A seed and what is done with it."""

    seed: str
    read: Callable[[Path], Any]
    accepts_seed: bool = True


def only(folder: Path) -> Path:
    """Return the model or the file in ``folder``, without the suffix that a checkpoint has."""
    found = min(folder.iterdir(), key=lambda path: (path.suffix in (".bin", ".npz"), path))
    return found.with_suffix("") if found.name.startswith("m.ckpt.") else found


def load(folder: Path) -> Any:
    """Load the model; return the digest of its weights."""
    model = formats.load(only(folder))
    weights = model.get_weights() if hasattr(model, "get_weights") else []
    return hashlib.sha256(b"".join(array.tobytes() for array in weights)).hexdigest()


def dense() -> Any:
    """Return the network of the seeds."""
    import keras

    layers = [keras.layers.Dense(4, "relu", name="dense"), keras.layers.Dense(2, name="dense_1")]
    return keras.Sequential([keras.Input((3,)), *layers], name="m")


def load_weights(folder: Path) -> Any:
    """Load the weights into the model that they belong to; if they are refused, it must be as before."""
    model = dense()
    before = [array.copy() for array in model.get_weights()]
    try:
        formats.load_weights(model, only(folder))
    except (ValueError, OSError):
        if not all(map(np.array_equal, before, model.get_weights())):
            raise AssertionError("weights were refused, but the model has changed") from None
        raise
    return hashlib.sha256(b"".join(array.tobytes() for array in model.get_weights())).hexdigest()


def list_weights(folder: Path) -> None:
    """List names and shapes."""
    function = formats.detect(only(folder)).function("list_weights")
    if function:
        function(only(folder))


def run(folder: Path) -> None:
    """Open the model in its runtime, and run it once on the inputs that it asks for, of zeros."""
    runner = formats.open(only(folder))
    shapes = [[size or 1 for size in spec.shape or (1,)] for spec in runner.inputs or ()]
    if shapes and all(np.prod(shape, dtype=object) <= CALL_AT_MOST for shape in shapes):
        specs = zip(shapes, runner.inputs or (), strict=True)
        runner.run([np.zeros(shape, spec.dtype if spec.dtype != "string" else object) for shape, spec in specs])


def open_program(folder: Path) -> None:
    """Read a program for NumPy and its weights, without running it."""
    path = only(folder)
    runtimes.open(path, "numpy_program", formats.detect(path).function("text")(dense()))


def read_dataset(folder: Path) -> None:
    """Load a dataset and the names of its classes, and look at all of it."""
    path = only(folder) if folder.joinpath("d.npz").exists() else folder
    data = dataset.load_data(path)
    class_names.find_class_names(path, dataset.class_count(data))
    assert all(len(images[:]) == len(labels) for images, labels in data)


def read_class_names(folder: Path) -> None:
    """Read ``classes.txt``."""
    assert len(class_names.find_class_names(folder, 3) or "") >= 3


@functools.cache
def networks() -> tuple[classifier.Network, marks.Finder]:
    """Load the shipped networks, once."""
    return classifier.load_network(), marks.load_finder()


def read_picture(folder: Path) -> None:
    """Read the digits in a picture, smaller ones than the reader allows."""
    image_io.read_image(only(folder))
    network, finder = networks()
    detection.to_text(recognize.detect(only(folder), network, None, finder))


def read_record(folder: Path) -> None:
    """Read what stands beside a model, as ``predict`` and ``convert`` do."""
    names = metadata.load_class_names(folder / "m.tflite")
    assert names is None or all(isinstance(name, str) for name in names)
    metadata.copy_metadata(folder / "m.tflite", folder / "copy.tflite")


def resume(folder: Path) -> None:
    """Read the training that ``--resume`` continues."""
    from study_keras.train import checkpoint

    checkpoint.load_unfinished(folder)


WEIGHTS = ("keras", "h5", "weights_h5", "ckpt", "safetensors")
WEIGHTS += ("keras2_ckpt", "keras2_h5", "keras2_keras", "keras2_weights_h5")
LISTED = ("weights_h5", "ckpt", "savedmodel", "tfjs", "tfjs_archive", "tfjs_graph", "tflite", "onnx")
LISTED += ("xml", "safetensors", "c", "micro_c")
RUN = ("tflite", "tflite_int8", "onnx", "onnx_conv", "savedmodel", "xml", "xml_conv", "micro_c")
STRUCTURES = (
    *("keras", "h5", "json", "yaml", "savedmodel", "tfjs", "tfjs_archive"),
    *("many_keras", "many_json", "many_h5", "many_tfjs"),
    *("keras2_json", "keras2_h5", "keras2_keras", "keras2_savedmodel", "keras2_many_json", "keras2_many_h5"),
    *("keras2_many_keras", "keras2_many_savedmodel"),
)
TARGETS = {
    **{f"load:{seed}": Target(seed, load) for seed in STRUCTURES},
    **{f"load_weights:{seed}": Target(seed, load_weights) for seed in WEIGHTS},
    **{f"list_weights:{seed}": Target(seed, list_weights) for seed in LISTED},
    **{f"run:{seed}": Target(seed, run) for seed in RUN},
    "open:numpy_program": Target("m_numpy_py", open_program),
    **{
        f"dataset:{seed}": Target(seed, read_dataset) for seed in ("npz", "npz_small", "npy", "shards", "idx", "idx_gz")
    },
    "class_names": Target("class_names", read_class_names),
    **{
        f"picture:{kind}": Target(f"picture_{kind}", read_picture)
        for kind in ("png", "jpeg", "gif", "bmp", "webp", "rgba")
    },
    "picture:tiff": Target("picture_tiff", read_picture, accepts_seed=False),
    "record": Target("record", read_record),
    "resume": Target("unfinished", resume),
}
# Whose checksum promises that they are as they were saved.
SEALED = ("load:h5", "load:many_h5", "load_weights:h5", "load_weights:weights_h5")
