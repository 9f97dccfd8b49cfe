"""From a plain dict to a Keras model, in the only way that can run no code: a list of what is allowed."""

import inspect
import json
import math
import sys
import warnings
from typing import Any

import keras

from study_keras.formats.keras2 import structure as keras2

# Classes of Keras that run code, or open a file, which their config names.
_UNSAFE = {"Lambda", "TFSMLayer", "JaxLayer", "FlaxLayer", "TorchModuleWrapper", "__lambda__", "__typespec__"}
_VALUES = {"__keras_tensor__", "__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__slice__"}
_DEPTH, _SIZE = 100, 1_000_000
_LARGEST, _LARGEST_SHAPE = 2**24, 2**32  # of a layer's width, and of the elements of a shape
# The settings that make something large: these, and those whose names end so.
_SIZES = {
    "units",
    "filters",
    "num_heads",
    "depth_multiplier",
    "n",
    "num_tokens",
    "num_bins",
    "padding",
    "height",
    "width",
}
_SIZE_ENDS = ("shape", "size", "dim", "strides", "rate")
_CHOSEN_BY_SHAPE = {"accuracy", "acc", "crossentropy", "ce"}  # metrics that Keras picks when it sees the outputs
_COMPILE = ("optimizer", "loss", "loss_weights", "metrics", "weighted_metrics", "steps_per_execution")


def build(config: Any, custom_objects: dict[str, Any] | None = None, version: Any = None) -> keras.Model:
    """Return the model that a config of Keras 3 or Keras 2 describes, with fresh weights.

    Args:
        config: nested dicts, lists and plain values, as ``json.loads`` returns them.
        custom_objects: classes and functions from outside Keras that the config may name.
        version: of the Keras that wrote it, where the file says so beside the config.

    Raises:
        ValueError: the config is no model's, or names what is not of Keras nor in ``custom_objects``.
    """
    if not isinstance(config, dict) or "class_name" not in config:
        raise ValueError("expected a model's structure, an object with class_name and config")
    compile_config = config.get("compile_config")
    config = checked({**config, "compile_config": None}, custom_objects, version)
    try:
        with keras.saving.CustomObjectScope(custom_objects or {}):
            model = keras.saving.deserialize_keras_object(config, custom_objects, safe_mode=True)
    except Exception as error:  # Keras raises what it likes at a structure that does not fit together
        raise ValueError(f"Keras cannot build this structure: {reason(error)}") from error
    if not isinstance(model, keras.Model):
        raise ValueError(f"expected a model, found {type(model).__name__}")
    if isinstance(compile_config, dict):
        compile_as(model, compile_config, custom_objects)
    return model


def compile_as(model: keras.Model, config: Any, custom_objects: dict[str, Any] | None = None) -> None:
    """Compile ``model`` as a ``compile_config`` of ``.keras``, or a ``training_config`` of ``.h5``, says.

    A model answers without that. Where its loss, metric or optimizer is not of Keras nor in ``custom_objects``, or
    Keras has it no longer, the model stays uncompiled, and a UserWarning says so.
    """
    try:
        _compile(model, config, custom_objects)
    except ValueError as error:
        model.optimizer = None
        what = f"the model {model.name} is left uncompiled; call compile(...) before training it: {error}"
        warnings.warn(what, UserWarning, stacklevel=2)


def _compile(model: keras.Model, config: Any, custom_objects: dict[str, Any] | None) -> None:
    if not isinstance(config, dict):
        raise ValueError("the file says with no object of settings how to compile it")
    if "optimizer_config" in config:
        config["optimizer"] = config.pop("optimizer_config")
    metrics = config.get("metrics")
    if isinstance(metrics, list) and len(metrics) == 1 and isinstance(metrics[0], list):
        config["metrics"] = metrics[0]  # Keras 2 writes a list for each output, even for a single one
    settings = checked({key: config[key] for key in _COMPILE if config.get(key)}, custom_objects)
    try:
        with keras.saving.CustomObjectScope(custom_objects or {}):
            settings = keras.saving.deserialize_keras_object(settings, custom_objects, safe_mode=True)
            _check_names(settings)
            model.compile(**settings)
    except Exception as error:
        raise ValueError(f"Keras cannot compile as the file says: {reason(error)}") from error


def _check_names(settings: dict[str, Any]) -> None:
    """Have Keras look for each loss and metric that is named, which it would only do in training.

    Raises:
        ValueError: it knows none of that name.
    """
    places = {"loss": keras.losses, "metrics": keras.metrics, "weighted_metrics": keras.metrics}
    for key, place in places.items():
        for name in keras.tree.flatten(settings.get(key)):
            if isinstance(name, str) and name not in _CHOSEN_BY_SHAPE:
                place.get(name)


