"""From a Keras 3 model to the topology that TF.js reads, by walking the calls of its layers."""

from collections.abc import Sequence
from typing import Any

import keras

from study_keras.formats.tfjs_graph import Call, Graph, Tensor, read_config
from study_keras.formats.tfjs_layers import LAYERS
from study_keras.formats.tfjs_ops import OPS

# What may receive whole numbers; every other layer of TF.js wants floats.
TAKES_INTEGERS = {
    "Cast", "CategoryEncoding", "Concatenate", "Embedding", "ExpandDims", "Flatten", "Identity",
    "Normalization", "Permute", "RepeatVector", "Rescaling", "Reshape", "Squeeze", "Transpose",
}  # fmt: skip
USES_MASK = {"Bidirectional", "ConvLSTM1D", "ConvLSTM2D", "GRU", "LSTM", "RNN", "SimpleRNN"}
MASK = Tensor("", 0, 0, ())  # a mask as Keras has it; TF.js makes its own


def translate_model(model: keras.Model, training: bool = False) -> tuple[dict[str, Any], dict[str, Any]]:
    """Say a whole model in TF.js.

    Args:
        model: a built Sequential or functional model.
        training: refuse what TF.js could run but not train.

    Returns:
        The topology (``model_config``), and the weights as {"layer/weight": Keras variable or array}.

    Raises:
        ValueError: the model, a layer or an option that TF.js cannot answer for.
    """
    _check_model(model)
    graph = Graph(training)
    for operation in _as_graph(model).operations:  # the layers at the top keep their names, whatever lies within others
        graph.name(operation.name)
    inputs = [_input(graph, x) for x in model.inputs]
    outputs: list[Tensor] = []
    for x in _translate(graph, model, inputs, ""):
        outputs.append(_output(graph, x, outputs))
    _check_masks(graph)
    config = {
        "name": graph.name(model.name),
        "trainable": True,
        "layers": list(graph.layers.values()),
        "input_layers": [[x.layer, 0, 0] for x in inputs],
        "output_layers": [[x.layer, x.call, x.output] for x in outputs],
    }
    return {"class_name": "Functional", "config": config}, graph.weights


def _check_model(model: keras.Model) -> None:
    if type(model) is not keras.Sequential and type(model).__name__ != "Functional":
        raise ValueError(
            f"model {model.name!r} is a {type(model).__name__}; TF.js loads Sequential and functional ones: "
            "call it on keras.Input and wrap the result in keras.Model(inputs, outputs) of Keras' own layers"
        )
    if not model.built or not model.inputs:
        raise ValueError(f"model {model.name!r} is not built; call model.build(input_shape) or fit it first")


def _input(graph: Graph, x: Any) -> Tensor:
    dtype = keras.backend.standardize_dtype(x.dtype)
    integer = "int" in dtype
    name = x._keras_history.operation.name
    if not integer and dtype != "float32":
        raise ValueError(f"Input {name!r} has dtype {dtype}; TF.js takes float32 and integers: use float32")
    if getattr(x, "sparse", False):
        raise ValueError(f"Input {name!r} is sparse; TF.js takes dense tensors: use sparse=False")
    shape = (None, *x.shape[1:])
    config = {"batch_input_shape": list(shape), "dtype": "int32" if integer else "float32", "sparse": False}
    graph.add("InputLayer", name, [], config)
    return Tensor(graph.name(name), 0, 0, shape, integer)


def _output(graph: Graph, x: Tensor, others: Sequence[Tensor]) -> Tensor:
    """TF.js can return neither an input itself nor the same tensor twice: copy it."""
    if graph.layers[x.layer]["class_name"] != "InputLayer" and x not in others:
        return x
    name, call, _ = graph.add("Activation", f"output_{len(others) + 1}", [x], {"activation": "linear"})
    return Tensor(name, call, 0, x.shape)


def _translate(graph: Graph, model: keras.Model, inputs: Sequence[Tensor], prefix: str) -> list[Tensor]:
    """Translate each call of the model's layers in order, and return its outputs."""
    model = _as_graph(model)
    known = {id(x): tensor for x, tensor in zip(model.inputs, inputs, strict=True)}
    for depth in sorted(model._nodes_by_depth, reverse=True):
        for node in model._nodes_by_depth[depth]:
            if not node.is_input:
                outputs = _translate_node(graph, node, known, prefix)
                known.update((id(x), tensor) for x, tensor in zip(node.outputs, outputs, strict=True))
    return [known[id(x)] for x in model.outputs]


def _as_graph(model: keras.Model) -> keras.Model:
    """Return a functional model of the same layers."""
    return keras.Model(model.inputs, model.outputs) if isinstance(model, keras.Sequential) else model


