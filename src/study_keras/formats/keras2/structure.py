"""Converts the config of a Keras 2 model to that of Keras 3.

A config of Keras 3 stays unchanged. The rules are tested with files of ``tf_keras`` 2.21; those for older spellings
are untested, for lack of such files.
"""

import importlib
import inspect
import re
from typing import Any

import keras

from study_keras.formats.keras2 import graph as keras2_graph
from study_keras.formats.keras2 import meaning as keras2_meaning

# Key of a class without a module, as a pattern -> its module; the last is for layers.
_BY_KEY = {
    r".*initializer": "keras.initializers",
    r".*regularizer": "keras.regularizers",
    r".*constraint": "keras.constraints",
    r"dtype": "keras",
    r"(inner_)?optimizer(_config)?": "keras.optimizers",
    r"learning_rate|lr": "keras.optimizers.schedules",
    r"loss": "keras.losses",
    r"(weighted_)?metrics": "keras.metrics",
    r".*": "keras.layers",
}
PLACES = (*_BY_KEY.values(), "keras.dtype_policies", "keras.random", "keras.quantizers", "keras.models")
_CLASSES = (
    keras.Operation, keras.Initializer, keras.Regularizer, keras.constraints.Constraint, keras.Optimizer,
    keras.optimizers.schedules.LearningRateSchedule, keras.Loss, keras.Metric, keras.DTypePolicy, keras.Quantizer,
    keras.random.SeedGenerator,
)  # fmt: skip
_RENAMED = {"Model": "Functional", "Policy": "DTypePolicy", "PolicyV1": "DTypePolicy", "ThresholdedReLU": "ReLU"}
_RENAMED_KEYS = {
    ("LeakyReLU", "alpha"): "negative_slope",
    ("ReLU", "theta"): "threshold",
    ("InputLayer", "batch_input_shape"): "batch_shape",
}
# Settings that Keras 3 no longer accepts and on which no output depends.
_FORGOTTEN = {
    "batch_input_shape", "implementation", "input_length", "softmax_robust_masking", "query_shape", "key_shape",
    "value_shape", "jit_compile", "is_legacy_optimizer", "virtual_batch_size", "fused", "fn",
    "kernel_initializer", "kernel_regularizer", "kernel_constraint",  # of layers without a kernel
}  # fmt: skip
# Settings that Keras 3 no longer accepts -> the value without effect; Keras refuses any other.
_DEFAULTS = {"time_major": False, "decay": 0.0, "return_runtime": False, "groups": 1}


def is_keras2(config: Any, version: Any = None) -> bool:
    """Return whether a model's config is of Keras 2, where some settings have another meaning.

    Args:
        config: the model's; in Keras 2's JSON and YAML it contains the version.
        version: in the file beside the config, such as "2.15.0"; None where there is none. Keras 3 names a module.
    """
    told = config.get("keras_version") if isinstance(config, dict) else None
    version = told if isinstance(told, str) else version
    if isinstance(version, str) and (major := re.match(r"\d+", version)):
        return int(major[0]) < 3
    return not (isinstance(config, dict) and "module" in config)


def restored(config: Any) -> Any:
    """Return a model's config of Keras 2 as one of Keras 3 that computes the same."""
    return to_keras3(keras2_meaning.kept(config))


def to_keras3(node: Any, key: str = "layers") -> Any:
    """Return the config of a model, a layer, an optimizer, … of Keras 2 as Keras 3 would have written it.

    Args:
        node: plain values; not changed.
        key: of ``node`` in its parent; it distinguishes a layer from an initializer.
    """
    if isinstance(node, list):
        return [to_keras3(item, key) for item in node]
    if not isinstance(node, dict):
        return "softmax" if node == "softmax_v2" else node
    name, config = node.get("class_name"), node.get("config")
    if not isinstance(name, str) or "config" not in node or name == "function" or name.startswith("__"):
        return {inner: to_keras3(item, inner) for inner, item in node.items()}
    name = re.sub(r"^Custom>|(?<=[a-z])V[12]$", "", name) if public(_place(key), name) is None else name
    name = _RENAMED.get(name, name)
    if name == "Sequential":
        config = keras2_graph.sequential(config)
    if name == "Functional" and isinstance(config, dict):
        config = keras2_graph.functional(config)
    if isinstance(config, dict):
        config = _config(name, {inner: to_keras3(item, inner) for inner, item in config.items()}, key)
    module = _module(node.get("module"), name, config, key)
    others = {inner: to_keras3(item, inner) for inner, item in node.items() if inner not in ("config", "build_config")}
    build_config = node.get("build_config")
    if build_config and not (set(build_config) == {"input_shape"} and str(module).startswith("keras")):
        others["build_config"] = build_config  # else the layer's first call says the same, for all of its inputs
    return {**others, "module": module, "class_name": name, "config": config}


