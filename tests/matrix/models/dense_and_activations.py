"""Dense layers and activations, each as an activation of its own too."""

import numpy as np
from keras import Input, Sequential, layers

from models.building import IMAGE, SERIES, VECTOR, Build, chain, layer, of

ACTIVATIONS = (
    "celu elu exponential gelu hard_shrink hard_sigmoid hard_silu hard_tanh leaky_relu linear log_sigmoid log_softmax"
    " mish relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_plus sparse_sigmoid sparsemax"
    " squareplus tanh tanh_shrink"
)


def with_lora(**options: object) -> Sequential:
    model = Sequential([Input(VECTOR), layers.Dense(4, **options), layers.Dense(3)])
    model.layers[0].enable_lora(2)
    return model


def same_names_as_parts() -> Sequential:
    return Sequential(
        [
            Input(VECTOR),
            layers.Dense(5, name="dense"),
            layers.Activation("hard_sigmoid", name="activation"),
            layers.Dense(3, name="dense_1"),
            layers.Activation("tanh", name="activation_1"),
        ]
    )


MODELS: dict[str, Build] = {
    "dense": chain(VECTOR, layer("Dense", 4)),
    "dense no bias": chain(VECTOR, layer("Dense", 4, use_bias=False)),
    "dense of a series": chain(SERIES, layer("Dense", 4, activation="relu")),
    "dense of an image": chain(IMAGE, layer("Dense", 4, activation="softmax")),
    "dense of any length": chain((None, 4), layer("Dense", 3, activation="tanh")),
    "dense of one number": chain((1,), layer("Dense", 1)),
    "dense glu": chain(VECTOR, layer("Dense", 4, activation="glu")),
    "dense of a series glu": chain(SERIES, layer("Dense", 6, activation="glu")),
    "dense regularized": chain(
        VECTOR, layer("Dense", 4, kernel_regularizer="l1", kernel_constraint="max_norm", activity_regularizer="l2")
    ),
    "dense frozen": chain(VECTOR, layer("Dense", 4, trainable=False), layer("Dense", 2)),
    "dense lora": with_lora,
    "dense lora gelu": lambda: with_lora(activation="gelu"),
    "dense wide": chain((300,), layer("Dense", 200, activation="relu"), layer("Dense", 10)),
    "activation glu": chain(VECTOR, layer("Activation", "glu")),
    "activation by function": chain(VECTOR, lambda: layers.Activation(lambda x: x * x)),
    "relu": chain(VECTOR, layer("ReLU")),
    "relu max": chain(VECTOR, layer("ReLU", max_value=0.7)),
    "relu large max": chain(VECTOR, layer("ReLU", max_value=1e6)),
    "relu slope": chain(VECTOR, layer("ReLU", negative_slope=0.3)),
    "relu slope and max": chain(VECTOR, layer("ReLU", negative_slope=0.3, max_value=0.5)),
    "relu threshold": chain(VECTOR, layer("ReLU", threshold=0.4)),
    "relu threshold and max": chain(VECTOR, layer("ReLU", threshold=0.4, max_value=1)),
    "relu of three": chain(VECTOR, layer("ReLU", threshold=0.4, max_value=1, negative_slope=0.2)),
    "relu large threshold": chain(VECTOR, layer("ReLU", threshold=20.0)),
    "leaky relu": chain(VECTOR, layer("LeakyReLU", negative_slope=0.15)),
    "elu": chain(VECTOR, layer("ELU")),
    "elu alpha": chain(VECTOR, layer("ELU", alpha=0.4)),
    "prelu": chain(SERIES, layer("PReLU")),
    "prelu of an image": chain(IMAGE, layer("PReLU", shared_axes=[1, 2])),
    "prelu of one axis": chain(IMAGE, layer("PReLU", shared_axes=[3])),
    "softmax layer": chain(SERIES, layer("Softmax")),
    "softmax axis 1": chain(SERIES, layer("Softmax", axis=1)),
    "softmax two axes": chain(SERIES, layer("Softmax", axis=(1, 2))),
    "softmax with a mask": of(lambda x, y: layers.Softmax()(x, mask=y > 0), VECTOR, VECTOR),
    "softmax of a fixed mask": of(lambda x: layers.Softmax()(x, mask=np.array([1, 1, 0, 1, 0, 1], bool)), VECTOR),
    "names that parts could have": same_names_as_parts,
    "activity regularization": chain(VECTOR, layer("Dense", 4), layer("ActivityRegularization", l2=0.1)),
    "einsum dense": chain(SERIES, layer("EinsumDense", "abc,bd->adc", output_shape=(5, 4))),
    "einsum dense abd": chain(SERIES, layer("EinsumDense", "abc,cd->abd", output_shape=(7, 5), bias_axes="d")),
    "einsum dense abde": chain(SERIES, layer("EinsumDense", "abc,cde->abde", output_shape=(7, 2, 3), bias_axes="de")),
    "einsum dense ellipsis": chain(IMAGE, layer("EinsumDense", "...x,xy->...y", output_shape=5, activation="relu")),
    "einsum dense two axes in": chain(SERIES, layer("EinsumDense", "abc,bcd->ad", output_shape=(5,), bias_axes="d")),
    "einsum dense any length": chain((None, 4), layer("EinsumDense", "abc,cd->abd", output_shape=(None, 3))),
    "einsum dense gelu": chain(
        SERIES, layer("EinsumDense", "abc,cd->abd", output_shape=(7, 5), bias_axes="d", activation="gelu")
    ),
}
MODELS |= {f"dense {name}": chain(VECTOR, layer("Dense", 5, activation=name)) for name in ACTIVATIONS.split()}
MODELS |= {f"activation {name}": chain(SERIES, layer("Activation", name)) for name in ACTIVATIONS.split()}
