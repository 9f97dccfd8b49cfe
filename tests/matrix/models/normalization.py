"""Normalization, dropout and what else trains otherwise than it answers."""

import numpy as np
from keras import Input, Sequential, layers

from models.building import IMAGE, RANKS, SERIES, VECTOR, VOLUME, Build, chain, first, layer

MEAN, VARIANCE = [0.5, -1.0, 2.0], [0.3, 4.0, 1.5]


def adapted(shape: tuple[int, ...], mean: float, spread: float, **options: object) -> Sequential:
    normalization = layers.Normalization(**options)
    normalization.adapt(np.random.default_rng(0).normal(mean, spread, (50, *shape)).astype("float32"))
    return Sequential([Input(shape), normalization, layers.Dense(3)])


def spectral(shape: tuple[int, ...], part: layers.Layer, **options: object) -> Sequential:
    return Sequential([Input(shape), layers.SpectralNormalization(part, **options)])


MODELS: dict[str, Build] = {
    "batch norm": chain(VECTOR, layer("BatchNormalization")),
    "batch norm bare": chain(IMAGE, layer("BatchNormalization", center=False, scale=False, epsilon=0.1)),
    "batch norm no center": chain(SERIES, layer("BatchNormalization", center=False)),
    "batch norm axis 1": chain(IMAGE, layer("BatchNormalization", axis=1)),
    "batch norm axis 2": chain(IMAGE, layer("BatchNormalization", axis=2)),
    "batch norm volume": chain(VOLUME, layer("BatchNormalization")),
    "batch norm volume axis 1": chain(VOLUME, layer("BatchNormalization", axis=1)),
    "batch norm any size": chain((None, None, 3), layer("BatchNormalization")),
    "batch norm any size axis 1": chain((3, None, None), layer("BatchNormalization", axis=1)),
    "batch norm any length": chain((None, 4), layer("BatchNormalization")),
    "batch norm any volume": chain((None, None, None, 2), layer("BatchNormalization")),
    "layer norm": chain(SERIES, layer("LayerNormalization")),
    "layer norm bare": chain(IMAGE, layer("LayerNormalization", center=False, scale=False, epsilon=0.05)),
    "layer norm axes": chain(IMAGE, layer("LayerNormalization", axis=[1, 2, 3])),
    "layer norm axis 1": chain(IMAGE, layer("LayerNormalization", axis=1)),
    "layer norm volume": chain(VOLUME, layer("LayerNormalization")),
    "layer norm any size": chain((None, None, 3), layer("LayerNormalization")),
    "layer norm of a vector": chain(VECTOR, layer("LayerNormalization", scale=False)),
    "group norm": chain((4, 5, 6), layer("GroupNormalization", groups=3)),
    "group norm bare": chain((4, 6), layer("GroupNormalization", groups=-1, center=False, scale=False)),
    "group norm twice": chain((4, 5, 6), layer("GroupNormalization", 3), layer("GroupNormalization", 2)),
    "group norm any size": chain((None, None, 6), layer("GroupNormalization", groups=2)),
    "group norm axis 1": chain((6, 4, 5), layer("GroupNormalization", groups=2, axis=1)),
    "group norm of a vector": chain(VECTOR, layer("GroupNormalization", groups=2)),
    "unit norm": chain(VECTOR, layer("UnitNormalization")),
    "unit norm two axes": chain(SERIES, layer("UnitNormalization", axis=(1, 2))),
    "unit norm of an image": chain(IMAGE, layer("UnitNormalization", axis=1)),
    "rms norm": chain(VECTOR, layer("RMSNormalization")),
    "rms norm of a series": chain(SERIES, layer("RMSNormalization", epsilon=0.01)),
    "rms norm axes": chain(IMAGE, layer("RMSNormalization", axis=(2, 3))),
    "normalization": chain(IMAGE, layer("Normalization", mean=MEAN, variance=VARIANCE)),
    "normalization inverse": chain(IMAGE, layer("Normalization", mean=MEAN, variance=VARIANCE, invert=True)),
    "normalization of all": chain(IMAGE, layer("Normalization", axis=None, mean=0.3, variance=2.0)),
    "normalization adapted": lambda: adapted(SERIES, 2, 3, axis=(1, 2)),
    "normalization of integers": chain((3,), layer("Normalization", mean=MEAN, variance=VARIANCE), dtype="int32"),
    "normalization of large means": lambda: adapted(VECTOR, 1e4, 3),
    "normalization of large means, no axis": lambda: adapted(VECTOR, 1e4, 3, axis=None),
    "normalization of large means, images": lambda: adapted(IMAGE, 5e3, 20, axis=-1),
    "normalization of large means, inverse": lambda: adapted(VECTOR, 1e4, 3, invert=True),
    "normalization of the same numbers": lambda: adapted(VECTOR, 2, 0),
    "normalization of years": chain((2,), layer("Normalization", axis=None, mean=1990.0, variance=100.0)),
    "normalization axis 1": chain((3, 5), layer("Normalization", axis=1, mean=MEAN, variance=VARIANCE)),
    "normalization any size": chain((None, None, 3), layer("Normalization", mean=MEAN, variance=VARIANCE)),
    "rescaling": chain(IMAGE, layer("Rescaling", 1 / 255, offset=-0.5)),
    "rescaling channels": chain(IMAGE, layer("Rescaling", [0.1, 0.2, 0.3], offset=[1.0, 0.0, -1.0])),
    "rescaling large": chain(IMAGE, layer("Rescaling", 1e4, offset=-1e6)),
    "rescaling of bytes": chain(IMAGE, layer("Rescaling", 1 / 255), layer("Conv2D", 2, 3), dtype="uint8"),
    "spectral dense": lambda: spectral(VECTOR, layers.Dense(3)),
    "spectral conv": lambda: spectral(IMAGE, layers.Conv2D(3, 2), power_iterations=2),
    "spectral embedding": lambda: Sequential(
        [Input((6,), dtype="int32"), layers.SpectralNormalization(layers.Embedding(10, 4))]
    ),
    "dropout noise shape": chain(SERIES, layer("Dropout", 0.5, noise_shape=(None, 1, 4))),
    "dropout first": chain(VECTOR, layer("Dropout", 0.5), layer("Dense", 3)),
    "frozen batch norm": chain(IMAGE, layer("BatchNormalization", trainable=False), layer("Conv2D", 2, 3)),
    "batch norm channels first": chain(first(IMAGE), layer("BatchNormalization", axis=1), layer("Flatten")),
}
for name, options in (
    ("Dropout", {"rate": 0.5}),
    ("AlphaDropout", {"rate": 0.5}),
    ("GaussianDropout", {"rate": 0.5}),
    ("GaussianNoise", {"stddev": 0.5}),
    ("ActivityRegularization", {"l1": 0.1}),
):
    MODELS[name] = chain(VECTOR, layer("Dense", 4), layer(name, **options))
for rank, shape in RANKS.items():
    MODELS[f"SpatialDropout{rank}D"] = chain(shape, layer(f"SpatialDropout{rank}D", 0.5))
VALUES = {name: (9e3, 1.1e4) for name in MODELS if "large means" in name and "inverse" not in name}
VALUES["normalization of years"] = (1900, 2100)
