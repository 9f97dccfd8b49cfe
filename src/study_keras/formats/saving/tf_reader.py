"""Reads a TensorFlow checkpoint by its object graph instead of the names of its tensors."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from study_keras.formats.saving import tf_bundle

Address = tuple[tuple[str, ...], ...]  # the path to a weight; for each step its possible names, Keras 2's first
# Variables below a layer in a checkpoint that are not weights of the model.
_NOT_WEIGHTS = ("seed_generator", "/count/", "/keras_api/", "/states/", "optimizer/", ".OPTIMIZER_SLOT")
# The slots of a weight in the optimizers before Keras 2.11, in the order of Keras 3.
_SLOTS = (("m", "v"), ("momentum",), ("rms",), ("accumulator",))


class CheckpointReader:
    """The tensors of a checkpoint, and its object graph."""

    def __init__(self, reader: Any) -> None:
        from tensorflow.core.protobuf import trackable_object_graph_pb2

        self.reader = reader
        if not reader.has_tensor(tf_bundle.GRAPH):
            raise ValueError(
                "a name-based checkpoint of TensorFlow 1; expected an object-based one, as Keras writes it"
            )
        graph = reader.get_tensor(tf_bundle.GRAPH)
        if not isinstance(graph, bytes):
            raise ValueError(f"the object graph is {type(graph).__name__}, expected bytes")
        self.nodes = trackable_object_graph_pb2.TrackableObjectGraph.FromString(graph).nodes

    def child(self, node: int | None, path: str) -> int | None:
        for name in path.split("/"):
            children = {} if node is None else {each.local_name: each.node_id for each in self.nodes[node].children}
            node = children.get(name)
        return node

    def root(self, addresses: list[Address]) -> int:
        """Return the model's node: the root, or a child of it, as in ``Checkpoint(model=model)``."""
        for node in [0, *(each.node_id for each in self.nodes[0].children)]:
            if any(self.child(node, name) is not None for address in addresses[:1] for name in address[0]):
                return node
        return 0

    def node(self, node: int | None, address: Address) -> int | None:
        """Return the node at ``address`` below ``node``, or None."""
        for names in address:
            found = [self.child(node, name) for name in names]
            node = next((each for each in found if each is not None), None)
        return node

    def key(self, node: int | None) -> str | None:
        """Return the name of the tensor of ``node``, or None."""
        attributes = [] if node is None else self.nodes[node].attributes
        return next((each.checkpoint_key for each in attributes if self.reader.has_tensor(each.checkpoint_key)), None)

    def check_all_used(self, keys: list[str | None]) -> None:
        """Refuse a checkpoint that has more layers than the model."""
        left = sorted(
            key
            for key in self.reader.get_variable_to_shape_map().keys() - set(keys)
            if key.endswith("/VARIABLE_VALUE")  # before TF 1.14 the graph also contained each layer's config
            and ("layer_with_weights-" in key or "_operations/" in key)
            and not any(word in key for word in _NOT_WEIGHTS)
        )
        if left and None not in keys:
            raise ValueError(f"the checkpoint has weights that the model lacks: {', '.join(left[:5])}")

    def value(self, key: str | None) -> Any:
        return None if key is None else np.asarray(self.reader.get_tensor(key))

    def optimizer(self, root: int, trained: Sequence[int | None]) -> list[np.ndarray]:
        """Return the optimizer's arrays in Keras 3's order, or an empty list.

        Args:
            root: the model's node.
            trained: the nodes of the model's trainable weights, in order.
        """
        optimizer = self.child(root, "optimizer")
        optimizer = self.child(0, "optimizer") if optimizer is None else optimizer
        variables, rate = self.child(optimizer, "_variables"), self.child(optimizer, "_learning_rate")
        if optimizer is not None and variables is None:
            return self._legacy_optimizer(optimizer, trained)
        if variables is None:
            return []
        places = {
            int(each.local_name): each.node_id for each in self.nodes[variables].children if each.local_name.isdigit()
        }
        order = [places[position] for position in sorted(places)]
        if rate is not None and rate not in order:  # a separate variable in Keras 2
            order.insert(1, rate)
        return [self.value(self.key(node)) for node in order]

    def _legacy_optimizer(self, optimizer: int, trained: Sequence[int | None]) -> list[np.ndarray]:
        """Return the arrays of an optimizer before Keras 2.11, which stored its slots with the weights."""
        slots = {
            (each.original_variable_node_id, each.slot_name): each.slot_variable_node_id
            for each in self.nodes[optimizer].slot_variables
        }
        names = next((names for names in _SLOTS if set(names) == {name for _, name in slots}), ())
        order = [self.child(optimizer, "iter"), self.child(optimizer, "learning_rate")]
        order += [slots.get((node, name)) for node in trained if node is not None for name in names]
        found = [self.value(self.key(node)) for node in order]
        return [] if any(value is None for value in found) else found
