"""Saving one model in every format."""

from functools import partial
from pathlib import Path
from typing import Any

import keras

from study_keras import formats
from study_keras.formats.export import tensorflow_process

# What follows the model's name, and the quantization.
ARTIFACTS = (
    (".h5", None),
    (".model.json", None),  # NAME.json is the metadata
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
    """Save ``model`` beside its file ``path`` in every other format, and return all paths, ``path`` first.

    If Keras does not run on TensorFlow, all exports that need it run in one subprocess. No export is compared with
    the model on random inputs: verify them on real images.

    Args:
        path: the model's existing ``.keras`` file.
        images: several hundred typical model inputs, which int8 is calibrated on.

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
        else:
            formats.save(model, target, **({"quantize": quantize, "prove": False} if found.name == "tfjs" else {}))
        paths.append(target)
    tensorflow_process.export_many(model, jobs)
    return paths
