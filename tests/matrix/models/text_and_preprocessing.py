"""Layers that prepare text, categories and sound."""

import keras
import numpy as np
from keras import Input, Model, layers

from models.building import Build, chain, layer

WORDS = ["the", "cat", "sat", "on", "a", "mat"]


def adapted_bins() -> keras.Model:
    bins = layers.Discretization(num_bins=5)
    bins.adapt(np.random.default_rng(0).normal(0, 2, (200, 1)).astype("float32"))
    return keras.Sequential([Input((6,)), bins])


def adapted_lookup() -> keras.Model:
    lookup = layers.IntegerLookup(output_mode="multi_hot")
    lookup.adapt(np.array([[3, 1], [4, 1], [5, 9]]))
    return keras.Sequential([Input((6,), dtype="int64"), lookup])


def bins_and_embedding() -> keras.Model:
    age, kind = Input((1,), name="age"), Input((1,), dtype="int32", name="kind")
    x = layers.Embedding(4, 3)(layers.Discretization([18.0, 35.0, 60.0])(age))
    y = layers.Embedding(5, 3)(layers.IntegerLookup(vocabulary=[1, 2, 3, 4])(kind))
    return Model([age, kind], layers.Dense(1)(layers.Flatten()(layers.Concatenate(axis=1)([x, y]))))


def strings(*parts: layers.Layer) -> Build:
    return lambda: keras.Sequential([Input((1,), dtype="string"), *(part() for part in parts)])


