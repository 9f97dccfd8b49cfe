"""Build a Keras model from a config, after checking it against a list of allowed classes: no config can run code."""

import inspect
import math
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from study_keras import limits, plain_text
from study_keras.formats import keras_internals
from study_keras.formats.keras2 import structure as keras2

# Keras classes whose config can contain code or the path of a file.
_UNSAFE = {"Lambda", "TFSMLayer", "JaxLayer", "FlaxLayer", "TorchModuleWrapper", "__lambda__", "__typespec__"}
_VALUES = {"__keras_tensor__", "__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__slice__"}
_DEPTH, _SIZE = 100, 1_000_000
_LARGEST, _LARGEST_SHAPE = 2**24, 2**32  # units of a layer; elements of a shape
# The settings that determine sizes: these, and those with one of the suffixes below.
_SIZES = {"depth_multiplier", "filters", "height", "n", "num_bins", "num_heads", "num_tokens", "padding", "units"}
_SIZE_ENDS = ("shape", "size", "dim", "strides", "rate", "width", "length", "bins", "tokens", "classes", "thresholds")
_SELECTED_BY_SHAPE = {"accuracy", "acc", "crossentropy", "ce"}  # metrics that Keras selects by the shape of the outputs
_COMPILE = ("optimizer", "loss", "loss_weights", "metrics", "weighted_metrics", "steps_per_execution")


def build_model(
    config: Any, custom_objects: dict[str, Any] | None = None, version: Any = None, stored: int | None = None
) -> keras.Model:
    """Return a model with new weights from a config of Keras 3 or Keras 2.

    Args:
        config: nested dicts, lists and plain values, as ``json.loads`` returns them.
        custom_objects: classes and functions outside Keras that the config may use.
        version: of the Keras that wrote the config, if it is known.
        stored: how many bytes of weights the file has, if it has weights.

    Raises:
        ValueError: the config is not that of a model, uses an object that is neither in Keras nor in
            ``custom_objects``, or has larger weights than the file or than a load may take.
    """
    if not isinstance(config, dict) or "class_name" not in config:
        raise ValueError("expected a model's structure, an object with class_name and config")
    compile_config = config.get("compile_config")
    config = check_config({**config, "compile_config": None}, custom_objects, version)
    try:
        with keras.saving.CustomObjectScope(custom_objects or {}), checked_weights(stored), np.errstate(all="ignore"):
            model = keras.saving.deserialize_keras_object(config, custom_objects, safe_mode=True)
    except Exception as error:  # Keras raises many types of exceptions for an inconsistent structure
        raise ValueError(f"Keras cannot build this structure: {error_summary(error)}") from error
    if not isinstance(model, keras.Model):
        raise ValueError(f"expected a model, found {type(model).__name__}")
    if isinstance(compile_config, dict):
        compile_model(model, compile_config, custom_objects)
    return model


@contextmanager
def checked_weights(stored: int | None) -> Iterator[None]:
    """Within the context, refuse to allocate more for weights than a file has, or than a load may take.

    Args:
        stored: how many bytes of weights the file has; None for a structure without weights.
    """
    largest, total = None if stored is None else 8 * stored + 2**26, 0  # int4 may be stored as bytes, float16 halves

    def check(size: int, what: str) -> None:
        nonlocal total
        total += size
        if largest is None:
            limits.take(size, what)
        elif total > largest:
            raise ValueError(f"{what} is larger than the file, which has {stored:,} bytes of weights")

    with keras_internals.checked_variables(check):
        yield


def compile_model(model: keras.Model, config: Any, custom_objects: dict[str, Any] | None = None) -> None:
    """Compile ``model`` with the ``compile_config`` of a ``.keras`` or the ``training_config`` of an ``.h5`` file.

    A model can predict without it. If the loss, a metric or the optimizer is neither in Keras nor in
    ``custom_objects``, the model stays uncompiled, and a UserWarning is issued.
    """
    try:
        _compile(model, config, custom_objects)
    except ValueError as error:
        model.optimizer = None
        what = f"the model {model.name} is left uncompiled; call compile(...) before training it: {error}"
        warnings.warn(plain_text.one_line(what), UserWarning, stacklevel=2)


