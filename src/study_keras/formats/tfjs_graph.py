"""A TF.js layers model in the making: what the translations of ``tfjs_layers`` write to.

Nested models come out flat. TF.js passes the masks and initial states of one inner layer on to the next when
models are nested, so a flat graph is the only one that surely answers as Keras does.
"""

import inspect
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NoReturn

import keras
import numpy as np

Shape = tuple[Any, ...]  # whole numbers, None where the size is unknown; the batch first, always None
# TF.js hands a mask through these, from their only input to their output.
PASSES_MASK = {
    "Activation", "AlphaDropout", "BatchNormalization", "Dense", "Dropout", "GaussianDropout",
    "GaussianNoise", "LayerNormalization", "SpatialDropout1D",
}  # fmt: skip
ELEMENTWISE = {"Add", "Average", "Maximum", "Minimum", "Multiply"}  # the same with and without a time axis
MERGES = {*ELEMENTWISE, "Concatenate", "Dot"}
# These options have no influence on the answers of a trained model.
TRAINING_OPTIONS = re.compile(
    "name|trainable|dtype|seed|weights|batch_shape|synchronized|use_cudnn|unroll|activity_regularizer|momentum"
    "|(recurrent_)?dropout|unit_forget_bias|.*_(initializer|regularizer|constraint)"
)


class Tensor(NamedTuple):
    """One output of one call of a TF.js layer."""

    layer: str
    call: int  # counted from 0
    output: int  # of the call, counted from 0
    shape: Shape
    integer: bool = False
    mask: bool = False  # TF.js sends a mask along


@dataclass
class Graph:
    """The layers in order, their weights, and what is needed to keep names unique and masks honest."""

    training: bool
    layers: dict[str, dict[str, Any]] = field(default_factory=dict)
    weights: dict[str, Any] = field(default_factory=dict)  # "layer/weight" -> Keras variable or array
    names: dict[str, str] = field(default_factory=dict)  # path in the Keras model -> name of the TF.js layer
    recurrent: set[tuple[str, bool]] = field(default_factory=set)  # (layer, does it get a mask)
    merged_masks: set[str] = field(default_factory=set)
    each_step: bool = False  # inside TimeDistributed

    def name(self, path: str) -> str:
        """Return a name that TF.js accepts and no other path has."""
        if path not in self.names:
            base = re.sub(r"[^A-Za-z0-9._-]", "_", path)
            base = base if base[0].isalnum() and base[0].isascii() else f"layer{base}"
            name, number = base, 1
            while name in self.names.values():
                name, number = f"{base}_{number}", number + 1
            self.names[path] = name
        return self.names[path]

    def add(
        self, class_name: str, path: str, inputs: Sequence[Tensor], config: dict[str, Any]
    ) -> tuple[str, int, bool]:
        """Call the TF.js layer of ``path``, made at its first call; return name, call and mask."""
        name = self.name(path)
        if self.each_step and class_name not in ELEMENTWISE:
            inner = {"class_name": class_name, "config": {"name": f"{name}_step", **config}}
            class_name, config = "TimeDistributed", {"layer": inner}
        layer = self.layers.setdefault(
            name,
            {"class_name": class_name, "name": name, "config": {"name": name, **config}, "inbound_nodes": []},
        )
        if inputs:
            layer["inbound_nodes"].append([[x.layer, x.call, x.output, {}] for x in inputs])
        masked = any(x.mask for x in inputs)
        if masked and class_name in MERGES:
            self.merged_masks.add(name)
        mask = class_name == "Masking" or config.get("mask_zero", False) or (masked and class_name in PASSES_MASK)
        return name, max(len(layer["inbound_nodes"]) - 1, 0), mask


