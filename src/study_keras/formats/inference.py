"""What the formats for inference alone ask of a model, and the names under which others find its inputs and outputs."""

import re
from pathlib import Path

import keras

from study_keras import files


def check_model(model: keras.Model, path: Path, suffix: str) -> None:
    """Refuse a model or a path that cannot become a file for inference, before anything is written.

    Raises:
        ValueError: the model is not built, or subclassed; the path has another suffix, or is a folder.
        OSError: nothing can be written there.
    """
    if path.suffix != suffix:
        raise ValueError(f"{path}: expected a name that ends in {suffix}")
    if path.is_dir():
        raise ValueError(f"{path}: there is a folder; expected a free name or a file to replace")
    if not isinstance(model, (keras.Sequential, keras.models.Model)):
        raise ValueError(f"received {type(model).__name__}; expected a Keras model")
    if not model.built:
        raise ValueError(f"the model {model.name} was never built; begin it with keras.Input(shape)")
    if not getattr(model, "inputs", None):
        raise ValueError(
            f"the model {model.name} is a subclass of its own ({type(model).__name__}); expected a Sequential or "
            "functional model: build one from its layers with keras.Model(inputs, outputs)"
        )
    with files.staging(path.absolute()):  # a folder that cannot be written to shows now, before the long work
        pass


def input_names(model: keras.Model) -> list[str]:
    """Return a name for each input: that of the user's ``keras.Input``, otherwise ``input``."""
    return _distinct([re.sub(r"^(keras_tensor|input_layer)(_\d+)?$", "input", item.name) for item in model.inputs])


def output_names(model: keras.Model) -> list[str]:
    """Return a name for each output: that of the layer which gives it, without Keras' counting (``dense_7``)."""
    layers = [output._keras_history.operation for output in model.outputs]
    return _distinct([_uncounted(layer) for layer in layers])


def _uncounted(layer: keras.layers.Layer) -> str:
    given = re.sub(r"(?<!^)(?=[A-Z][a-z])", "_", type(layer).__name__).lower()  # as Keras names a Dense `dense`
    return re.sub(rf"^({given})_\d+$", r"\1", layer.name)


def _distinct(names: list[str]) -> list[str]:
    """Keep each name's first use, and number the others."""
    return [
        f"{name}_{names[:index].count(name)}" if name in names[:index] else name for index, name in enumerate(names)
    ]
