"""An artifact of a model, ready to run: what ``verify`` and the proof of an export run."""

from pathlib import Path
from typing import Any

import keras

from study_keras import formats, runtimes
from study_keras.formats import inference
from study_keras.formats.keras_runner import keras_runner
from study_keras.formats.saving import weights
from study_keras.runtimes import Runner


def open_artifact(path: str | Path, model: Any, runtime: str | None = None) -> Runner:
    """Return the artifact at ``path``, exported from ``model``, with inputs and outputs in the model's order.

    Weights are put into a copy of the model; a structure gets the model's weights.

    Args:
        runtime: one of those that the format's ``also`` lists; None for its first.

    Raises:
        ValueError: it is missing or broken.
        FileNotFoundError: its runtime, such as Node or its packages for a TF.js model, is not installed.
    """
    found = formats.detect(path)
    if found.text:
        return runtimes.open(path, runtime or str(found.runtime), found.function("text")(model))
    if found.runtime:
        return runtimes.open(path, runtime or found.runtime).reorder(input_names(model), output_names(model))
    if "structure" not in found.keeps:
        loaded = keras.models.clone_model(model)
        formats.load_weights(loaded, path)
    else:
        loaded = formats.load(path)
        if "weights" not in found.keeps:
            loaded.set_weights(model.get_weights())
            weights.finalize(loaded)
    return keras_runner(loaded, path, compiled=True)


def input_names(model: Any) -> list[str]:
    """Return the names that a file for inference has for the inputs of ``model``."""
    if isinstance(model, keras.Model):
        return inference.input_names(model) if getattr(model, "inputs", None) else []
    return [item.name for item in model.inputs]


def output_names(model: Any) -> list[str]:
    """Return the names that a file for inference has for the outputs of ``model``; none where it does not tell."""
    return inference.output_names(model) if isinstance(model, keras.Model) and getattr(model, "outputs", None) else []
