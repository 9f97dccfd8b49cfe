"""Recurrent layers: their options, cells, directions, states and masks."""

import keras
from keras import Input, Model, Sequential, layers, ops

from models.building import FIRST, IMAGE, SERIES, Build, chain, layer, of


class MinimalCell(layers.Layer):
    """A cell of the user's own."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.units = self.state_size = units

    def build(self, shape: tuple[int, ...]) -> None:
        self.kernel = self.add_weight(shape=(shape[-1], self.units), name="kernel")
        self.recurrent = self.add_weight(shape=(self.units, self.units), name="recurrent")

    def call(self, x: keras.KerasTensor, states: list[keras.KerasTensor]) -> tuple[keras.KerasTensor, list]:
        state = ops.tanh(x @ self.kernel + states[0] @ self.recurrent)
        return state, [state]


def encoder_decoder(x: keras.KerasTensor, y: keras.KerasTensor) -> keras.KerasTensor:
    _, h, c = layers.LSTM(4, return_state=True)(x)
    y = layers.LSTM(4, return_sequences=True)(y, initial_state=[h, c])
    return layers.Dense(3, activation="softmax")(layers.LSTM(5, return_sequences=True)(y))


def gru_decoder(x: keras.KerasTensor, y: keras.KerasTensor) -> keras.KerasTensor:
    _, h = layers.GRU(4, return_state=True)(x)
    return layers.GRU(4, return_sequences=True)(y, initial_state=h)


def two_way_decoder(x: keras.KerasTensor, y: keras.KerasTensor) -> keras.KerasTensor:
    _, *states = layers.Bidirectional(layers.LSTM(4, return_state=True))(x)
    return layers.Bidirectional(layers.LSTM(4))(y, initial_state=states)


def small_cnn() -> keras.Model:
    return Sequential([Input(IMAGE), layers.Conv2D(3, 3, activation="hard_sigmoid"), layers.GlobalAveragePooling2D()])


def doubled() -> keras.Model:
    inputs = Input((4,))
    return Model(inputs, layers.Concatenate()([inputs, inputs]))


def stateful(make) -> Build:
    return lambda: Sequential([Input(batch_shape=(2, 7, 4)), make(), layers.Dense(2)])


def other_way(**options: object) -> layers.Layer:
    return layers.Bidirectional(
        layers.LSTM(4, **options), backward_layer=layers.LSTM(3, activation="relu", go_backwards=True, **options)
    )


SHORT, ANY = (4, 4), (None, 4)
MODELS: dict[str, Build] = {
    "GRU reset before": chain(SERIES, layer("GRU", 5, reset_after=False)),
    "GRU any length, one after another": chain(ANY, layer("GRU", 5, return_sequences=True), layer("GRU", 3)),
    "GRU hard sigmoid": chain(SERIES, layer("GRU", 5, recurrent_activation="hard_sigmoid")),
    "LSTM hard sigmoid": chain(SERIES, layer("LSTM", 5, recurrent_activation="hard_sigmoid")),
    "LSTM gelu": chain(SERIES, layer("LSTM", 5, activation="gelu")),
    "LSTM no forget bias": chain(SERIES, layer("LSTM", 5, unit_forget_bias=False)),
    "SimpleRNN softsign": chain(SERIES, layer("SimpleRNN", 5, activation="softsign")),
    "LSTM of one step": chain((1, 4), layer("LSTM", 5)),
    "LSTM of many steps": chain((60, 2), layer("LSTM", 4, return_sequences=True), layer("GRU", 3)),
    "RNN stacked": chain(
        SERIES, lambda: layers.RNN([layers.LSTMCell(4), layers.GRUCell(3, reset_after=False)], return_sequences=True)
    ),
    "RNN stacked cells": chain(
        SERIES, lambda: layers.RNN(layers.StackedRNNCells([layers.SimpleRNNCell(4), layers.GRUCell(3)]))
    ),
    "RNN of a custom cell": chain(SERIES, lambda: layers.RNN(MinimalCell(4))),
    "RNN of a custom cell, any length": chain(ANY, lambda: layers.RNN(MinimalCell(4), return_sequences=True)),
    "RNN stacked with a custom cell": chain(SERIES, lambda: layers.RNN([MinimalCell(4), layers.LSTMCell(3)])),
    "RNN of a cell by hand": of(
        lambda x: layers.LSTMCell(3)(x[:, 0], [ops.zeros_like(x[:, 0, :3]), x[:, 1, :3]])[0], SERIES
    ),
    "RNN unrolled": chain(SERIES, lambda: layers.RNN(layers.GRUCell(4), unroll=True)),
    "Bidirectional in two layers": of(
        lambda x: layers.Bidirectional(layers.LSTM(4, return_sequences=True), merge_mode=None)(x), SERIES
    ),
    "Bidirectional states": of(lambda x: layers.Bidirectional(layers.LSTM(4, return_state=True))(x), SERIES),
    "Bidirectional GRU states": of(lambda x: layers.Bidirectional(layers.GRU(4, return_state=True))(x), SERIES),
    "Bidirectional any length": chain(ANY, lambda: layers.Bidirectional(layers.LSTM(4, return_sequences=True))),
    "Bidirectional with another": chain(SERIES, lambda: other_way()),
    "Bidirectional with another, sequences": chain(SERIES, lambda: other_way(return_sequences=True)),
    "Bidirectional RNN": chain(SERIES, lambda: layers.Bidirectional(layers.RNN(layers.SimpleRNNCell(4)))),
    "Bidirectional ConvLSTM1D": chain((3, 6, 2), lambda: layers.Bidirectional(layers.ConvLSTM1D(2, 3))),
    "Bidirectional twice": chain(
        SERIES,
        lambda: layers.Bidirectional(layers.GRU(3, return_sequences=True)),
        lambda: layers.Bidirectional(layers.LSTM(2)),
    ),
    "encoder and decoder": of(encoder_decoder, SERIES, (5, 3)),
    "encoder and decoder, GRU": of(gru_decoder, SERIES, (5, 4)),
    "encoder and decoder, two ways": of(two_way_decoder, SERIES, (5, 3)),
    "encoder and decoder, any length": of(encoder_decoder, ANY, (None, 3)),
    "LSTM unrolled": chain(SERIES, layer("LSTM", 5, unroll=True)),
    "masked bidirectional series": chain(
        SERIES, layer("Masking"), lambda: layers.Bidirectional(layers.LSTM(4, return_sequences=True))
    ),
    "masked bidirectional": chain(SERIES, layer("Masking"), lambda: layers.Bidirectional(layers.GRU(4))),
    "masked by another value": chain(SERIES, layer("Masking", mask_value=1.0), layer("GRU", 4)),
    "masked sequences": chain(SERIES, layer("Masking"), layer("LSTM", 4, return_sequences=True)),
    "masked, zeros in the output": chain(
        SERIES, layer("Masking"), lambda: layers.RNN(layers.LSTMCell(4), return_sequences=True, zero_output_for_mask=True)
    ),
    "masked backwards": chain(SERIES, layer("Masking"), layer("GRU", 4, go_backwards=True)),
    "masked states": of(lambda x: layers.LSTM(4, return_state=True)(layers.Masking()(x)), SERIES),
    "masked any length": chain(ANY, layer("Masking"), layer("GRU", 4, return_sequences=True), layer("LSTM", 2)),
    "masked two layers": chain(
        SERIES, layer("Masking"), layer("LSTM", 4, return_sequences=True), layer("Dropout", 0.2), layer("LSTM", 3)
    ),
    "masked stacked": chain(SERIES, layer("Masking"), lambda: layers.RNN([layers.LSTMCell(4), layers.GRUCell(3)])),
    "masked TimeDistributed": chain(SERIES, layer("Masking"), lambda: layers.TimeDistributed(layers.Dense(3))),
    "mask for one of two": chain(SERIES, layer("Masking"), layer("LSTM", 5), layer("RepeatVector", 3), layer("LSTM", 4)),
    "masked and merged": of(
        lambda x: layers.LSTM(3)(layers.add([layers.Masking()(x), layers.Dense(4)(x)])), SERIES
    ),
    "masking by itself": chain(SERIES, layer("Masking")),
    "embedding masked": chain(
        (6,), layer("Embedding", 10, 4, mask_zero=True), layer("Dropout", 0.1),
        layer("LSTM", 5, return_sequences=True), layer("LSTM", 3), dtype="int32",
    ),
    "embedding masked bidirectional": chain(
        (6,), layer("Embedding", 10, 4, mask_zero=True), lambda: layers.Bidirectional(layers.LSTM(5)), layer("Dense", 2),
        dtype="int32",
    ),
    "embedding mask unused": chain(
        (6,), layer("Embedding", 10, 4, mask_zero=True), layer("Conv1D", 3, 2), layer("LSTM", 3), dtype="int32"
    ),
    "embedding masked average": chain(
        (6,), layer("Embedding", 10, 4, mask_zero=True), layer("GlobalAveragePooling1D"), dtype="int32"
    ),
    "embedding masked any length": chain(
        (None,), layer("Embedding", 10, 4, mask_zero=True), lambda: layers.Bidirectional(layers.GRU(3)), dtype="int32"
    ),
    "ConvLSTM1D": chain((3, 6, 2), layer("ConvLSTM1D", 3, 3)),
    "ConvLSTM1D any length": chain((None, 6, 2), layer("ConvLSTM1D", 3, 3, padding="same", return_sequences=True)),
    "ConvLSTM2D": chain((3, 6, 6, 2), layer("ConvLSTM2D", 3, 3, padding="same", return_sequences=True)),
    "ConvLSTM2D strides": chain((3, 6, 6, 2), layer("ConvLSTM2D", 3, 2, strides=2)),
    "ConvLSTM2D hard sigmoid": chain((3, 6, 6, 2), layer("ConvLSTM2D", 2, 3, recurrent_activation="hard_sigmoid")),
    "ConvLSTM2D states": of(lambda x: layers.ConvLSTM2D(2, 3, return_state=True)(x), (3, 6, 6, 2)),
    "ConvLSTM2D dilation": chain((3, 6, 6, 2), layer("ConvLSTM2D", 2, 2, dilation_rate=2)),
    "ConvLSTM2D backwards": chain((3, 6, 6, 2), layer("ConvLSTM2D", 2, 2, go_backwards=True)),
    "ConvLSTM2D channels first": chain((3, 2, 6, 6), layer("ConvLSTM2D", 3, 2, strides=2, **FIRST)),
    "ConvLSTM3D": chain((3, 4, 4, 4, 2), layer("ConvLSTM3D", 2, 2)),
    "ConvLSTM3D sequences": chain((2, 4, 4, 4, 1), layer("ConvLSTM3D", 2, 2, padding="same", return_sequences=True)),
    "TimeDistributed Dense": chain(SERIES, lambda: layers.TimeDistributed(layers.Dense(3, activation="relu"))),
    "TimeDistributed hard silu": chain(SERIES, lambda: layers.TimeDistributed(layers.Dense(3, activation="hard_silu"))),
    "TimeDistributed any length": chain(ANY, lambda: layers.TimeDistributed(layers.Dense(3)), layer("LSTM", 2)),
    "TimeDistributed Conv2D any length": chain((None, *IMAGE), lambda: layers.TimeDistributed(layers.Conv2D(2, 3))),
    "TimeDistributed model any length": chain(
        (None, *IMAGE), lambda: layers.TimeDistributed(small_cnn()), layer("GRU", 4)
    ),
    "TimeDistributed Flatten any length": chain((None, *IMAGE), lambda: layers.TimeDistributed(layers.Flatten())),
    "TimeDistributed Concatenate": chain(SERIES, lambda: layers.TimeDistributed(doubled())),
    "TimeDistributed frozen": chain(SERIES, lambda: layers.TimeDistributed(layers.BatchNormalization(trainable=False))),
    "TimeDistributed Conv2D": chain((3, *IMAGE), lambda: layers.TimeDistributed(layers.Conv2D(2, 3))),
    "TimeDistributed pool": chain((3, *IMAGE), lambda: layers.TimeDistributed(layers.MaxPooling2D(2))),
    "TimeDistributed LSTM": chain((3, *SERIES), lambda: layers.TimeDistributed(layers.LSTM(3))),
    "TimeDistributed twice": chain(
        (3, *SERIES), lambda: layers.TimeDistributed(layers.TimeDistributed(layers.Dense(2)))
    ),
    "TimeDistributed model": chain((3, *IMAGE), lambda: layers.TimeDistributed(small_cnn()), layer("LSTM", 4)),
}  # fmt: skip
for name in ("SimpleRNN", "LSTM", "GRU"):
    MODELS |= {
        name: chain(SERIES, layer(name, 5)),
        f"{name} sequences": chain(ANY, layer(name, 5, return_sequences=True), layer(name, 3)),
        f"{name} backwards": chain(SERIES, layer(name, 5, go_backwards=True, return_sequences=True)),
        f"{name} dropout no bias relu": chain(
            SHORT, layer(name, 5, use_bias=False, dropout=0.3, recurrent_dropout=0.2, activation="relu")
        ),
        f"{name} states": of(lambda x, name=name: getattr(layers, name)(3, return_state=True)(x), SERIES),
        f"Bidirectional {name}": chain(SERIES, lambda name=name: layers.Bidirectional(layer(name, 4)())),
        f"masked {name}": chain(SERIES, layer("Masking"), layer(name, 5)),
        f"RNN {name}": chain(SERIES, lambda name=name: layers.RNN(layer(f"{name}Cell", 4)())),
    }
for mode in ("sum", "mul", "ave", "concat"):
    MODELS[f"Bidirectional {mode}"] = chain(
        SERIES, lambda mode=mode: layers.Bidirectional(layers.LSTM(4, return_sequences=True), merge_mode=mode)
    )
REFUSED: dict[str, tuple[Build, str]] = {
    "stateful LSTM": (stateful(lambda: layers.LSTM(5, stateful=True)), "stateful"),
    "stateful RNN of a cell": (stateful(lambda: layers.RNN(layers.GRUCell(3), stateful=True)), "stateful"),
    "stateful in Bidirectional": (stateful(lambda: layers.Bidirectional(layers.LSTM(3, stateful=True))), "stateful"),
}
