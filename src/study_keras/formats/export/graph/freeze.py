"""Traces a Keras model and freezes it: one TensorFlow graph without variables, from which all exporters start."""

import math
import re
from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from study_keras.formats import inference
from study_keras.formats.export.graph.frozen import LARGE, Frozen, Port, all_nodes, optimize, owner
from study_keras.formats.export.graph.tracing import names_of_tensorflow, traceable
from study_keras.formats.keras_internals import all_layers, as_float32
from study_keras.startup import quiet, silence_output


def freeze(model: keras.Model, *, batch: int | None = None, lower: bool = False) -> Frozen:
    """Trace ``model`` for inference, in float32.

    Small weights become constants of the graph. Large ones become placeholders, because the graph is copied often.

    Args:
        model: a built model on the TensorFlow backend; a subclassed one must have been called.
        batch: the batch size; None for a dynamic one.
        lower: whether loops and branches become Enter, Switch, Merge and so on; otherwise they stay ``While`` and
            ``If`` with functions.

    Raises:
        ValueError: the model was never built, keeps a state between calls, or has random outputs.
    """
    large = _large_weights(model)
    function = _trace(model, batch, large)
    with quiet(), silence_output(2):  # grappler logs the number of devices
        frozen = convert_variables_to_constants_v2(function, lower_control_flow=lower, aggressive_inlining=True)
    names = inference.input_names(model)
    inputs = tuple(map(_port, frozen.inputs[: len(names)], names))
    outputs = tuple(map(_port, frozen.outputs, inference.output_names(model)))
    graph_def = frozen.graph.as_graph_def()
    _inline_xla(graph_def)
    nodes = [port.tensor.partition(":")[0] for port in outputs]
    with quiet():
        needed = tf.compat.v1.graph_util.extract_sub_graph(graph_def, nodes)
    _check_not_random(model, needed)  # before constant folding, which would draw the numbers
    return optimize(Frozen(graph_def, inputs, outputs, large))


def _trace(model: keras.Model, batch: int | None, large: Mapping[str, Any]) -> Any:
    """Return ``model`` as a concrete function of its inputs and its large weights."""
    _check_stateless(model)
    specs, names = inference.input_specs(model, batch), inference.input_names(model)
    pairs = zip(keras.tree.flatten(specs), names, strict=True)
    flat = [tf.TensorSpec(spec.shape, spec.dtype, name=name) for spec, name in pairs]
    flat += [tf.TensorSpec(value.shape, value.dtype, name=name) for name, value in large.items()]
    changed: list[str] = []

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def call(*tensors: Any) -> list[Any]:
        inputs, weights = tensors[: len(names)], tensors[len(names) :]
        given = list(zip(large.values(), weights, strict=True))
        with keras.StatelessScope(given) as scope:
            outputs = keras.tree.flatten(model(keras.tree.pack_sequence_as(specs, inputs), training=False))
        values = {id(variable): weight for variable, weight in given}
        kept = [variable for variable in model.variables if variable.name != "seed_generator_state"]
        changed.extend(v.path for v in kept if scope.get_current_value(v) is not values.get(id(v)))
        pairs = zip(outputs, inference.output_names(model), strict=True)
        return [tf.identity(output, name=name) for output, name in pairs]

    try:
        with quiet(), as_float32(model), names_of_tensorflow(model), traceable(model):
            function = call.get_concrete_function(*flat)
    except Exception as error:  # Keras and TensorFlow raise errors of many classes
        raise ValueError(f"TensorFlow cannot trace the model {model.name!r}: {_reason(error)}") from error
    if changed:
        raise ValueError(f"the variable {changed[0]!r} changes at inference, which a file for inference cannot do")
    return function


def _large_weights(model: keras.Model) -> dict[str, Any]:
    """Return the variables that become placeholders, by name.

    Those of recurrent layers do not: in a loop a placeholder loses its shape.
    """
    recurrent = [layer for layer in all_layers(model) if hasattr(layer, "return_sequences")]
    inside = {id(variable) for layer in recurrent for variable in layer.variables}
    large = [v for v in model.variables if math.prod(v.shape) >= LARGE and id(v) not in inside]
    return {f"weight_{index}": variable for index, variable in enumerate(large)}


def _check_stateless(model: keras.Model) -> None:
    """Refuse a model whose output depends on earlier calls."""
    for layer in all_layers(model):
        if getattr(layer, "stateful", False):
            raise ValueError(
                f"{type(layer).__name__} {layer.name!r} keeps its state between calls (stateful=True), which no file "
                "for inference can; rebuild it with stateful=False and pass the states as inputs"
            )


def _check_not_random(model: keras.Model, graph_def: Any) -> None:
    """Refuse a model that draws random numbers at inference."""
    for node in all_nodes(graph_def):
        if re.match("(Stateless)?(Random|TruncatedNormal|ParameterizedTruncatedNormal|Multinomial)", node.op):
            raise ValueError(
                f"{owner(model, node.name)} draws random numbers at inference; no file could give the same outputs"
            )


def _port(tensor: Any, name: str) -> Port:
    shape = tensor.shape
    return Port(name, tensor.name, tensor.dtype.name, tuple(shape.as_list()) if shape.rank is not None else ())


def _inline_xla(graph_def: Any) -> None:
    """Let grappler inline the parts that Keras compiles with XLA, such as a grouped convolution; they are stateless."""
    for node in all_nodes(graph_def):
        node.attr.pop("_XlaMustCompile", None)
        if node.op == "StatefulPartitionedCall":
            node.op = "PartitionedCall"
    for function in graph_def.library.function:
        function.attr.pop("_XlaMustCompile", None)
        function.signature.is_stateful = False


def _reason(error: Exception) -> str:
    """Return the line of Keras' error message that says what is wrong, and the layer that it names."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    named = re.match(r"Exception encountered when calling (.+\.call\(\))", lines[0])
    said = re.sub(r"\x1b\[\dm", "", lines[1] if named and len(lines) > 1 else lines[0])[:300]
    return f"{named[1]}: {said}" if named else said
