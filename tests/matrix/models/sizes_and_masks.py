"""What exports get wrong most often: one layer of two sizes, masks given by hand, nested models called otherwise."""

import keras
import numpy as np
from keras import Input, Model, Sequential, layers, ops

from models.building import IMAGE, SERIES, VECTOR, VOLUME, Build, of

Tensor = keras.KerasTensor


def two_sizes(make, *shapes) -> Build:
    """One layer called on inputs of unlike sizes."""

    def function(*inputs: Tensor) -> list[Tensor]:
        shared = make()
        return [shared(x) for x in inputs]

    return of(function, *shapes)


LARGE, TALL, LONG, BIG = (11, 10, 3), (5, 12, 3), (10, 4), (6, 7, 7, 2)


def all_convolutional() -> keras.Model:
    inputs = Input((None, None, 3))
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(inputs)
    return Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling2D()(layers.MaxPooling2D()(x))))


def any_length() -> keras.Model:
    return Sequential([Input((None, 4)), layers.Conv1D(3, 2, padding="causal"), layers.LSTM(3)])


def same_then_upsampled(x: Tensor) -> Tensor:
    conv = layers.Conv2D(3, 3, strides=2, padding="same")
    return layers.Concatenate()([layers.Flatten()(conv(x)), layers.Flatten()(conv(conv(x)))])


def pyramid(x: Tensor) -> list[Tensor]:
    head = Sequential([Input((None, None, 3)), layers.Conv2D(3, 3, padding="same"), layers.UpSampling2D(2)])
    small = layers.AveragePooling2D(2, padding="same")(x)
    return [head(x), head(small), head(layers.AveragePooling2D(2)(small))]


SHARED = {
    "CenterCrop": (lambda: layers.CenterCrop(4, 4), IMAGE, LARGE),
    "Resizing": (lambda: layers.Resizing(5, 6), IMAGE, LARGE),
    "Resizing nearest": (lambda: layers.Resizing(5, 6, interpolation="nearest"), TALL, IMAGE, LARGE),
    "MaxPooling3D": (lambda: layers.MaxPooling3D(2, padding="same"), VOLUME, BIG),
    "AveragePooling3D": (lambda: layers.AveragePooling3D(3, strides=2, padding="same"), VOLUME, BIG),
    "MaxPooling2D": (lambda: layers.MaxPooling2D(2, padding="same"), IMAGE, LARGE),
    "AveragePooling2D": (lambda: layers.AveragePooling2D(3, padding="same"), LARGE, IMAGE),
    "AveragePooling1D": (lambda: layers.AveragePooling1D(3, padding="same"), SERIES, LONG),
    "AdaptiveAveragePooling2D": (lambda: layers.AdaptiveAveragePooling2D(3), IMAGE, LARGE),
    "AdaptiveMaxPooling1D": (lambda: layers.AdaptiveMaxPooling1D(3), SERIES, LONG),
    "UpSampling2D bilinear": (lambda: layers.UpSampling2D(2, interpolation="bilinear"), IMAGE, TALL),
    "UpSampling3D": (lambda: layers.UpSampling3D(2), VOLUME, BIG),
    "ZeroPadding3D": (lambda: layers.ZeroPadding3D(1), VOLUME, BIG),
    "Cropping2D": (lambda: layers.Cropping2D(1), IMAGE, LARGE),
    "Conv2D same": (lambda: layers.Conv2D(3, 2, strides=3, padding="same"), IMAGE, LARGE),
    "Conv2D groups": (lambda: layers.Conv2D(3, 2, groups=3, padding="same"), IMAGE, LARGE),
    "Conv3D": (lambda: layers.Conv3D(3, 1, strides=2, padding="same"), VOLUME, BIG),
    "Conv1D causal": (lambda: layers.Conv1D(3, 3, padding="causal"), SERIES, LONG),
    "Conv2DTranspose": (lambda: layers.Conv2DTranspose(3, 3, strides=2, padding="same"), IMAGE, LARGE),
    "DepthwiseConv2D": (lambda: layers.DepthwiseConv2D(3, strides=2, padding="same"), IMAGE, LARGE),
    "SeparableConv2D": (lambda: layers.SeparableConv2D(3, 3, dilation_rate=2, padding="same"), IMAGE, LARGE),
    "Flatten": (lambda: layers.Flatten(), IMAGE, LARGE),
    "Reshape": (lambda: layers.Reshape((-1, 2)), SERIES, LONG),
    "GlobalAveragePooling2D": (lambda: layers.GlobalAveragePooling2D(keepdims=True), IMAGE, LARGE),
    "GlobalMaxPooling3D": (lambda: layers.GlobalMaxPooling3D(), VOLUME, BIG),
    "Permute": (lambda: layers.Permute((2, 1, 3)), IMAGE, LARGE),
    "BatchNormalization": (lambda: layers.BatchNormalization(), IMAGE, LARGE),
    "LayerNormalization": (lambda: layers.LayerNormalization(), IMAGE, LARGE),
    "GroupNormalization": (lambda: layers.GroupNormalization(3), IMAGE, LARGE),
    "UnitNormalization": (lambda: layers.UnitNormalization(axis=(1, 2)), IMAGE, LARGE),
    "Softmax": (lambda: layers.Softmax(axis=1), SERIES, LONG),
    "Normalization": (lambda: layers.Normalization(mean=[1.0, 2, 3], variance=[1.0, 4, 9]), IMAGE, LARGE),
    "PReLU": (lambda: layers.PReLU(shared_axes=[1, 2]), IMAGE, LARGE),
    "Dense": (lambda: layers.Dense(3, activation="gelu"), SERIES, LONG),
    "Dense of two ranks": (lambda: layers.Dense(3), (4,), SERIES),
    "LSTM": (lambda: layers.LSTM(3), SERIES, LONG),
    "GRU": (lambda: layers.GRU(3, return_sequences=True), SERIES, LONG),
    "Bidirectional": (lambda: layers.Bidirectional(layers.LSTM(3)), SERIES, LONG),
    "TimeDistributed": (lambda: layers.TimeDistributed(layers.Dense(3)), SERIES, LONG),
    "ConvLSTM2D": (lambda: layers.ConvLSTM2D(2, 3, padding="same"), (3, 5, 5, 1), (2, 5, 5, 1)),
    "RandomCrop": (lambda: layers.RandomCrop(4, 4), IMAGE, LARGE),
    "SpatialDropout2D": (lambda: layers.SpatialDropout2D(0.3), IMAGE, LARGE),
    "a model": (all_convolutional, IMAGE, LARGE, TALL),
    "a model of series": (any_length, SERIES, LONG),
    "a Lambda": (lambda: layers.Lambda(lambda x: x - ops.mean(x, axis=1, keepdims=True)), SERIES, LONG),
}


