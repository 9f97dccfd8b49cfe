"""The tutorial's model in every format, for every runtime."""

from functools import partial
from pathlib import Path
from typing import Any

import keras

from study_keras import formats
from study_keras.formats.export import tensorflow_process

# What comes after the model's name, and how it stores its numbers.
ARTIFACTS = (
    (".h5", None),
    (".model.json", None),  # NAME.json tells how the model was made
    (".model.yaml", None),
    (".weights.h5", None),
    (".ckpt", None),
    (".savedmodel", None),
    (".tfjs", None),
    ("_float16.tfjs", "float16"),
    ("_uint16.tfjs", "uint16"),
    ("_uint8.tfjs", "uint8"),
    (".tflite", None),
    ("_float16.tflite", "float16"),
    ("_dynamic.tflite", "dynamic"),
    ("_int8.tflite", "int8"),
    (".onnx", None),
)


def save_all(model: keras.Model, path: Path, images: Any) -> list[Path]:
    """Write ``model`` beside its file ``path`` in every other format, and return all paths, ``path`` first.

    What only TensorFlow writes is left to one process, if Keras runs on something else. Nothing is proven on random
    inputs: whoever calls this verifies all of them on real images.

    Args:
        path: of the model's ``.keras`` file, which is there already.
        images: some hundred typical inputs, as the model takes them; int8 is fitted to them.

    Raises:
        OSError: a file cannot be written.
    """
    paths, jobs = [path], []
    for suffix, quantize in ARTIFACTS:
        target = path.with_name(path.stem + suffix)
        found = formats.detect_target(target)
        if found.needs == "tensorflow":
            options = {"quantize": quantize, "images": [images] if quantize == "int8" else None}
            jobs.append(partial(formats.save, path=target, prove=False, **(options if found.name == "litert" else {})))
        elif found.name == "tfjs":
            formats.save(model, target, quantize=quantize, prove=False)
        else:
            formats.save(model, target)
        paths.append(target)
    tensorflow_process.export_many(model, jobs)
    return paths
