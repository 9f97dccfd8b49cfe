"""Graphs: several inputs and outputs, shared layers, nested models, names."""

import keras
from keras import Input, Model, Sequential, layers, ops

from models.building import IMAGE, SERIES, VECTOR, Build, chain, layer, of

Tensor = keras.KerasTensor


def two_and_two(x: Tensor, y: Tensor) -> list[Tensor]:
    both = layers.Concatenate()([layers.Dense(4)(x), layers.GlobalAveragePooling1D()(y)])
    return [layers.Dense(2, activation="softmax")(both), layers.Dense(1)(both)]


def shared(x: Tensor, y: Tensor) -> Tensor:
    dense = layers.Dense(4, activation="tanh")
    return layers.Dense(2)(dense(x) - dense(y))


def shared_composed(x: Tensor) -> Tensor:
    dense = layers.Dense(6, activation="hard_silu")
    return dense(dense(dense(x)))


def small_cnn() -> keras.Model:
    return Sequential([Input(IMAGE), layers.Conv2D(3, 3, activation="hard_sigmoid"), layers.GlobalAveragePooling2D()])


def nested_twice(x: Tensor, y: Tensor) -> Tensor:
    tower = Sequential([Input(VECTOR), layers.Dense(4, activation="leaky_relu"), layers.Dense(3)])
    return layers.Dot(axes=1)([tower(x), tower(y)])


def three_deep(x: Tensor) -> Tensor:
    inner = Sequential([Input(VECTOR), layers.Dense(6, name="dense"), layers.LeakyReLU()], name="model")
    middle = Sequential([Input(VECTOR), inner, layers.Dense(6, name="dense")], name="model")
    return layers.Dense(2, name="dense")(Sequential([Input(VECTOR), middle], name="model")(x))


def nested_outputs(x: Tensor) -> Tensor:
    inside = Input(VECTOR)
    inner = Model(inside, [layers.Dense(3)(inside), layers.Dense(3)(inside), inside])
    a, b, c = inner(x)
    return layers.Concatenate()([b, c, a])


def residual(x: Tensor) -> Tensor:
    y = layers.Conv2D(3, 3, padding="same", use_bias=False)(x)
    return layers.Conv2D(2, 1)(layers.ReLU()(x + layers.BatchNormalization()(y)))


def strange_names(x: Tensor) -> Tensor:
    x = layers.Dense(4, name="第一层")(x)
    return layers.Dense(3, name="a layer (b)")(layers.Dense(3, name="a_layer__b_")(x))


def same_names(x: Tensor) -> Tensor:
    parts = [Sequential([Input(VECTOR), layers.Dense(3, name="dense")]) for _ in range(2)]
    return layers.Dense(1, name="dense")(layers.Concatenate()([part(x) for part in parts]))


def frozen() -> keras.Model:
    model = Sequential([Input(VECTOR), layers.Dense(4), layers.BatchNormalization(), layers.Dense(2)])
    model.layers[0].trainable = model.layers[1].trainable = False
    return model


def squeeze_excite(x: Tensor) -> Tensor:
    y = layers.GlobalAveragePooling2D(keepdims=True)(x)
    y = layers.Conv2D(3, 1, activation="hard_sigmoid")(layers.Conv2D(2, 1, activation="relu")(y))
    return layers.Multiply()([x, y])


def dictionary(*, out: bool = False) -> keras.Model:
    inputs = {"z": Input((4,), name="z"), "a": Input((3,), name="a")}
    x = layers.Concatenate()([inputs["z"], inputs["a"]])
    outputs = {"second": layers.Dense(2)(x), "first": layers.Dense(3)(x)} if out else layers.Dense(2)(x)
    return Model(inputs, outputs)


def dictionary_of_outputs(x: Tensor) -> dict[str, Tensor]:
    return {"probabilities": layers.Dense(3, activation="softmax")(x), "features": x * 2}


def nested_structure() -> keras.Model:
    inputs = [Input((4,), name="x"), {"b": Input((3,), name="b"), "a": Input((2,), name="a")}]
    x = layers.Concatenate()([inputs[0], inputs[1]["b"], inputs[1]["a"]])
    return Model(inputs, (layers.Dense(2)(x), {"k": layers.Dense(1)(x)}))


def u_net(x: Tensor) -> Tensor:
    down = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    y = layers.Conv2D(8, 3, padding="same", activation="relu")(layers.MaxPooling2D()(down))
    y = layers.Concatenate()([layers.Conv2DTranspose(4, 2, strides=2)(y), down])
    return layers.Conv2D(1, 1, activation="sigmoid")(y)


def autoencoder() -> keras.Model:
    encoder = Sequential(
        [Input((8, 8, 1)), layers.Conv2D(4, 3, strides=2, padding="same"), layers.Flatten(), layers.Dense(3)]
    )
    decoder = Sequential(
        [
            Input((3,)),
            layers.Dense(64),
            layers.Reshape((4, 4, 4)),
            layers.Conv2DTranspose(1, 3, strides=2, padding="same"),
        ]
    )
    inputs = Input((8, 8, 1))
    return Model(inputs, decoder(encoder(inputs)))