def masked_by_hand(make, series: tuple[int, ...] = SERIES) -> Build:
    def build() -> keras.Model:
        x, mask = Input(series), Input(series[:1], dtype="bool")
        return Model([x, mask], make()(x, mask=mask))

    return build


def ragged(x: Tensor) -> Tensor:
    return layers.LSTM(4)(x, mask=ops.not_equal(x[:, :, 0], 0))


def fixed_mask(x: Tensor) -> Tensor:
    return layers.GRU(4, return_sequences=True)(x, mask=np.array([[True, True, True, False, True, False, False]]))


def mask_of_another(x: Tensor, y: Tensor) -> Tensor:
    mask = layers.Masking().compute_mask(x)
    return layers.LSTM(3)(y, mask=mask)


def masked_average(x: Tensor) -> Tensor:
    return layers.GlobalAveragePooling1D()(x, mask=x[:, :, 1] > 0)


def from_words(*parts: str) -> Build:
    def build() -> keras.Model:
        words = Input((6,), dtype="int32")
        x = y = layers.Embedding(8, 4, mask_zero=True)(words)
        for part in parts:
            y = (
                getattr(layers, part)()([x, y])
                if part in ("Concatenate", "Add", "Multiply")
                else getattr(layers, part)()(y)
            )
        return Model(words, layers.LSTM(3)(y))

    return build


def inner(*shapes, many: bool = False, **options) -> keras.Model:
    inputs = {f"in{index}": Input(shape, name=f"in{index}", **options) for index, shape in enumerate(shapes)}
    x = (
        layers.Concatenate()([layers.Dense(3)(x) for x in inputs.values()])
        if len(shapes) > 1
        else layers.Dense(3)(inputs["in0"])
    )
    return Model(inputs, {"out": x, "more": 2 * x} if many else x)


def called_with_a_dict(x: Tensor, y: Tensor) -> Tensor:
    return layers.Dense(2)(inner(VECTOR, (4,))({"in1": y, "in0": x}))


def called_with_a_list(x: Tensor, y: Tensor) -> Tensor:
    a, b = Input(VECTOR), Input((4,))
    return layers.Dense(2)(Model([b, a], layers.Subtract()([layers.Dense(3)(a), layers.Dense(3)(b)]))([y, x]))


def answers_with_a_dict(x: Tensor, y: Tensor) -> Tensor:
    outputs = inner(VECTOR, (4,), many=True)({"in0": x, "in1": y})
    return layers.Subtract()([outputs["more"], outputs["out"]])


def dict_by_names(x: Tensor, y: Tensor) -> Tensor:
    a, b = Input((6,), name="zeta"), Input((6,), name="alpha")
    return Model([a, b], layers.Subtract()([a, b]))({"alpha": y, "zeta": x})


