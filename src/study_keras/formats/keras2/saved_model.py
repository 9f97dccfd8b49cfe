"""Loads the folder that ``model.save("name")`` of Keras 2 wrote, a SavedModel with the structure beside it."""

import re
from pathlib import Path
from typing import Any

import keras

from study_keras import files, limits
from study_keras.formats.keras2 import metadata as keras2_metadata
from study_keras.formats.keras2 import signature
from study_keras.formats.saving import safe_config, tf_checkpoint
from study_keras.runtimes import checkpoint_sizes, saved_model


@limits.reader
def load_keras2_saved_model(path: str | Path, custom_objects: dict[str, Any] | None = None) -> keras.Model:
    """Load a Sequential or functional model from a SavedModel folder of Keras 2, TensorFlow 2.0 to 2.15.

    The model is built of Keras' own layers and gets the weights in ``variables/``, and the optimizer with its state
    if Keras 3 has it. Then its outputs are compared with those of the folder's own graph.

    Raises:
        ValueError: the folder is broken, the model names a class that is neither of Keras nor in ``custom_objects``, or
            its outputs differ from those of the folder's graph.
    """
    path = Path(path)
    files.recover(path)
    try:
        metadata = keras2_metadata.read(path)
        config = keras2_metadata.model_config(metadata)
        if config is None:
            raise ValueError("no structure of a Sequential or functional model in it; load_saved_model(path) runs it")
        version = metadata.get("keras_version")
        version = version if isinstance(version, str) else "2"
        model = safe_config.build_model(
            config, custom_objects, version, checkpoint_sizes.check(path / "variables" / "variables")
        )
        if not model.built:
            _build(model, metadata)
        if metadata.get("training_config"):
            safe_config.compile_model(model, metadata["training_config"], custom_objects)
        load_weights_keras2_saved_model(model, path)
        signature.check(model, saved_model.open_saved_model(path))
    except (OSError, ValueError) as error:
        reason = re.sub(rf"{re.escape(str(path))}[/\w]*: |cannot be read as a SavedModel: ", "", str(error))
        raise ValueError(f"{path}: cannot be read as a model of Keras 2: {reason}") from error
    return model


@limits.reader
def load_weights_keras2_saved_model(model: keras.Model, path: str | Path) -> None:
    """Put the weights in a SavedModel folder of Keras 2 into ``model``; change nothing if they do not fit.

    Raises:
        ValueError: the weights are missing or broken, or belong to a different model; the message says where.
    """
    tf_checkpoint.load_tf_checkpoint(model, Path(path) / "variables" / "variables")


def _build(model: keras.Model, metadata: dict[str, Any]) -> None:
    """Build a Sequential model that was saved without its input, from the shape that it was called with."""
    shape = metadata.get("build_input_shape")
    if not isinstance(shape, list) or not all(size is None or isinstance(size, int) for size in shape):
        raise ValueError(
            f"the model {model.name} was never called, so it has no weights; call it once in Keras 2 and save it again"
        )
    model.build(shape)
