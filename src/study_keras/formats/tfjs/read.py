"""Builds the Keras 3 model of a topology that TF.js or its converter for Keras 2 wrote."""

from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np

from study_keras.formats.saving import safe_config
from study_keras.formats.saving import weights as model_weights

# Older files contain these beside the constructor's arguments; Keras 3 lacks them, and no output depends on them.
_UNUSED = {"implementation", "input_dtype", "input_length", "sparse", "dtype"}


def model_from_topology(topology: Mapping[str, Any], weights: Mapping[str, np.ndarray]) -> keras.Model:
    """Build the Keras 3 model of a ``modelTopology`` and set its weights.

    Args:
        topology: as in ``model.json``; with or without ``model_config`` around it.
        weights: name -> array, as ``read_weights`` returns them.

    Raises:
        ValueError: Keras 3 lacks a layer or an option, or the weights do not fit the layers.
    """
    stored = sum(array.nbytes for array in weights.values())
    model = safe_config.build_model(_prepared(topology.get("model_config", topology)), version="2", stored=stored)
    _set_weights(model, weights)
    return model


def _prepared(description: Any) -> Any:
    """Return the description of a model or layer without what is particular to TF.js' files."""
    kind, config = description["class_name"], description["config"]
    if kind == "function" or not isinstance(kind, str):
        return description  # no layer: safe_config says what is wrong
    if kind in ("Functional", "Model", "Sequential"):
        layers = [_prepared(layer) for layer in (config["layers"] if isinstance(config, dict) else config)]
        return {**description, "config": {**config, "layers": layers} if isinstance(config, dict) else layers}
    if kind != "InputLayer":
        config = {k: v for k, v in config.items() if k not in _UNUSED and not k.endswith("_initializer")}
    if kind.startswith("SpatialDropout"):
        config.pop("trainable", None)  # which Keras 3 does not take there
    if kind in ("UpSampling2D", "Resizing") and config.get("interpolation", "nearest") != "nearest":
        raise ValueError(f"layer {config['name']!r} interpolates, which TF.js and Keras do differently; use 'nearest'")
    if "target_shape" in config:
        config["target_shape"] = [-1 if size is None else size for size in config["target_shape"]]
    if kind in ("Bidirectional", "TimeDistributed"):
        config["layer"] = _prepared(config["layer"])
    if config.get("backward_layer"):
        backward = _prepared(config["backward_layer"])
        name = f"backward_{backward['config']['name'].removeprefix('backward_')}"  # as in the names of its weights
        config["backward_layer"] = {**backward, "config": {**backward["config"], "name": name}}
    return {**description, "module": "keras.layers", "config": config}


def _set_weights(model: keras.Model, weights: Mapping[str, np.ndarray]) -> None:
    """Give each variable the array whose name ends in its layer and its own name."""
    layers: dict[str, keras.Layer] = {}
    for name, layer in _named_layers(model):
        if not layer.weights:
            continue  # its name may be another's too, such as of a Flatten in the encoder and in the decoder
        if layers.setdefault(name, layer) is not layer:
            raise ValueError(f"two layers have the name {name!r}; expected one, or their weights cannot be told apart")
    found: dict[tuple[str, str, str], np.ndarray] = {}
    for name, array in weights.items():
        *path, weight = name.removesuffix(":0").split("/")
        layer = next((part for part in path if part in layers), None)
        if layer is None:
            raise ValueError(f"weight {name!r} belongs to no layer of the model")
        found[layer, _direction(path), "kernel" if weight == "depthwise_kernel" else weight] = array
    for name, layer in layers.items():
        for variable in layer.weights:
            weight = "kernel" if variable.name == "depthwise_kernel" else variable.name
            key = (name, _direction(variable.path.split("/")), weight)
            received = f"shape {found[key].shape}" if key in found else "none"
            if received != f"shape {tuple(variable.shape)}":
                raise ValueError(
                    f"layer {name!r} expects a {weight} of shape {tuple(variable.shape)}; received {received}"
                )
            variable.assign(found.pop(key))
    if found:
        raise ValueError(f"the weights {sorted('/'.join(key) for key in found)} belong to no layer of the model")
    model_weights.finalize(model)


def _direction(path: list[str]) -> str:
    return next((side for side in ("forward", "backward") if any(p.startswith(f"{side}_") for p in path)), "")


def _named_layers(model: keras.Model) -> Iterator[tuple[str, keras.Layer]]:
    """Yield the layers within nested models too; TF.js names weights by the innermost layer."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _named_layers(layer)
        else:
            yield layer.name, layer