def dense_block(x: Tensor) -> Tensor:
    for _ in range(3):
        y = layers.Conv2D(2, 3, padding="same")(layers.ReLU()(layers.BatchNormalization()(x)))
        x = layers.Concatenate()([x, y])
    return layers.GlobalAveragePooling2D()(x)


def wide_and_deep(x: Tensor, y: Tensor) -> Tensor:
    deep = layers.Dense(5, activation="relu")(layers.Dense(5, activation="relu")(x))
    return layers.Dense(1, activation="sigmoid")(layers.Concatenate()([deep, y]))


def part_of_a_model() -> keras.Model:
    whole = Sequential([Input(IMAGE), layers.Conv2D(3, 3), layers.ReLU(), layers.Flatten(), layers.Dense(2)])
    return Model(whole.inputs, [whole.layers[0].output, whole.layers[-1].output])


def inner_input_skipped() -> keras.Model:
    x = Input(VECTOR)
    hidden = layers.Dense(4, activation="relu")(x)
    Model(x, layers.Dense(3)(hidden))
    other = Input((4,))
    return Model([x, other], layers.Add()([hidden, other]))


def application(name: str, size: int) -> Build:
    return lambda: getattr(keras.applications, name)(weights=None, input_shape=(size, size, 3), classes=10)


MODELS: dict[str, Build] = {
    "two outputs": of(lambda x: [layers.Dense(3)(x), layers.Dense(2)(x)], VECTOR),
    "an input and the same output twice": of(lambda x: [x, *[layers.Dense(2)(x)] * 2], VECTOR),
    "an input given back": of(lambda x: x, VECTOR),
    "two inputs, two outputs": of(two_and_two, VECTOR, SERIES),
    "inputs in another order": lambda: (lambda a, b: Model([b, a], layers.Dense(2)(layers.Concatenate()([a, b]))))(
        Input((3,), name="a"), Input((4,), name="b")
    ),
    "an input that is not used": of(lambda x, y: layers.Dense(2)(x), VECTOR, SERIES),
    "shared layer": of(shared, VECTOR, VECTOR),
    "shared layer with a composed activation": of(shared_composed, VECTOR),
    "nested": of(lambda x: layers.Dense(2)(small_cnn()(x)), IMAGE),
    "nested twice": of(nested_twice, VECTOR, VECTOR),
    "nested three deep": of(three_deep, VECTOR),
    "nested with two outputs": of(nested_outputs, VECTOR),
    "residual": of(residual, IMAGE),
    "strange names": of(strange_names, VECTOR),
    "same inner names": of(same_names, VECTOR),
    "frozen": frozen,
    "squeeze and excite": of(squeeze_excite, IMAGE),
    "dict of inputs": dictionary,
    "dict of inputs and outputs": lambda: dictionary(out=True),
    "dict of outputs": of(dictionary_of_outputs, VECTOR),
    "structure of inputs and outputs": nested_structure,
    "u-net": of(u_net, (8, 8, 3)),
    "autoencoder": autoencoder,
    "dense block": of(dense_block, IMAGE),
    "wide and deep": of(wide_and_deep, VECTOR, (3,)),
    "part of a model": part_of_a_model,
    "an input in the middle": inner_input_skipped,
    "names with slashes": of(lambda x: layers.Dense(2, name="a.b-c")(layers.Dense(3, name="0")(x)), VECTOR),
    "named as an operation": of(lambda x: layers.Dense(2, name="MatMul")(layers.Dense(3, name="Const")(x)), VECTOR),
    "input named x": lambda: (lambda x: Model(x, layers.Dense(2)(x)))(Input(VECTOR, name="x")),
    "input named like an output": lambda: (lambda x: Model(x, layers.Dense(2, name="dense_0")(x)))(
        Input(VECTOR, name="dense")
    ),
    "input with strange letters": lambda: (lambda x: Model(x, layers.Dense(2)(x)))(Input(VECTOR, name="画像 1")),
    "fixed batch": lambda: Sequential([Input(batch_shape=(2, 6)), layers.Dense(3)]),
    "deep": chain(VECTOR, *[layer("Dense", 6, activation="tanh")] * 12),
    "Sequential in a Sequential": lambda: Sequential(
        [Input(VECTOR), Sequential([Input(VECTOR), layers.Dense(4)]), layers.Dense(2)]
    ),
    "split and joined": of(
        lambda x: layers.Concatenate()([layers.Dense(2)(y) for y in ops.split(x, 3, axis=-1)]), VECTOR
    ),
    "MobileNetV2": application("MobileNetV2", 32),
    "MobileNetV3Small": application("MobileNetV3Small", 32),
    "EfficientNetB0": application("EfficientNetB0", 32),
}
