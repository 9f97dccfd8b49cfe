"""What the formats for inference require of a model, and the names of its inputs and outputs in them."""

import re
from pathlib import Path
from typing import Any

import keras

from study_keras import files


def check_model(model: keras.Model, path: Path, suffix: str) -> None:
    """Refuse a model or a path that cannot become a file for inference, before anything is written.

    Raises:
        ValueError: the model is not built, or subclassed and never called; the path has another suffix, or is a
            folder.
        OSError: nothing can be written there.
    """
    if path.suffix != suffix:
        raise ValueError(f"{path}: expected a name that ends in {suffix}")
    if path.is_dir():
        raise ValueError(f"{path}: is a folder; expected a new name or a file to replace")
    check_built(model)
    with files.staging_folder(path.absolute()):  # fails now, before the long export, if the folder is not writable
        pass


def check_built(model: keras.Model) -> None:
    """Refuse a model whose inputs are not known.

    Raises:
        ValueError: it is not a Keras model, or was never built.
    """
    if not isinstance(model, keras.Model):
        raise ValueError(f"received {type(model).__name__}; expected a Keras model")
    if not model.built:
        raise ValueError(
            f"the {type(model).__name__} {model.name!r} was never built; start it with keras.Input(shape), or call it"
        )
    if not getattr(model, "inputs", None) and not getattr(model, "_build_shapes_dict", None):
        raise ValueError(
            f"the model {model.name} ({type(model).__name__}) is a subclass that was never called; call it once on an "
            "example, so that its inputs are known"
        )


def input_specs(model: keras.Model, batch: int | None = None) -> Any:
    """Return a ``keras.InputSpec`` for each input, in the structure in which the model takes them.

    Args:
        batch: a fixed batch size; None for that of the model.
    """

    def spec(shape: Any, dtype: str) -> keras.InputSpec:
        return keras.InputSpec(shape=(batch or shape[0], *shape[1:]), dtype=dtype)

    if getattr(model, "inputs", None):
        structure = getattr(model, "_inputs_struct", None)  # of a functional model
        structure = model.inputs[0] if structure is None else structure
        return keras.tree.map_structure(lambda x: spec(x.shape, keras.backend.standardize_dtype(x.dtype)), structure)
    shapes = list(model._build_shapes_dict.values())
    structure = keras.tree.map_shape_structure(lambda shape: spec((None, *shape[1:]), model.input_dtype), shapes)
    return structure[0] if len(structure) == 1 else structure


def input_names(model: keras.Model) -> list[str]:
    """Return a name for each input: that of its ``keras.Input`` if the user gave one, otherwise ``input``."""
    if not getattr(model, "inputs", None):
        return distinct(["input" for _ in keras.tree.flatten(input_specs(model))])
    return distinct([re.sub(r"^(keras_tensor|input_layer)(_\d+)?$", "input", item.name) for item in model.inputs])


def output_names(model: keras.Model) -> list[str]:
    """Return a name for each output: that of its layer, without the number that Keras adds (``dense_7``)."""
    if not getattr(model, "outputs", None):
        outputs = keras.tree.flatten(model.compute_output_spec(_symbolic(input_specs(model))))
        return distinct(["output" for _ in outputs])
    layers = [output._keras_history.operation for output in model.outputs]
    return distinct([_uncounted(layer) for layer in layers])


def _symbolic(specs: Any) -> Any:
    return keras.tree.map_structure(lambda spec: keras.KerasTensor(spec.shape, spec.dtype), specs)


def _uncounted(layer: keras.layers.Layer) -> str:
    given = re.sub(r"(?<!^)(?=[A-Z][a-z])", "_", type(layer).__name__).lower()  # as Keras names a Dense `dense`
    return re.sub(rf"^({given})_\d+$", r"\1", layer.name)


def distinct(names: list[str]) -> list[str]:
    """Return distinct names that every format accepts: ASCII letters, digits, ``_`` and ``.``."""
    found: list[str] = []
    for name in names:
        base = re.sub(r"[^A-Za-z0-9_.]", "_", name)
        base = base if re.match("[A-Za-z0-9]", base) else f"tensor{base}"
        number, unique = 0, base
        while unique in found:
            number, unique = number + 1, f"{base}_{number + 1}"
        found.append(unique)
    return found
