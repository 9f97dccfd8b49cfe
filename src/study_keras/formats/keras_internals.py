"""The private parts of Keras that the exporters and readers use: when Keras is upgraded, check this file.

Written for Keras 3.15.
"""

import math
import re
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import keras

from study_keras import files

_BUILDING, _SAVING = threading.RLock(), threading.Lock()


@contextmanager
def checked_variables(check: Callable[[int, str], None]) -> Iterator[None]:
    """Within the context ``check`` is called before each variable is allocated, with its bytes and what it is."""
    original = keras.Variable._initialize_with_initializer

    def initialize(variable: Any, initializer: Any) -> None:
        bits = re.search(r"\d+", str(variable.dtype))
        size = math.prod(variable.shape) * max(1, int(bits[0]) // 8 if bits else 1)
        check(size, f"the weight {variable.path} of shape {tuple(variable.shape)}")
        original(variable, initializer)

    with _BUILDING, attribute(keras.Variable, "_initialize_with_initializer", initialize):
        yield


def all_layers(model: Any) -> list[Any]:
    """Return the model itself, its layers, their layers, and so on."""
    return list(model._flatten_layers(include_self=True, recursive=True))


def calls(model: keras.Model) -> list[Any]:
    """Return the calls of layers in a functional or Sequential model, each after those whose outputs it takes.

    Returns:
        Objects with ``operation`` (the layer), ``arguments`` (``args``, ``kwargs``, ``keras_tensors``) and ``outputs``.
    """
    model = keras.Model(model.inputs, model.outputs) if isinstance(model, keras.Sequential) else model
    depths = sorted(model._nodes_by_depth, reverse=True)
    return [node for depth in depths for node in model._nodes_by_depth[depth] if not node.is_input]


def calls_of(layer: Any) -> list[Any]:
    """Return the calls of one layer, in all models."""
    return list(layer._inbound_nodes)


def producer(tensor: Any) -> Any:
    """Return the layer that a symbolic tensor is an output of."""
    return tensor._keras_history.operation


def mask_of(tensor: Any) -> Any:
    """Return the mask that Keras sends along with a symbolic tensor, or None."""
    return getattr(tensor, "_keras_mask", None)


def takes_dict(model: keras.Model) -> bool:
    """Return whether a functional model takes its inputs as a dict."""
    return isinstance(getattr(model, "_inputs_struct", None), dict)


def call_takes(layer: keras.layers.Layer, argument: str) -> bool:
    """Return whether ``layer.call`` has the argument ``"training"`` or ``"mask"``."""
    return bool(getattr(layer, f"_call_has_{argument}_arg"))


def numpy_operation(name: str) -> Any:
    """Return the class of an operation such as ``Add``, which ``x + y`` of two symbolic tensors makes."""
    return getattr(keras.src.ops.numpy, name)


def patch_tf2onnx() -> None:
    """Make tf2onnx work with the installed NumPy, as ``model.export`` does."""
    from keras.src.export import tf2onnx_lib

    tf2onnx_lib.patch_tf2onnx()


def save_hdf5(model: keras.Model, file: Any) -> None:
    """Write the entire model to an open ``h5py.File``, as ``model.save("model.h5")`` does to a path."""
    from keras.src.legacy.saving import legacy_h5_format

    legacy_h5_format.save_model_to_hdf5(model, file)


def save_zip(model: keras.Model, file: Any) -> None:
    """Write the entire model to an open file, as ``model.save("model.keras")`` does to a path.

    Keras keeps a folder for assets meanwhile; here it lies in one that is removed also if a signal ends the command.
    """
    from keras.src.saving import saving_lib

    with ExitStack() as stack:
        stack.enter_context(_SAVING)
        folder = stack.enter_context(files.temporary_folder())
        stack.enter_context(attribute(saving_lib, "get_temp_dir", partial(tempfile.mkdtemp, dir=folder)))
        saving_lib.save_model(model, file)


@contextmanager
def as_float32(model: keras.Model) -> Iterator[None]:
    """Within the context all layers with a mixed or half-precision policy compute in float32."""
    with ExitStack() as stack:
        for layer in all_layers(model):
            policy = layer.dtype_policy
            if type(policy) is keras.DTypePolicy and policy.compute_dtype in ("float16", "bfloat16"):
                stack.enter_context(attribute(layer, "dtype_policy", "float32"))
        yield


@contextmanager
def attribute(layer: Any, name: str, value: Any) -> Iterator[None]:
    """Within the context ``layer`` has another value of an attribute, property or method."""
    assignable = name in vars(layer) or isinstance(getattr(type(layer), name, None), property)
    before = getattr(layer, name)
    setattr(layer, name, value)
    try:
        yield
    finally:
        if assignable:
            setattr(layer, name, before)
        else:
            delattr(layer, name)