def _translate_node(graph: Graph, node: Any, known: dict[int, Tensor], prefix: str) -> list[Tensor]:
    layer = node.operation
    if all(keras.backend.standardize_dtype(x.dtype) == "bool" for x in node.outputs):
        return [MASK] * len(node.outputs)  # Keras computes masks with operations of their own
    args, inputs, masked = _arguments(node, known)
    path = f"{prefix}{layer.name}"
    if isinstance(layer, keras.Model):
        _check_model(layer)
        if masked:
            raise ValueError(f"model {path!r}: TF.js has no mask for a whole model; use the mask outside of it")
        return _translate(graph, layer, inputs, f"{path}_")
    shapes = [(None, *x.shape[1:]) for x in node.outputs]
    is_layer = isinstance(layer, keras.Layer)
    call = Call(graph, layer, path, read_config(layer), inputs, shapes, args, masked)
    _check_call(call, node.arguments.kwargs)
    outputs = _translate_call(call, LAYERS if is_layer else OPS)
    integer = ["int" in keras.backend.standardize_dtype(x.dtype) for x in node.outputs]
    return [x._replace(integer=whole) for x, whole in zip(outputs, integer, strict=True)]


def _arguments(node: Any, known: dict[int, Tensor]) -> tuple[tuple[Any, ...], list[Tensor], bool]:
    """Return the positional arguments, the Tensors among all, and whether there is a mask."""

    def tensor(value: Any) -> Any:
        return known[id(value)] if isinstance(value, keras.KerasTensor) else value

    kwargs = {name: keras.tree.flatten(value) for name, value in node.arguments.kwargs.items()}
    args = keras.tree.map_structure(tensor, node.arguments.args)
    inputs = [*keras.tree.flatten(node.arguments.args), *kwargs.get("initial_state", [])]
    masked = any(value is not None for value in kwargs.get("mask", []))
    return args, [tensor(value) for value in inputs if isinstance(value, keras.KerasTensor)], masked


def _translate_call(call: Call, table: Any) -> list[Tensor]:
    if call.kind == "TimeDistributed":
        return _each_step(call)
    if call.kind not in table or not type(call.layer).__module__.startswith("keras."):
        call.refuse(f"layer {call.kind}", "use layers that it has, or leave this one out of the exported model")
    outputs = table[call.kind](call)
    outputs = [outputs] if isinstance(outputs, Tensor) else outputs
    unused = [value.path for value in getattr(call.layer, "weights", []) if id(value) not in call.used]
    if unused:
        call.refuse(f"{call.kind} with the further weights {unused}", "merge or remove them")
    for x, shape in zip(outputs, call.shapes, strict=True):
        if len(x.shape) != len(shape) or any(a and b and a != b for a, b in zip(x.shape, shape, strict=True)):
            call.refuse(f"{call.kind} that makes {shape} (it would make {x.shape})", "use another layer")
    return outputs


def _each_step(call: Call) -> list[Tensor]:
    """TimeDistributed of a layer, or of a model, whose layers are then wrapped one by one."""
    call.take("layer")
    if call.graph.each_step or len(call.inputs) > 1 or call.x.shape[1] is None:
        call.refuse("TimeDistributed that is nested or of unknown length", "use a fixed number of steps")
    inner, one = (
        call.layer.layer,
        keras.KerasTensor((None, *call.x.shape[2:]), "int32" if call.x.integer else "float32"),
    )
    model = inner
    if not isinstance(inner, keras.Model):
        step = keras.Input(batch_shape=one.shape, dtype=one.dtype)
        model = keras.Model(step, inner(step))
    steps, call.graph.each_step = call.x.shape[1], True
    try:
        (y,) = _translate(call.graph, model, [call.x._replace(shape=one.shape)], f"{call.path}_")
    finally:
        call.graph.each_step = False
    return [y._replace(shape=(None, steps, *y.shape[1:]))]


def _check_call(call: Call, kwargs: dict[str, Any]) -> None:
    """Refuse further arguments, types and masks. ``training`` has no say: predict sets it to False."""
    allowed = {"training", "mask", "initial_state" if hasattr(call.layer, "return_sequences") else ""}
    given = sorted(name for name, value in kwargs.items() if value is not None and name not in allowed)
    if given:
        call.refuse(f"call with {', '.join(given)}", "call the layer with its inputs alone")
    if call.masked and call.kind not in {*USES_MASK, "BatchNormalization"}:  # which uses it in training only
        call.refuse(f"{call.kind} of masked values", "leave the mask out")
    policy = getattr(call.layer, "dtype_policy", None)
    if policy is not None and (policy.compute_dtype, policy.variable_dtype) != ("float32", "float32"):
        call.refuse(f"dtype {policy.name}", "build the model with dtype='float32' and copy the weights")
    if MASK in call.inputs:
        call.refuse(f"{call.kind} of logical values", "use floats")
    if call.kind not in TAKES_INTEGERS and any(x.integer for x in call.inputs):
        call.refuse(f"{call.kind} of integers", "make the input float32, or put Rescaling(1.0) before it")


def _check_masks(graph: Graph) -> None:
    """Drop masks that no layer uses; refuse a model in which TF.js would send one where Keras does not."""
    masked = any(mask for _, mask in graph.recurrent)
    masking = [layer["name"] for layer in graph.layers.values() if layer["class_name"] == "Masking"]
    for layer in graph.layers.values():
        if layer["class_name"] == "Embedding" and not masked:
            layer["config"]["mask_zero"] = False
    unmasked = sorted(path for path, mask in graph.recurrent if not mask) + sorted(graph.merged_masks)
    if unmasked and (masked or masking):
        raise ValueError(
            f"TF.js would send the mask of this model to {unmasked} too, which Keras does not; "
            "mask every recurrent layer and merge nothing masked, or leave Masking and mask_zero out"
        )
