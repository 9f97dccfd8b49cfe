"""The recurrent layers and the wrappers around layers, said in TF.js."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from study_keras.formats import tfjs_phrases as say
from study_keras.formats.tfjs_graph import Call, Tensor, read_config

OPTIONS = (
    "units",
    "activation",
    "recurrent_activation",
    "use_bias",
    "return_sequences",
    "return_state",
    "go_backwards",
)
WEIGHTS = ("kernel", "recurrent_kernel", "bias")


def recurrent(call: Call) -> list[Tensor]:
    """SimpleRNN, GRU and LSTM, with initial states as further inputs."""
    options, weights = _options(call), _weights(call, call.layer)
    _note_mask(call, several=len(call.inputs) > 1)
    x = call.say(call.kind, call.inputs, call.shape, weights, **options)
    return _outputs(call, x, options["return_sequences"])


def _outputs(call: Call, x: Tensor, sequences: bool) -> list[Tensor]:
    """The outputs of one layer; in TF.js only a sequence keeps the mask."""
    mask = call.x.mask and sequences
    return [x._replace(output=index, shape=shape, mask=mask and index == 0) for index, shape in enumerate(call.shapes)]


def _options(call: Call) -> dict[str, Any]:
    """Return the options of one recurrent layer; refuse those whose answers TF.js would not give."""
    options = call.take(*OPTIONS, "reset_after", "zero_output_for_mask")
    options.pop("zero_output_for_mask", None)  # see _note_mask
    if options.pop("reset_after", False):
        call.refuse("GRU with reset_after=True", "use GRU(reset_after=False) or LSTM")
    for name in ("activation", "recurrent_activation"):
        if name in options:
            if options[name] not in say.ACTIVATIONS:
                call.refuse(f"{call.kind} with {name}={options[name]!r}", "use tanh, sigmoid, relu or linear")
            options[name] = say.ACTIVATIONS[options[name]]
    return options


def _weights(call: Call, layer: Any) -> dict[str, Any]:
    cell = getattr(layer, "cell", layer)
    weights = {name: getattr(cell, name, None) for name in WEIGHTS}
    call.used.update(id(value) for value in weights.values())
    return weights


def _note_mask(call: Call, several: bool = False) -> None:
    """Remember whether the layer gets a mask: in TF.js a mask, once there, reaches every later layer."""
    if call.masked and (several or not call.x.mask):
        call.refuse("way to bring this mask to it", "put Masking or Embedding(mask_zero=True) right before it")
    if call.masked and call.config.get("zero_output_for_mask"):
        call.refuse("zeros where the input is masked", "leave zero_output_for_mask at False")
    call.graph.recurrent.add((call.path, call.masked))


def rnn(call: Call) -> list[Tensor]:
    """RNN(cell) is the layer of that name; of several cells, one layer after the other."""
    cells = getattr(call.layer.cell, "cells", [call.layer.cell])
    outer = call.take("cell", "return_sequences", "return_state", "go_backwards", "zero_output_for_mask")
    known = {"SimpleRNNCell": "SimpleRNN", "GRUCell": "GRU", "LSTMCell": "LSTM"}
    if any(type(cell).__name__ not in known for cell in cells):
        call.refuse(f"cell {[type(cell).__name__ for cell in cells]}", f"use one of {', '.join(known)}")
    if len(call.inputs) > 1 or (len(cells) > 1 and outer["return_state"]):
        call.refuse("RNN with states in or out", "use SimpleRNN, GRU or LSTM")
    _note_mask(call, several=len(cells) > 1)
    x = call.x
    for index, cell in enumerate(cells):
        last = index == len(cells) - 1
        inner = replace(call, layer=cell, config=read_config(cell))
        options = _options(inner) | {
            "return_sequences": outer["return_sequences"] or not last,
            "return_state": outer["return_state"],
            "go_backwards": outer["go_backwards"] and index == 0,
        }
        shape = call.shape if last else (*x.shape[:2], cell.units)
        x = call.say(known[type(cell).__name__], x, shape, _weights(call, cell), **options)
    return _outputs(call, x, outer["return_sequences"])


def bidirectional(call: Call) -> list[Tensor]:
    """TF.js makes the backward layer out of the forward one, so both must be alike."""
    merge_mode = call.take("merge_mode", "layer", "backward_layer")["merge_mode"]
    forward, backward = call.layer.forward_layer, call.layer.backward_layer
    inner = replace(call, layer=forward, config=read_config(forward), path=f"{call.path}/{forward.name}")
    if type(forward).__name__ not in ("SimpleRNN", "GRU", "LSTM") or len(call.inputs) > 1:
        call.refuse(f"Bidirectional {type(forward).__name__} with these inputs", "use SimpleRNN, GRU or LSTM alone")
    options = _options(inner)
    other = _options(replace(inner, layer=backward, config=read_config(backward)))
    if {**other, "go_backwards": not other["go_backwards"]} != options or type(backward) is not type(forward):
        call.refuse("Bidirectional with a backward_layer of its own", "leave backward_layer out")
    _note_mask(replace(call, config=read_config(forward)))
    name = forward.name.removeprefix("forward_")
    weights = {
        f"{direction}_{name}/{weight}": value
        for direction, layer in (("forward", forward), ("backward", backward))
        for weight, value in _weights(call, layer).items()
    }
    layer = {"class_name": inner.kind, "config": {"name": name, **options}}
    x = call.say("Bidirectional", call.x, call.shape, weights, merge_mode=merge_mode, layer=layer)
    return _outputs(call, x, options["return_sequences"])


def conv_lstm(call: Call) -> Tensor:
    """ConvLSTM2D, and ConvLSTM1D as one over images of width 1."""
    names = ("filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate")
    options = call.take(*names, *(name for name in OPTIONS if name != "units"))
    if options.pop("return_state") or len(call.inputs) > 1 or call.masked:
        call.refuse("ConvLSTM with states or masks", "leave return_state, initial_state and masks out")
    for name in ("activation", "recurrent_activation"):
        if options[name] not in say.ACTIVATIONS:
            call.refuse(f"ConvLSTM with {name}={options[name]!r}", "use tanh, sigmoid, relu or linear")
        options[name] = say.ACTIVATIONS[options[name]]
    call.graph.recurrent.add((call.path, False))
    weights, x, shape = _weights(call, call.layer), call.x, call.shape
    if len(x.shape) == 5:
        return call.say("ConvLSTM2D", x, shape, weights, **options)
    options |= {name: [*options[name], 1] for name in ("kernel_size", "strides", "dilation_rate")}
    weights |= {name: np.expand_dims(np.asarray(weights[name]), 1) for name in WEIGHTS[:2]}
    x = say.reshape(call, x, (*x.shape[:3], 1, x.shape[3]))
    x = call.say("ConvLSTM2D", x, (*shape[:-1], 1, shape[-1]), weights, **options)
    return say.reshape(call, x, shape)


RECURRENT: Mapping[str, Callable[[Call], Tensor | list[Tensor]]] = {
    "Bidirectional": bidirectional,
    "ConvLSTM1D": conv_lstm,
    "ConvLSTM2D": conv_lstm,
    "GRU": recurrent,
    "LSTM": recurrent,
    "RNN": rnn,
    "SimpleRNN": recurrent,
}
