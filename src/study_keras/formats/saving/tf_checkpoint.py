"""Weights as a TensorFlow checkpoint, ``NAME.index`` and ``NAME.data-*``, in the layout of Keras 2.

The index and the names of the data files state the number of data files. ``tf_bundle`` uses that to replace a
checkpoint atomically.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras

from study_keras import files, limits
from study_keras.formats.saving import optimizer_state, tf_bundle, weights
from study_keras.formats.saving.tf_reader import Address, CheckpointReader
from study_keras.runtimes import checkpoint_sizes


def save_tf_checkpoint(model: keras.Model, path: str | Path) -> Path:
    """Write the weights of ``model`` and its optimizer state, so that Keras 2 can read them.

    Args:
        model: a Sequential or functional model, on any backend.
        path: ``NAME`` or ``NAME.index``.

    Returns:
        ``NAME``, as Keras 2 and ``tf.train.load_checkpoint`` take it.

    Raises:
        ValueError: the model has not been built, or a weight is no attribute of a layer.
        OSError: the files cannot be written. The old checkpoint is unchanged.
    """
    import tensorflow as tf

    path = _name(path)
    tree: dict[str, Any] = {}
    for address, _, variable in _addresses(model):
        _insert(tree, [names[0] for names in address], tf.Variable(weights.numpy(variable)))
    if not tree:
        raise ValueError(f"{path}: the model {model.name} has no weights to save")
    if getattr(model, "optimizer", None) is not None:
        tree["optimizer"] = _optimizer_tree(model.optimizer)
    with files.staging_folder(path) as folder:
        _to_trackable(tree).write(str(folder / "one"))
        tf_bundle.replace(path, folder)
    return path


@limits.reader
def load_tf_checkpoint(model: keras.Model, path: str | Path) -> None:
    """Load the weights of a checkpoint into ``model``, or change nothing if they do not fit.

    Reads checkpoints of ``save_tf_checkpoint``, of ``save_weights`` of Keras 2, and of
    ``tf.train.Checkpoint(model=model)`` of Keras 2 and Keras 3. Also loads the optimizer state if the checkpoint has
    one and it fits the model's optimizer.

    Raises:
        ValueError: the checkpoint is missing or broken, or its weights do not fit; the message names the first
            difference.
    """
    import tensorflow as tf
    from google.protobuf.message import DecodeError

    path = _name(path)
    if not Path(f"{path}.index").exists():
        raise ValueError(f"{path}.index: no such file; expected a TensorFlow checkpoint, NAME.index and NAME.data-*")
    try:
        checkpoint_sizes.check(path)
        stored = CheckpointReader(tf.train.load_checkpoint(str(path)))
        addresses = list(_addresses(model))
        root = stored.root([address for address, _, _ in addresses])
        nodes = [stored.node(root, address) for address, _, _ in addresses]
        keys = [stored.key(node) for node in nodes]
        stored.check_all_used(keys)
        matches = [
            weights.Match(layer, "/".join(names[0] for names in address[1:]), variable, stored.value(key))
            for (address, layer, variable), key in zip(addresses, keys, strict=True)
        ]
        places = {id(variable): node for (_, _, variable), node in zip(addresses, nodes, strict=True)}
        state = stored.optimizer(root, [places.get(id(variable)) for variable in model.trainable_variables])
        weights.assign(model, matches)
        optimizer_state.restore_optimizer(model, state)
    except (tf.errors.OpError, DecodeError, RuntimeError, IndexError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not a complete checkpoint of a Keras model: {error}") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


@limits.reader
def list_tf_checkpoint(path: str | Path) -> list[tuple[str, tuple[int, ...]]]:
    """Return the name and shape of each array in a checkpoint or a SavedModel folder.

    Raises:
        ValueError: the checkpoint is missing or broken.
    """
    import tensorflow as tf

    name = Path(path) / "variables" / "variables" if Path(path).is_dir() else _name(path)
    try:
        checkpoint_sizes.check(name)
        found = tf.train.list_variables(str(name))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error
    plain = {key.removesuffix("/.ATTRIBUTES/VARIABLE_VALUE"): tuple(shape) for key, shape in found}
    return [(name, shape) for name, shape in plain.items() if name != tf_bundle.GRAPH]


def _addresses(model: keras.Model) -> Iterator[tuple[Address, str, keras.Variable]]:
    """Yield the address of each weight, the name of its layer, and its variable."""
    seen: set[int] = set()
    for address, layer, variable in _in_model(model):
        if id(variable) not in seen:
            seen.add(id(variable))
            yield address, layer, variable
    if unnamed := [variable.path for variable in model.weights if id(variable) not in seen]:
        raise ValueError(f"a checkpoint has no name for the weight {unnamed[0]}; save as .weights.h5 instead")


def _in_model(model: keras.Model, above: Address = ()) -> Iterator[tuple[Address, str, keras.Variable]]:
    operations = [None, *model.layers] if isinstance(model, keras.Sequential) else list(model.operations)
    where = "_functional/_operations" if isinstance(model, keras.Sequential) else "_operations"
    for position, layer in enumerate(weights.weighted_layers(model)):
        names = (f"layer_with_weights-{position}", f"{where}/{operations.index(layer)}")
        yield from _in_layer(layer, (*above, names), layer.name)


def _in_layer(layer: Any, above: Address, name: str) -> Iterator[tuple[Address, str, keras.Variable]]:
    """Yield a layer's own weights by the names of its attributes, then those of its nested layers."""
    if isinstance(layer, keras.Model):
        yield from _in_model(layer, above)
        return
    own = {id(variable) for variable in layer.weights}
    for attribute, value in vars(layer).items():
        plain = attribute.lstrip("_")
        if isinstance(value, keras.Variable) and id(value) in own:
            depthwise = type(layer).__name__.startswith("DepthwiseConv") and plain == "kernel"
            old = "depthwise_kernel" if depthwise else plain
            yield (*above, (old, attribute, plain)), name, value
        elif isinstance(value, keras.layers.Layer) and value.weights:
            yield from _in_layer(value, (*above, (attribute, plain)), name)
        elif isinstance(value, list | tuple) and not attribute.startswith("_"):
            for position, item in enumerate(value):
                if isinstance(item, keras.layers.Layer) and item.weights:
                    yield from _in_layer(item, (*above, (attribute,), (str(position),)), name)