def _compile(model: keras.Model, config: Any, custom_objects: dict[str, Any] | None) -> None:
    if not isinstance(config, dict):
        raise ValueError("the settings to compile it are not an object")
    if "optimizer_config" in config:
        config["optimizer"] = config.pop("optimizer_config")
    metrics = config.get("metrics")
    if isinstance(metrics, list) and len(metrics) == 1 and isinstance(metrics[0], list):
        config["metrics"] = metrics[0]  # Keras 2 writes a list per output, even for one output
    settings = check_config({key: config[key] for key in _COMPILE if config.get(key)}, custom_objects)
    try:
        with keras.saving.CustomObjectScope(custom_objects or {}):
            settings = keras.saving.deserialize_keras_object(settings, custom_objects, safe_mode=True)
            _check_names(settings)
            model.compile(**settings)
    except Exception as error:
        raise ValueError(f"Keras cannot compile it with the settings in the file: {error_summary(error)}") from error


def _check_names(settings: dict[str, Any]) -> None:
    """Check that Keras has each named loss and metric, which it would only do in training.

    Raises:
        ValueError: there is none of that name.
    """
    modules = {"loss": keras.losses, "metrics": keras.metrics, "weighted_metrics": keras.metrics}
    for key, module in modules.items():
        for name in keras.tree.flatten(settings.get(key)):
            if isinstance(name, str) and name not in _SELECTED_BY_SHAPE:
                module.get(name)


def check_config(config: Any, custom_objects: dict[str, Any] | None = None, version: Any = None) -> Any:
    """Return ``config`` in Keras 3's form, after checking that it uses only Keras and ``custom_objects``.

    Args:
        config: of a model, or the settings to compile it with.
        custom_objects: classes and functions outside Keras that it may use.
        version: of the Keras that wrote the config, if it is known.

    Raises:
        ValueError: it uses another object, or is nested too deep or too large.
    """
    config = _plain(config, 0, [0])
    try:
        config = keras2.restored(config) if keras2.is_keras2(config, version) else keras2.to_keras3(config)
    except (AttributeError, IndexError, KeyError, TypeError) as error:  # a list where Keras writes an object, and so on
        raise ValueError(f"not a config that Keras writes: {type(error).__name__}: {error}") from error
    _check(config, custom_objects or {})
    return config


def error_summary(error: BaseException) -> str:
    """Return the first line of the cause in an error of Keras, which follows the config in its message."""
    lines = str(error).rsplit("Exception encountered: ", 1)[-1].strip().splitlines()
    return plain_text.printable(next((line for line in lines if line.strip()), type(error).__name__)[:500])


def _plain(value: Any, depth: int, size: list[int], key: str = "") -> Any:
    """Return a copy without shared parts, and limit its size: a few YAML aliases can expand exponentially."""
    size[0] += 1
    if depth > _DEPTH or size[0] > _SIZE:
        raise ValueError(
            f"nested deeper than {_DEPTH} levels or more than {_SIZE:,} values; expected the config of a model"
        )
    if isinstance(value, dict):
        if not all(isinstance(name, str) for name in value):
            raise ValueError("expected strings as the keys of a config")
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
    """Refuse a layer too large for any machine: JAX aborts the process if a size overflows."""
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
        raise ValueError(f"a vocabulary in the file {node['vocabulary']!r}; expected a list of words")
    for item in node.values():
        _check(item, custom)


def _check_object(node: dict[str, Any], custom: dict[str, Any]) -> None:
    """Refuse a class or function that is neither in Keras nor given by the caller."""
    name, config = node["class_name"], node.get("config")
    if name == "function":
        if not isinstance(config, str) or (config not in custom and not _is_function(config)):
            raise ValueError(f"the function {config!r} is not in Keras; if you trust it, pass it in custom_objects")
        node.update(module="builtins", registered_name=config)
        return
    if not isinstance(name, str):
        raise ValueError(f"the class_name {name!r} is not text")
    if name in custom or str(node.get("registered_name")) in custom:
        return
    if name == "Lambda" and isinstance(config, dict):  # Keras' layer around a function that the caller gave
        function = config.get("function")
        named = isinstance(function, dict) and function.get("class_name") == "function" and function.get("config")
        if isinstance(named, str) and named in custom:
            return
    if name in _UNSAFE:
        raise ValueError(
            f"{name} could run code from the file and is refused; rebuild that part with other Keras layers"
        )
    if name in _VALUES:
        return
    if not is_keras(node.get("module"), name):
        full = ".".join(str(part) for part in (node.get("module"), name) if part)
        raise ValueError(
            f"{plain_text.printable(full)[:500]} is not a class of Keras; if you trust it, pass it in custom_objects"
        )
    node["registered_name"] = None


def is_keras(module: Any, name: Any) -> bool:
    """Return whether ``name`` in ``module`` is a class of Keras that is safe to create."""
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