def checked(config: Any, custom_objects: dict[str, Any] | None = None, version: Any = None) -> Any:
    """Return ``config`` in the words of Keras 3, with nothing in it but Keras and ``custom_objects``.

    Args:
        config: of a model, or the settings to compile it with.
        custom_objects: classes and functions from outside Keras that it may name.
        version: of the Keras that wrote it, where the file says so beside the config.

    Raises:
        ValueError: it holds something else, or is deeper or larger than a model's.
    """
    config = _plain(config, 0, [0])
    config = keras2.restored(config) if keras2.is_keras2(config, version) else keras2.to_keras3(config)
    _check(config, custom_objects or {})
    return config


def parse(text: str | bytes) -> Any:
    """Return JSON as plain values.

    Raises:
        ValueError: it is no JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from error


def reason(error: BaseException) -> str:
    """Return the line of an error of Keras that says what is wrong; it stands last, after the config."""
    lines = str(error).rsplit("Exception encountered: ", 1)[-1].strip().splitlines()
    return next((line for line in lines if line.strip()), type(error).__name__)[:500]


def _plain(value: Any, depth: int, size: list[int], key: str = "") -> Any:
    """Return a copy without shared parts; what YAML writes small with aliases must not grow without end."""
    size[0] += 1
    if depth > _DEPTH or size[0] > _SIZE:
        raise ValueError(f"nested deeper than {_DEPTH} or more than {_SIZE:,} values; no model is")
    if isinstance(value, dict):
        if not all(isinstance(name, str) for name in value):
            raise ValueError("expected text for the names of a structure")
        return {name: _plain(item, depth + 1, size, name) for name, item in value.items()}
    if isinstance(value, list | tuple):
        if key.endswith(("shape", "size")):
            _check_size(math.prod(item for item in value if isinstance(item, int)), key, _LARGEST_SHAPE)
        return [_plain(item, depth + 1, size, key) for item in value]
    if isinstance(value, int):
        _check_size(value, key, _LARGEST)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise ValueError(f"found {type(value).__name__}; expected objects, lists, text, numbers, true, false or null")


def _check_size(value: int, key: str, largest: int) -> None:
    """Refuse a layer larger than any machine: JAX ends the whole process where a size overflows."""
    if abs(value) > largest and (key in _SIZES or key.endswith(_SIZE_ENDS)):
        raise ValueError(f"{key} is {value}; expected at most {largest:,}")


def _check(node: Any, custom: dict[str, Any]) -> None:
    if isinstance(node, list):
        for item in node:
            _check(item, custom)
    if not isinstance(node, dict):
        return
    if "class_name" in node:
        _check_object(node, custom)
    if isinstance(node.get("vocabulary"), str):
        raise ValueError(f"a vocabulary from the file {node['vocabulary']!r}; expected the words themselves")
    for item in node.values():
        _check(item, custom)


def _check_object(node: dict[str, Any], custom: dict[str, Any]) -> None:
    """Refuse a class or function that is neither of Keras nor given by the caller."""
    name, config = node["class_name"], node.get("config")
    if name == "function":
        if not isinstance(config, str) or (config not in custom and not _is_function(config)):
            raise ValueError(f"the function {config!r} is not of Keras; if you trust it, pass it in custom_objects")
        node.update(module="builtins", registered_name=config)
        return
    if not isinstance(name, str):
        raise ValueError(f"the class_name {name!r} is not text")
    if name in custom or str(node.get("registered_name")) in custom:
        return
    if name == "Lambda" and isinstance(config, dict):  # Keras' own layer around a function that the caller gave
        function = config.get("function")
        if isinstance(function, dict) and function.get("class_name") == "function" and function.get("config") in custom:
            return
    if name in _UNSAFE:
        raise ValueError(f"{name} could run code from the file; it is refused. Rebuild that part with Keras' layers")
    if name in _VALUES:
        return
    if not is_keras(node.get("module"), name):
        full = ".".join(str(part) for part in (node.get("module"), name) if part)
        raise ValueError(f"{full} is not a class of Keras; if you trust it, pass it in custom_objects")
    node["registered_name"] = None


def is_keras(module: Any, name: Any) -> bool:
    """Say whether ``module`` and ``name`` mean a building block of Keras that is safe to make."""
    if not isinstance(module, str) or not isinstance(name, str):
        return False
    if module.startswith("keras.src.ops."):  # an operation such as x + y has no public name
        found = vars(sys.modules[module]).get(name) if module in sys.modules else None
        return inspect.isclass(found) and issubclass(found, keras.Operation)
    if (module, name) == ("keras.src.models.functional", "Functional"):
        return True
    return module in keras2.PLACES and inspect.isclass(keras2.public(module, name))


def _is_function(name: str) -> bool:
    if name in ("get", "serialize", "deserialize"):
        return False
    return any(
        inspect.isfunction(getattr(place, name, None)) for place in (keras.activations, keras.losses, keras.metrics)
    )