def one_axis_more(x: Tensor) -> Tensor:
    part = Input(VECTOR)
    return Model(part, layers.Dense(4)(part))(x[:, :, None])


def numbers(x: Tensor) -> Tensor:
    part = Input(())
    return Model(part, part * 3 + 1)(x)


def one_axis_less(x: Tensor) -> Tensor:
    part = Input((6, 1))
    return Model(part, layers.Flatten()(part * 2))(x)


def other_dtypes(function, dtype: str, inside: str) -> Build:
    def build() -> keras.Model:
        part, x = Input((4,), dtype=inside), Input((4,), dtype=dtype)
        return Model(x, function(Model(part, part * 2)(x)))

    return build


def embedded(x: Tensor) -> Tensor:
    part = Input((4,), dtype="int32")
    return Model(part, layers.Flatten()(layers.Embedding(9, 3)(part)))(ops.abs(x) % 8)


def masks_through_models(x: Tensor) -> Tensor:
    part = Input(SERIES)
    return layers.LSTM(3)(Model(part, layers.Dropout(0.2)(layers.Masking()(part)))(x))


def masks_into_models(x: Tensor) -> Tensor:
    return Sequential([Input(SERIES), layers.Dropout(0.2), layers.GRU(3)])(layers.Masking()(x))


def nested_of_any_size(x: Tensor, y: Tensor) -> Tensor:
    model = all_convolutional()
    return layers.Add()([model(x), model(y)])


MODELS: dict[str, Build] = {f"two sizes: {name}": two_sizes(*parts) for name, parts in SHARED.items()}
MODELS |= {
    "two sizes: a layer of its own answer": of(same_then_upsampled, (16, 16, 3)),
    "two sizes: a head of a pyramid": of(pyramid, IMAGE),
    "mask by hand: LSTM": masked_by_hand(lambda: layers.LSTM(3)),
    "mask by hand: GRU sequences": masked_by_hand(lambda: layers.GRU(3, return_sequences=True)),
    "mask by hand: SimpleRNN": masked_by_hand(lambda: layers.SimpleRNN(3, go_backwards=True)),
    "mask by hand: Bidirectional": masked_by_hand(lambda: layers.Bidirectional(layers.LSTM(3, return_sequences=True))),
    "mask by hand: RNN of cells": masked_by_hand(lambda: layers.RNN([layers.GRUCell(3), layers.LSTMCell(2)])),
    "mask by hand: average": masked_by_hand(lambda: layers.GlobalAveragePooling1D()),
    "mask by hand: TimeDistributed": masked_by_hand(lambda: layers.TimeDistributed(layers.Dense(2))),
    "mask by hand: BatchNormalization": masked_by_hand(lambda: layers.BatchNormalization()),
    "mask by hand: any length": masked_by_hand(lambda: layers.LSTM(3), (None, 4)),
    "mask by hand: of what is not zero": of(ragged, SERIES),
    "mask by hand: fixed": of(fixed_mask, SERIES),
    "mask by hand: of another input": of(mask_of_another, SERIES, SERIES),
    "mask by hand: average of some": of(masked_average, SERIES),
    "mask through Concatenate": from_words("Concatenate"),
    "mask through Add": from_words("Add"),
    "mask through Multiply and Identity": from_words("Multiply", "Identity"),
    "mask through LayerNormalization": from_words("LayerNormalization", "ReLU"),
    "mask through Masking again": from_words("Masking"),
    "mask through a model": of(masks_through_models, SERIES),
    "mask into a model": of(masks_into_models, SERIES),
    "nested: called with a dict": of(called_with_a_dict, VECTOR, (4,)),
    "nested: called with a list": of(called_with_a_list, VECTOR, (4,)),
    "nested: answers with a dict": of(answers_with_a_dict, VECTOR, (4,)),
    "nested: a dict by names": of(dict_by_names, VECTOR, VECTOR),
    "nested: one axis more": of(one_axis_more, VECTOR),
    "nested: one axis less": of(one_axis_less, VECTOR),
    "nested: one axis more, for numbers": of(lambda x: numbers(layers.Dense(1)(x)), VECTOR),
    "nested: integers to floats": other_dtypes(lambda x: layers.Dense(3)(x), "int32", "float32"),
    "nested: floats to integers": other_dtypes(lambda x: ops.cast(x, "float32") + 0.5, "float32", "int32"),
    "nested: bools to floats": other_dtypes(lambda x: layers.Dense(3)(x), "bool", "float32"),
    "nested: floats to an embedding": of(embedded, (4,)),
    "nested: any size": of(nested_of_any_size, IMAGE, LARGE),
}
