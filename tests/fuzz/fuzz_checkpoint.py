"""Writes a TensorFlow checkpoint anew with one change, so that the checksums in it are right."""

import random
from pathlib import Path

import fuzz_protobuf
import numpy as np
import tensorflow as tf

GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"


def change_checkpoint(path: Path, rng: random.Random) -> None:
    """Change the object graph, or the name, dtype, shape or presence of a tensor."""
    reader = tf.train.load_checkpoint(str(path))
    tensors = {name: reader.get_tensor(name) for name in sorted(reader.get_variable_to_shape_map())}
    name = rng.choice([GRAPH, GRAPH, *tensors])
    if name == GRAPH:
        graph = tensors[GRAPH]
        for _ in range(rng.choice((1, 1, 3))):
            graph = fuzz_protobuf.change(graph, rng, "/x")
        tensors[GRAPH] = rng.choice((graph, graph, graph, graph, np.array([graph]), np.zeros(3, "f4")))
    else:
        value = np.asarray(tensors.pop(name))
        match rng.randrange(4):
            case 0:
                tensors[name] = value.astype(
                    rng.choice(("f8", "i8", "f2", "?", "c8")) if value.dtype != object else object
                )
            case 1:
                tensors[name] = rng.choice((value.reshape(-1), value[None], np.array([b"text"]), np.zeros(0, "f4")))
            case 2:
                tensors[
                    rng.choice(("x", "é", name + "x", "layer_with_weights-9/kernel/.ATTRIBUTES/VARIABLE_VALUE"))
                ] = value
    arrays = [tf.constant(value) for value in tensors.values()]
    tf.raw_ops.SaveV2(
        prefix=str(path), tensor_names=list(tensors), shape_and_slices=[""] * len(tensors), tensors=arrays
    )
