"""The detector, which finds digits on a page, and the reader, which names one and tells its ink from the rest."""

import keras
import numpy as np
from keras import Input, Model, layers

from study_keras.vision.marks import NONE
from study_keras.vision.views import VIEW


def detector(folded=False):
    """Return the detector: contrast (h, w, 1) -> cells (h / 8, w / 4, 6), for h and w that are multiples of 8.

    A cell is the logit of a digit, the distances to its four sides, and the logit of dark ink.

    Args:
        folded: without batch normalization, as it is exported.
    """
    inputs = hidden = Input((None, None, 1))
    for number, (filters, strides, dilation) in enumerate((
        (16, 2, 1), (28, 2, 1), (40, (2, 1), 1), (40, 1, 1), (40, 1, (1, 2)), (40, 1, (1, 2)), (40, 1, (1, 2)),
    )):  # fmt: skip
        hidden = _convolution(hidden, filters, f"convolution_{number}", folded, strides=strides, dilation_rate=dilation)
    return Model(inputs, layers.Conv2D(6, 1, dtype="float32", name="cells")(hidden), name="detector")


def reader(folded=False):
    """Return the reader: contrast (32, 32, 1), ink bright -> 11 logits, and (32, 32, 1) logits of the mark's own ink.

    Args:
        folded: without batch normalization, as it is exported.
    """
    inputs = Input((VIEW, VIEW, 1))
    fine = _convolution(inputs, 12, "fine", folded)
    half = _convolution(_convolution(fine, 24, "half_1", folded, strides=2), 32, "half_2", folded)
    quarter = _convolution(_convolution(half, 48, "quarter_1", folded, strides=2), 48, "quarter_2", folded)
    pooled = layers.Dropout(0.2)(layers.Flatten()(layers.AveragePooling2D(2)(quarter)))
    classes = layers.Dense(NONE + 1, dtype="float32", name="classes")(pooled)
    up = layers.UpSampling2D(2)(_convolution(quarter, 20, "up_1", folded, size=1))
    up = _convolution(layers.Concatenate()([up, half]), 12, "up_2", folded)
    up = layers.Concatenate()([layers.UpSampling2D(2)(up), fine])
    ink = layers.Conv2D(1, 3, padding="same", dtype="float32", name="ink")(up)
    return Model(inputs, [classes, ink], name="reader")


def _convolution(inputs, filters, name, folded, size=3, **options):
    options |= {"padding": "same", "name": name}
    if folded:  # the activation inside of the layer is faster in TensorFlow.js
        return layers.Conv2D(filters, size, activation="relu", **options)(inputs)
    hidden = layers.Conv2D(filters, size, use_bias=False, **options)(inputs)
    return layers.ReLU()(layers.BatchNormalization(momentum=0.97, name=f"{name}_norm")(hidden))


NETWORKS = {"detector": detector, "reader": reader}


def load(kind, path):
    """Return a trained network in float32, its batch normalization folded into the convolutions before it."""
    keras.mixed_precision.set_global_policy("float32")
    trained, network = NETWORKS[kind](), NETWORKS[kind](folded=True)
    trained.load_weights(path)
    names = {layer.name for layer in trained.layers}
    for layer in network.layers:
        weights = trained.get_layer(layer.name).get_weights() if layer.name in names else []
        if f"{layer.name}_norm" in names:
            norm = trained.get_layer(f"{layer.name}_norm")
            gamma, beta, mean, variance = norm.get_weights()
            factor = gamma / np.sqrt(variance + norm.epsilon)
            weights = [weights[0] * factor, beta - mean * factor]
        layer.set_weights(weights)
    return network
