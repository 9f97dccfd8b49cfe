"""Converts a Keras model to the content of a ``.tflite`` file, with TensorFlow's converter."""

import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2
from tensorflow.lite.python import lite

from study_keras.files import temporary_folder
from study_keras.formats.export.graph.freeze import freeze
from study_keras.formats.export.graph.frozen import Frozen, Port, lacks
from study_keras.formats.export.graph.weights import with_weights
from study_keras.formats.export.litert_operations import has_loops, to_litert_operations
from study_keras.startup import quiet, silence_output


def to_litert(model: keras.Model, quantize: str | None, images: list[Any] | None, batch: int | None) -> bytes:
    """Return the content of the file, with batch size 1 where LiteRT cannot have a dynamic one.

    Args:
        quantize, images, batch: as ``export_litert``; ``images`` one array per input.

    Raises:
        ValueError: LiteRT lacks an operation of the model.
    """
    frozen = to_litert_operations(freeze(model, batch=batch), model)
    dynamic = batch is None and all(port.shape[:1] == (None,) for port in frozen.inputs)
    if not (dynamic and has_loops(frozen)):
        try:
            return _convert(frozen, model, quantize, images, batch or 1)
        except ValueError:
            if not dynamic:
                raise
    return _convert(to_litert_operations(freeze(model, batch=1), model), model, quantize, images, 1)


def _convert(frozen: Frozen, model: keras.Model, quantize: str | None, images: list[Any] | None, batch: int) -> bytes:
    names = [port.name for port in frozen.inputs]
    with temporary_folder() as folder, warnings.catch_warnings(), quiet(), silence_output(2):
        warnings.simplefilter("ignore", UserWarning)  # TensorFlow deprecates the interpreter that it calibrates with
        Path(folder, "saved_model.pb").write_bytes(_saved_model(with_weights(frozen)))
        try:
            # from_saved_model would load the graph once more, to keep variables alive that it does not have.
            converter = lite.TFLiteSavedModelConverterV2(str(folder), {"serve"}, ["serving_default"])
            operations = tf.lite.OpsSet.TFLITE_BUILTINS_INT8 if quantize == "int8" else tf.lite.OpsSet.TFLITE_BUILTINS
            converter.target_spec.supported_ops = [operations]
            if quantize:
                converter.optimizations = [tf.lite.Optimize.DEFAULT]
            if quantize == "float16":
                converter.target_spec.supported_types = [tf.float16]
            if images is not None:
                converter.representative_dataset = lambda: _batches(names, images, batch)
            content: bytes = converter.convert()
        except Exception as error:  # TensorFlow raises errors of many classes
            raise _refusal(error, model) from error
    return content


def _saved_model(frozen: Frozen) -> bytes:
    """Return the content of a ``saved_model.pb`` whose signature names the inputs and outputs of ``frozen``."""

    def described(port: Port, shape: Any) -> Any:
        dtype = tf.as_dtype(port.dtype).as_datatype_enum
        return meta_graph_pb2.TensorInfo(name=port.tensor, dtype=dtype, tensor_shape=tf.TensorShape(shape).as_proto())

    inputs = {port.name: described(port, port.shape) for port in frozen.inputs}
    outputs = {port.name: described(port, None) for port in frozen.outputs}  # the graph has the shapes
    model = saved_model_pb2.SavedModel(saved_model_schema_version=1)
    graph = model.meta_graphs.add(graph_def=frozen.graph_def)
    graph.meta_info_def.tags.append("serve")
    signature = meta_graph_pb2.SignatureDef(inputs=inputs, outputs=outputs, method_name="tensorflow/serving/predict")
    graph.signature_def["serving_default"].CopyFrom(signature)
    return model.SerializeToString()


def _batches(names: Sequence[str], images: list[Any], batch: int) -> Iterator[dict[str, Any]]:
    for start in range(len(images[0]) - batch + 1):
        yield {name: array[start : start + batch] for name, array in zip(names, images, strict=True)}


def _refusal(error: Exception, model: keras.Model) -> ValueError:
    """Return the converter's error with the operation that LiteRT lacks, and its layer, where it names one."""
    words = str(error)
    located = r'loc\(fused\["\w+:", "([^"]+)"\]\): \'tf\.(\w+)\' op'
    if found := re.findall(located + " is neither a custom op nor a flex op", words) or re.findall(located, words):
        name, operation = found[0]
        return lacks(model, name, operation, "LiteRT")
    plain = re.sub(r"<unknown>:0: |(error: )?loc\(.*?\)\)?: ", "", words or type(error).__name__).splitlines()[0]
    return ValueError(f"LiteRT's converter cannot express the model {model.name!r}: {plain[:200]}")
