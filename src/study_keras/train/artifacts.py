"""Saving one model in every format."""

from functools import partial
from importlib.util import find_spec
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
    (".safetensors", None),
    ("_numpy.py", None),
    (".c", None),
    ("_int8.c", "int8"),
    ("_torch.py", None),
    (".xml", None),
    ("_int8.micro.c", "int8"),
)
# The packages that are optional, by the name of the format.
OPTIONAL = {
    "safetensors": ("safetensors",),
    "torch_program": ("safetensors", "torch"),
    "openvino": ("openvino",),
    "litert_micro": ("tflite_micro",),
}


def save_all(model: keras.Model, path: Path, images: Any) -> list[Path]:
    """Save ``model`` beside its file ``path`` in every other format, and return all paths, ``path`` first.

    Formats whose optional packages are not installed are left out.

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
        if not all(map(find_spec, OPTIONAL.get(found.name, ()))):
            continue
        options: dict[str, Any] = {"prove": False} if found.runtime else {}
        if quantize:
            options["quantize"] = quantize
        if quantize == "int8":
            options["images"] = [images]
        if found.needs == "tensorflow" or quantize == "int8":  # LiteRT's converter chooses the numbers
            jobs.append(partial(formats.save, path=target, **options))
        else:
            formats.save(model, target, **options)
        paths.append(target)
    tensorflow_process.export_many(model, jobs)
    return paths