def _insert(tree: dict[str, Any], address: list[str], value: Any) -> None:
    for name in address[:-1]:
        tree = tree.setdefault(name, {})
    tree[address[-1]] = value


def _optimizer_tree(optimizer: keras.Optimizer) -> dict[str, Any]:
    """Return the optimizer's variables by Keras 2's names, which has the learning rate as a separate variable."""
    import tensorflow as tf

    values = [weights.numpy(variable) for variable in optimizer.variables]
    variables = [tf.Variable(value.astype("int64") if value.dtype.kind in "iu" else value) for value in values]
    tree = {"_iterations": variables[0]}  # int64 in Keras 2, int32 in Keras 3
    if optimizer_state.has_rate(optimizer):
        tree["_learning_rate"] = variables.pop(1)
    return {**tree, "_variables": {str(position): variable for position, variable in enumerate(variables)}}


def _to_trackable(tree: dict[str, Any]) -> Any:
    import tensorflow as tf

    return tf.train.Checkpoint(
        **{name: _to_trackable(item) if isinstance(item, dict) else item for name, item in tree.items()}
    )


def _name(path: str | Path) -> Path:
    """Return ``NAME`` for ``NAME``, ``NAME.index`` and ``NAME.data-00000-of-00001``."""
    path = Path(path)
    return path.with_name(re.sub(r"\.(index|data-\d{5}-of-\d{5})$", "", path.name))
