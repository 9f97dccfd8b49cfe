"""Saving one model in every format."""

from pathlib import Path
from typing import Any

import keras

from study_keras.formats.everywhere.variants import VARIANTS, exporter, needs_tensorflow
from study_keras.formats.export import tensorflow_process
from study_keras.runtimes import installed


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
    for variant in filter(lambda variant: variant.in_run, VARIANTS):
        if any(installed.RUNTIMES[name].extra and not installed.version(name) for name in variant.format.runtimes):
            continue
        target = path.with_name(path.stem + variant.suffix)
        job = exporter(target, variant, [images], prove=False)
        if needs_tensorflow(variant, model):
            jobs.append(job)
        else:
            job(model)
        paths.append(target)
    tensorflow_process.export_many(model, jobs)
    return paths