EDGES = [-1.0, 0.0, 0.5, 2.0]
MODELS: dict[str, Build] = {
    "Discretization": chain((6,), layer("Discretization", EDGES)),
    "Discretization adapted": adapted_bins,
    "Discretization one hot": chain((1,), layer("Discretization", EDGES, output_mode="one_hot")),
    "Discretization multi hot": chain((6,), layer("Discretization", EDGES, output_mode="multi_hot")),
    "Discretization count": chain((6,), layer("Discretization", EDGES, output_mode="count")),
    "Discretization of integers": chain((6,), layer("Discretization", [1.0, 3.0]), dtype="int32"),
    "Discretization into an embedding": chain((6,), layer("Discretization", EDGES), layer("Embedding", 5, 3)),
    "IntegerLookup": chain((1,), layer("IntegerLookup", vocabulary=[1, 2, 3]), dtype="int32"),
    "IntegerLookup of many": chain((6,), layer("IntegerLookup", vocabulary=[4, 1, 3]), dtype="int64"),
    "IntegerLookup masked": chain((6,), layer("IntegerLookup", vocabulary=[4, 1, 3], mask_token=0), dtype="int64"),
    "IntegerLookup inverse": chain((6,), layer("IntegerLookup", vocabulary=[4, 1, 30, 7], invert=True), dtype="int64"),
    "IntegerLookup one hot": chain(
        (1,), layer("IntegerLookup", vocabulary=[4, 1, 3], output_mode="one_hot"), dtype="int32"
    ),
    "IntegerLookup multi hot": chain(
        (6,), layer("IntegerLookup", vocabulary=[4, 1, 3], output_mode="multi_hot"), dtype="int32"
    ),
    "IntegerLookup count": chain((6,), layer("IntegerLookup", vocabulary=[4, 1], output_mode="count"), dtype="int32"),
    "IntegerLookup without unknowns": chain(
        (6,), layer("IntegerLookup", vocabulary=[0, 4, 1, 3, 2], num_oov_indices=0), dtype="int64"
    ),
    "IntegerLookup adapted": adapted_lookup,
    "IntegerLookup into an embedding": chain(
        (6,), layer("IntegerLookup", vocabulary=[4, 1, 3]), layer("Embedding", 5, 3), layer("GRU", 2), dtype="int64"
    ),
    "ages and kinds": bins_and_embedding,
    "CategoryEncoding of vectors": chain((6,), layer("CategoryEncoding", 5, output_mode="multi_hot"), dtype="int64"),
    "CategoryEncoding of floats": chain((6,), layer("CategoryEncoding", 5, output_mode="count")),
    "STFTSpectrogram": chain((64, 1), layer("STFTSpectrogram", mode="magnitude", frame_length=16, frame_step=8)),
    "STFTSpectrogram log": chain((64, 2), layer("STFTSpectrogram", frame_length=16, frame_step=8, padding="same")),
    "STFTSpectrogram psd": chain((64, 1), layer("STFTSpectrogram", mode="psd", frame_length=16, expand_dims=True)),
    "STFTSpectrogram any length": chain(
        (None, 1), layer("STFTSpectrogram", mode="magnitude", frame_length=4, frame_step=2)
    ),
    "MelSpectrogram": chain(
        (256,), layer("MelSpectrogram", fft_length=64, sequence_stride=32, sampling_rate=800, num_mel_bins=8)
    ),
    "MelSpectrogram without dB": chain(
        (256,),
        layer("MelSpectrogram", fft_length=64, sequence_stride=32, sampling_rate=800, num_mel_bins=8, power_to_db=False),
    ),
    "a network of sound": chain(
        (256,),
        layer("MelSpectrogram", fft_length=64, sequence_stride=32, sampling_rate=800, num_mel_bins=8),
        layer("Permute", (2, 1)), layer("Conv1D", 4, 3, activation="relu"), layer("GlobalMaxPooling1D"), layer("Dense", 2),
    ),
    "Pipeline": chain((8, 9, 3), lambda: layers.Pipeline([layers.Rescaling(0.1), layers.CenterCrop(5, 5)])),
    "Equalization": chain((16, 16, 3), lambda: layers.Pipeline([layers.Equalization()])),
    "Equalization of fractions": chain(
        (16, 16, 1), lambda: layers.Pipeline([layers.Equalization(value_range=(0, 1), bins=16)])
    ),
    "CLAHE": chain((16, 16, 3), layer("ContrastLimitedAdaptiveHistogramEqualization", tile_grid_size=(2, 2))),
    "Solarization": chain((8, 9, 3), layer("Solarization", addition_factor=0.2, threshold_factor=0.5)),
    "AutoContrast": chain((8, 9, 3), layer("AutoContrast")),
    "AutoContrast of fractions": chain((8, 9, 3), layer("AutoContrast", value_range=(0, 1)), layer("Conv2D", 2, 3)),
    "AutoContrast of bytes": chain((8, 9, 3), layer("AutoContrast"), layer("Rescaling", 1 / 255), dtype="uint8"),
    "AutoContrast of grey": chain((8, 9, 1), layer("AutoContrast"), layer("Flatten"), layer("Dense", 2)),
}  # fmt: skip
REFUSED: dict[str, tuple[Build, str]] = {
    "TextVectorization": (
        strings(layer("TextVectorization", vocabulary=WORDS, output_sequence_length=6)),
        "TextVectorization",
    ),
    "StringLookup": (strings(layer("StringLookup", vocabulary=WORDS)), "StringLookup"),
    "Hashing": (chain((3,), layer("Hashing", 10), dtype="int32"), "Hashing"),
    "HashedCrossing": (
        lambda: (lambda x, y: Model([x, y], layers.HashedCrossing(5)((x, y))))(
            Input((1,), dtype="int32"), Input((1,), dtype="int32")
        ),
        "HashedCrossing",
    ),
}
BYTES = (0, 255)
VALUES = {
    "Equalization": BYTES, "CLAHE": BYTES, "Solarization": BYTES, "AutoContrast": BYTES, "AutoContrast of grey": BYTES,
    "Equalization of fractions": (0, 1), "AutoContrast of fractions": (0, 1), "IntegerLookup of many": (-3, 9),
    "CategoryEncoding of floats": (0, 4.99), "Discretization of integers": (-5, 9), "ages and kinds": (0, 5),
    "MelSpectrogram": (-1, 1), "a network of sound": (-1, 1), "MelSpectrogram without dB": (-1, 1),
}  # fmt: skip