def public(module: str, name: str) -> Any:
    """Return the class of Keras at ``module.name``, or None."""
    found = getattr(importlib.import_module(module), name, None) if module in PLACES else None
    return found if inspect.isclass(found) and issubclass(found, _CLASSES) else None


def _place(key: str) -> str:
    return next(module for pattern, module in _BY_KEY.items() if re.fullmatch(pattern, key))


def _module(module: Any, name: str, config: Any, key: str) -> Any:
    """Return the public module of a class of Keras, which a file names without one or with Keras 2's."""
    if module is not None and not re.match(r"(tf_keras|tensorflow|keras)\b", str(module)):
        return module
    if str(module) in PLACES or str(module).startswith("keras.src.ops."):
        return module
    if name == "Functional":
        return "keras.src.models.functional"
    if module is None and _place(key) == "keras.layers" and isinstance(config, dict) and "dtype" not in config:
        operation = _operation(name)  # Keras 3 writes x + y to .h5 as "Add", like the layer, but without a dtype
        if operation and name != "InputLayer" and "trainable" not in config:
            return operation
    for place in (_place(key), "keras"):
        if public(place, name):
            return place
    return module


def _operation(name: str) -> str | None:
    for place in ("numpy", "math", "nn", "core", "image", "linalg"):
        module = f"keras.src.ops.{place}"
        found = getattr(importlib.import_module(module), name, None)
        if inspect.isclass(found) and issubclass(found, keras.Operation):
            return module
    return None


def _config(name: str, config: dict[str, Any], key: str) -> dict[str, Any]:
    """Rename, drop and rewrite the settings of one object."""
    config = {_RENAMED_KEYS.get((name, inner), inner): item for inner, item in config.items()}
    for inner in ("negative_slope", "threshold", "alpha"):
        if inner in config:
            config[inner] = keras2_meaning.number(config[inner])
    place = _place(key)
    if place == "keras.optimizers":
        config = _optimizer(config)
    if place == "keras.initializers":
        config.pop("dtype", None)
        if config.get("distribution") == "normal":
            config["distribution"] = "truncated_normal"
    if place == "keras.losses" and config.get("reduction") == "auto":
        config["reduction"] = "sum_over_batch_size"
    if place in ("keras.losses", "keras.metrics") and isinstance(config.get("fn"), str):
        function = {"module": "builtins", "class_name": "function", "registered_name": config["fn"]}
        config["fn"] = {**function, "config": config["fn"]}
    if name == "BatchNormalization" and isinstance(config.get("axis"), list) and len(config["axis"]) == 1:
        config["axis"] = config["axis"][0]
    known = public(place, name)
    if known is None:
        return config
    taken = inspect.signature(known.__init__).parameters
    return {
        inner: item
        for inner, item in config.items()
        if inner in taken or not (inner in _FORGOTTEN or (inner in _DEFAULTS and item == _DEFAULTS[inner]))
    }


def _optimizer(config: dict[str, Any]) -> dict[str, Any]:
    if "lr" in config:
        config["learning_rate"] = config.pop("lr")
    if config.get("decay"):  # each step divides the rate by 1 + decay * step
        rate, decay = config.pop("learning_rate", 0.01), config.pop("decay")
        schedule = {"initial_learning_rate": rate, "decay_steps": 1, "decay_rate": decay}
        module = "keras.optimizers.schedules"
        config["learning_rate"] = {"module": module, "class_name": "InverseTimeDecay", "config": schedule}
    return config
