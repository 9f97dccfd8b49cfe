"""From the topology that TF.js and the Keras 2 converter write back to a Keras 3 model."""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np

from study_keras.formats.keras2 import meaning as keras2_meaning
from study_keras.formats.saving import weights as model_weights

MODELS = ("Functional", "Model", "Sequential")
# What older files hold beside the constructor's arguments, and what has no influence on the answers.
HARMLESS = {
    "batch_input_shape",
    "dtype",
    "implementation",
    "input_dtype",
    "input_length",
    "sparse",
    "trainable",
}


def model_from_topology(topology: Mapping[str, Any], weights: Mapping[str, np.ndarray]) -> keras.Model:
    """Build the Keras 3 model of a ``modelTopology`` and give it the weights.

    Args:
        topology: as in ``model.json``; with or without ``model_config`` around it.
        weights: name -> array, as ``read_weights`` returns them.

    Raises:
        ValueError: a layer or option that Keras 3 lacks, or weights that do not fit the layers.
    """
    model = _model(topology.get("model_config", topology))
    _set_weights(model, weights)
    return model


def _model(description: Mapping[str, Any]) -> keras.Model:
    config = description["config"]
    name = config.get("name") if isinstance(config, dict) else None
    layers = config["layers"] if isinstance(config, dict) else config
    if description["class_name"] == "Sequential":
        return _sequential(layers, name)
    if description["class_name"] not in MODELS:
        raise ValueError(f"expected a model of class {', '.join(MODELS)}; received {description['class_name']!r}")
    return _functional(config, layers, name)


def _sequential(descriptions: list[Any], name: str | None) -> keras.Model:
    model = keras.Sequential(name=name)
    first = descriptions[0]
    if first["class_name"] not in (*MODELS, "InputLayer"):
        model.add(_input(first))
    for description in descriptions:
        model.add(_layer_of(description))
    return model


def _input(description: Mapping[str, Any]) -> Any:
    """Return the Keras input of an InputLayer, or of the first layer of a Sequential."""
    config = description["config"]
    shape = config.get("batch_input_shape") or config.get("batch_shape")
    if shape is None:
        raise ValueError(f"layer {config.get('name')!r} is the first one; expected it to have a batch_input_shape")
    own = description["class_name"] == "InputLayer"
    dtype = config.get("dtype") if own or description["class_name"] == "Embedding" else None
    return keras.Input(batch_shape=shape, dtype=dtype or "float32", name=config["name"] if own else None)


def _functional(config: Mapping[str, Any], descriptions: list[Any], name: str | None) -> keras.Model:
    """Call the layers as soon as their inputs are there; the file may list them in any order."""
    layers: dict[str, keras.Layer] = {}
    outputs: dict[str, list[list[Any]]] = {}  # layer -> call -> outputs
    waiting = []
    for description in descriptions:
        if description["class_name"] == "InputLayer":
            outputs[description["name"]] = [[_input(description)]]
        else:
            layers[description["name"]] = _layer_of(description)
            # A nested model counts its own making as call 0.
            outputs[description["name"]] = [[]] if description["class_name"] in MODELS else []
            waiting += [(description["name"], node) for node in description["inbound_nodes"]]
    while waiting:
        later = [(name, node) for name, node in waiting if not _call(layers, outputs, name, node)]
        if len(later) == len(waiting):
            raise ValueError(f"layer {later[0][0]!r} waits for an output that no layer makes")
        waiting = later
    inputs = [outputs[layer][call][index] for layer, call, index in _references(config["input_layers"])]
    results = [outputs[layer][call][index] for layer, call, index in _references(config["output_layers"])]
    inputs, results = (one[0] if len(one) == 1 else one for one in (inputs, results))
    return keras.Model(inputs, results, name=name)


def _references(value: list[Any]) -> list[Any]:
    return [value] if value and isinstance(value[0], str) else value


def _call(layers: Any, outputs: Any, name: str, node: list[Any]) -> bool:
    """Call the layer if all of its inputs exist; return whether it was called."""
    inputs = []
    for source, call, index, *kwargs in _references(node):
        if any(value is not None for key, value in (kwargs[0] if kwargs else {}).items() if key != "training"):
            raise ValueError(f"layer {name!r} is called with {kwargs[0]}; expected its inputs alone")
        if len(outputs[source]) <= call:
            return False
        inputs.append(outputs[source][call][index])
    layer = layers[name]
    if len(inputs) > 1 and hasattr(layer, "return_sequences"):
        x = layer(inputs[0], initial_state=inputs[1:])
    else:
        x = layer(inputs if len(inputs) > 1 else inputs[0])
    outputs[name].append(keras.tree.flatten(x))
    return True


def _layer_of(description: Mapping[str, Any]) -> Any:
    """Return the Keras 3 layer, model or input that says one layer of the file."""
    if description["class_name"] in MODELS:
        return _model(description)
    if description["class_name"] == "InputLayer":
        return _input(description)
    return _layer(description["class_name"], dict(description["config"]))


def _layer(class_name: str, config: dict[str, Any]) -> keras.Layer:
    if class_name == "ThresholdedReLU":
        class_name, config["threshold"] = "ReLU", config.pop("theta")
    if class_name in ("GRU", "GRUCell"):
        config.setdefault("reset_after", False)  # as it was before Keras had the option
    layer_class = getattr(keras.layers, class_name, None)
    if layer_class is None or not issubclass(layer_class, keras.Layer):
        raise ValueError(f"layer {config.get('name')!r} has the class {class_name!r}, which Keras 3 lacks")
    if class_name in ("Bidirectional", "TimeDistributed"):
        config["layer"] = _layer_of(config["layer"])
        if config.get("backward_layer"):
            config["backward_layer"] = _backward(config["backward_layer"])
    if class_name == "LeakyReLU" and "alpha" in config:
        config["negative_slope"] = config.pop("alpha")
    for key in ("activation", "recurrent_activation"):
        if config.get(key) == "hard_sigmoid":
            config[key] = keras2_meaning.hard_sigmoid()  # TF.js has Keras 2's
    if class_name in ("UpSampling2D", "Resizing") and config.get("interpolation", "nearest") != "nearest":
        raise ValueError(f"layer {config['name']!r} interpolates, which TF.js and Keras do differently; use 'nearest'")
    if "target_shape" in config:
        config["target_shape"] = [-1 if size is None else size for size in config["target_shape"]]
    if isinstance(config.get("axis"), list) and len(config["axis"]) == 1:
        config["axis"] = config["axis"][0]
    trainable = config.get("trainable", True)
    layer = layer_class(**_arguments(layer_class, config))
    layer.trainable = trainable
    return layer


def _backward(description: Mapping[str, Any]) -> Any:
    """Return the layer that reads backward, under the name that its weights have, where it is not made of the other."""
    config = description["config"]
    name = f"backward_{config['name'].removeprefix('backward_')}"
    return _layer_of({**description, "config": {**config, "name": name}})


def _arguments(layer_class: type, config: dict[str, Any]) -> dict[str, Any]:
    """Keep what the constructor takes; refuse what it would have to know and does not."""
    names: set[str] = set()
    for base in layer_class.__mro__:
        names |= set(inspect.signature(base.__init__).parameters)  # type: ignore[misc]
    arguments = {}
    for name, value in config.items():
        if name.endswith("_initializer") or name in HARMLESS:
            continue
        if name in names:
            arguments[name] = value
        elif value not in (None, False, [], {}) and (name, value) != ("groups", 1):
            raise ValueError(f"layer {config.get('name')!r} has {name}={value!r}, which Keras 3 lacks")
    return arguments


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
