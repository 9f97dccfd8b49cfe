"""A TF.js layers model under construction: its layers, their names and weights."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Shape = tuple[Any, ...]  # with the batch size; None where a size is unknown


class Tensor(NamedTuple):
    """One output of one call of a TF.js layer."""

    layer: str
    call: int  # counted from 0
    output: int  # of the call, counted from 0
    shape: Shape
    masked: bool = False  # TF.js sends a mask along


@dataclass
class Topology:
    """The layers in order, their weights, and the names in use."""

    training: bool
    masks: bool  # whether a layer uses a mask
    layers: dict[str, dict[str, Any]] = field(default_factory=dict)
    weights: dict[str, Any] = field(default_factory=dict)  # "layer/weight" -> Keras variable
    names: dict[tuple[str, ...], str] = field(default_factory=dict)  # path in the Keras model -> name in TF.js
    shapes: dict[int, list[Shape]] = field(default_factory=dict)  # id of a layer -> its input shapes, at its first call

    def name(self, path: tuple[str, ...]) -> str:
        """Return a name that TF.js accepts and no other path has."""
        if path not in self.names:
            base = re.sub(r"[^A-Za-z0-9._-]", "_", "_".join(path))
            base = base if base[0].isalnum() and base[0].isascii() else f"layer{base}"
            name, number = base, 1
            while name in self.names.values():
                name, number = f"{base}_{number}", number + 1
            self.names[path] = name
        return self.names[path]

    def add_call(self, kind: str, path: tuple[str, ...], inputs: Sequence[Tensor], config: dict[str, Any]) -> str:
        """Add a call of a layer, and the layer itself at its first call; return its name."""
        name = self.name(path)
        described = {"class_name": kind, "name": name, "config": {"name": name, **config}, "inbound_nodes": []}
        layer = self.layers.setdefault(name, described)
        if inputs:
            layer["inbound_nodes"].append([[x.layer, x.call, x.output, {}] for x in inputs])
        return name