@dataclass
class Call:
    """One call of one Keras layer or operation, waiting to be said in TF.js."""

    graph: Graph
    layer: Any  # keras.Layer or keras.Operation
    path: str
    config: dict[str, Any]
    inputs: list[Tensor]
    shapes: list[Shape]  # of the outputs, as Keras has them
    args: tuple[Any, ...] = ()  # all positional arguments, with Tensor for each Keras tensor
    masked: bool = False  # Keras gives it a mask
    used: set[int] = field(default_factory=set)  # ids of the Keras variables that have been written
    said: int = 0
    named: bool = False

    @property
    def kind(self) -> str:
        return type(self.layer).__name__

    @property
    def x(self) -> Tensor:
        return self.inputs[0]

    @property
    def shape(self) -> Shape:
        return self.shapes[0]

    def refuse(self, what: str, instead: str) -> NoReturn:
        """Raise the one error of the exporter: the layer, what it has, and what to use instead."""
        raise ValueError(f"{self.kind} {self.path!r}: TF.js has no {what}; {instead}")

    def take(self, *names: str) -> dict[str, Any]:
        """Return the named options; refuse each other one that could change an answer."""
        for name, default in _defaults(self.layer).items():
            if name in names or TRAINING_OPTIONS.fullmatch(name):
                continue
            value = self.config.get(name, "unknown")
            if _plain(value) not in (_plain(default), None, False):
                self.refuse(f"{self.kind} with {name}={value!r}", f"leave {name} at {default!r}")
        return {name: self.config[name] for name in names if name in self.config}

    def variable(self, name: str) -> Any:
        """Return the layer's variable of that name, or None; it counts as written."""
        value = getattr(self.layer, name, None)
        if value is not None:
            self.used.add(id(value))
        return value

    def say(
        self,
        class_name: str,
        inputs: Tensor | Sequence[Tensor],
        shape: Sequence[Any] | None = None,
        weights: dict[str, Any] | None = None,
        **config: Any,
    ) -> Tensor:
        """Add a TF.js layer that answers for (a part of) this Keras layer, and return its output.

        Args:
            class_name: the class in TF.js.
            inputs: one tensor or several.
            shape: of the output; that of the first input where it is left out.
            weights: by their TF.js names. A Keras variable stays as it is; an array is a weight that the
                exporter made, and cannot be trained further.
            config: the options, in Keras 2's spelling.
        """
        inputs = [inputs] if isinstance(inputs, Tensor) else list(inputs)
        if self.graph.each_step and len(inputs) > 1 and class_name not in ELEMENTWISE:
            self.refuse(f"TimeDistributed of a {class_name} of several inputs", "do it outside of TimeDistributed")
        made = any(isinstance(value, np.ndarray) for value in (weights or {}).values())
        if made and self.graph.training and getattr(self.layer, "trainable_weights", None):
            self.refuse("form of it with the same weights", "export without training=True")
        own = not self.named and (bool(weights) or class_name == self.kind)  # keep the name that people look for
        path = self.path if own else f"{self.path}_{self.said}"
        self.said, self.named = self.said + 1, self.named or own
        trainable = bool(getattr(self.layer, "trainable", True)) and not made
        config = {"trainable": trainable, **config} if weights else config
        name, call, mask = self.graph.add(class_name, path, inputs, {k: _plain(v) for k, v in config.items()})
        for weight, value in (weights or {}).items():
            if value is not None:
                self.graph.weights[f"{name}/{weight}"] = value
        return Tensor(name, call, 0, tuple(inputs[0].shape if shape is None else shape), mask=mask)


def read_config(layer: Any) -> dict[str, Any]:
    """Return the constructor's arguments of a layer or operation, as far as it keeps them.

    ``layer.get_config()`` would import TensorFlow, for seconds, on any backend.
    """
    names = [*_defaults(layer), "zero_output_for_mask"]
    return {name: _activation_name(getattr(layer, name)) for name in names if hasattr(layer, name)}


def _defaults(layer: Any) -> dict[str, Any]:
    parameters = inspect.signature(type(layer).__init__).parameters.values()
    return {
        parameter.name: parameter.default
        for parameter in parameters
        if parameter.name != "self" and parameter.kind is not inspect.Parameter.VAR_KEYWORD
    }


def _activation_name(value: Any) -> Any:
    """Return the name of one of Keras' activations, and anything else as it is."""
    name = getattr(value, "__name__", "")
    return name if name and getattr(keras.activations, name, None) is value else value


def _plain(value: Any) -> Any:
    """Return ``value`` in the types of JSON, so that (1, 1) equals [1, 1]."""
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value.item() if isinstance(value, np.generic) else value
