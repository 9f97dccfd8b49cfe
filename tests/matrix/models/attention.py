"""Attention, transformer blocks, embeddings."""

import keras
import numpy as np
from keras import Input, Model, layers, ops

from models.building import SERIES, Build, chain, layer, of

Tensor = keras.KerasTensor


def block(x: Tensor, *, causal: bool = False, heads: int = 2) -> Tensor:
    """A transformer block, norm first."""
    y = layers.LayerNormalization()(x)
    y = layers.MultiHeadAttention(heads, 3)(y, y, use_causal_mask=causal)
    x = layers.Add()([x, y])
    y = layers.Dense(8, activation="gelu")(layers.LayerNormalization()(x))
    return x + layers.Dense(x.shape[-1])(y)


def language_model(*, causal: bool = True, length: int | None = 6, mask_zero: bool = False) -> keras.Model:
    words = Input((length,), dtype="int32")
    x = layers.Embedding(12, 4, mask_zero=mask_zero)(words)
    if length:
        x = x + layers.Embedding(length, 4)(np.arange(length))
    return Model(words, layers.Dense(12)(block(x, causal=causal)))


def tied(*, soft_cap: float | None = None, twice: bool = False) -> keras.Model:
    words = Input((6,), dtype="int32")
    embedding = layers.ReversibleEmbedding(10, 4, logit_soft_cap=soft_cap)
    x = embedding(words)
    return Model(words, embedding(layers.Dense(4)(x) if twice else x, reverse=True))


def tied_by_hand() -> keras.Model:
    words = Input((6,), dtype="int32")
    embedding = layers.Embedding(10, 4)
    x = layers.GlobalAveragePooling1D()(embedding(words))

    class Reverse(layers.Layer):
        def call(self, x: Tensor) -> Tensor:
            return ops.matmul(x, ops.transpose(embedding.embeddings))

    return Model(words, Reverse()(x))


def cross(x: Tensor, y: Tensor) -> Tensor:
    return layers.MultiHeadAttention(2, 3, value_dim=4, output_shape=5)(x, y)


def scores(x: Tensor) -> list[Tensor]:
    return list(layers.MultiHeadAttention(2, 3)(x, x, return_attention_scores=True))


def masked_attention(x: Tensor) -> Tensor:
    x = layers.Masking()(x)
    return layers.MultiHeadAttention(2, 3)(x, x)


def attention_mask(x: Tensor, mask: Tensor) -> Tensor:
    return layers.MultiHeadAttention(2, 3)(x, x, attention_mask=mask > 0)


OTHER = (5, 4)
MODELS: dict[str, Build] = {
    "MultiHeadAttention": of(lambda x: layers.MultiHeadAttention(2, 3)(x, x), SERIES),
    "MultiHeadAttention causal": of(lambda x: layers.MultiHeadAttention(2, 3)(x, x, use_causal_mask=True), SERIES),
    "MultiHeadAttention causal any length": of(
        lambda x: layers.MultiHeadAttention(2, 3)(x, x, use_causal_mask=True), (None, 4)
    ),
    "MultiHeadAttention no bias": of(lambda x: layers.MultiHeadAttention(3, 2, use_bias=False)(x, x), SERIES),
    "MultiHeadAttention any length": of(lambda x: layers.MultiHeadAttention(2, 3)(x, x), (None, 4)),
    "MultiHeadAttention of two": of(cross, SERIES, OTHER),
    "MultiHeadAttention key and value": of(
        lambda x, y, z: layers.MultiHeadAttention(2, 3)(x, y, key=z), SERIES, OTHER, OTHER
    ),
    "MultiHeadAttention scores": of(scores, SERIES),
    "MultiHeadAttention masked": of(masked_attention, SERIES),
    "MultiHeadAttention by a mask": of(attention_mask, SERIES, (7, 7)),
    "MultiHeadAttention of images": of(
        lambda x: layers.MultiHeadAttention(2, 3, attention_axes=(1, 2))(x, x), (3, 4, 5)
    ),
    "MultiHeadAttention gated": of(lambda x: layers.MultiHeadAttention(2, 3, use_gate=True)(x, x), SERIES),
    "MultiHeadAttention window": of(lambda x: layers.MultiHeadAttention(2, 3, sliding_window=2)(x, x), SERIES),
    "GroupQueryAttention": of(lambda x: layers.GroupQueryAttention(3, 4, 2)(x, x), SERIES),
    "GroupQueryAttention causal": of(lambda x: layers.GroupQueryAttention(3, 4, 2)(x, x, use_causal_mask=True), SERIES),
    "GroupQueryAttention of two": of(lambda x, y: layers.GroupQueryAttention(3, 4, 1)(x, y), SERIES, OTHER),
    "GroupQueryAttention masked": of(
        lambda x, y: layers.GroupQueryAttention(3, 2, 2)(x, x, attention_mask=y > 0), SERIES, (7, 7)
    ),
    "Attention": of(lambda x: layers.Attention()([x, x]), SERIES),
    "Attention scaled": of(lambda x, y: layers.Attention(use_scale=True)([x, y]), SERIES, OTHER),
    "Attention concat": of(lambda x, y: layers.Attention(score_mode="concat")([x, y]), SERIES, OTHER),
    "Attention causal": of(lambda x: layers.Attention()([x, x], use_causal_mask=True), SERIES),
    "Attention of three": of(lambda x, y, z: layers.Attention()([x, y, z]), SERIES, OTHER, OTHER),
    "Attention scores": of(lambda x: list(layers.Attention()([x, x], return_attention_scores=True)), SERIES),
    "Attention by masks": of(lambda x, y: layers.Attention()([x, x], mask=[y > 0, y < 1]), SERIES, (7,)),
    "Attention masked": of(lambda x: layers.Attention()([layers.Masking()(x), layers.Masking()(x)]), SERIES),
    "Attention causal any length": of(lambda x: layers.Attention()([x, x], use_causal_mask=True), (None, 4)),
    "AdditiveAttention": of(lambda x: layers.AdditiveAttention()([x, x]), SERIES),
    "AdditiveAttention of two": of(lambda x, y: layers.AdditiveAttention(use_scale=False)([x, y]), SERIES, OTHER),
    "AdditiveAttention causal": of(lambda x: layers.AdditiveAttention()([x, x], use_causal_mask=True), SERIES),
    "dot product attention": of(lambda x: ops.dot_product_attention(x, x, x), (7, 2, 4)),
    "dot product attention causal": of(lambda x: ops.dot_product_attention(x, x, x, is_causal=True), (7, 2, 4)),
    "transformer block": of(block, SERIES),
    "transformer block causal": of(lambda x: block(x, causal=True), SERIES),
    "transformer block any length": of(lambda x: block(x, causal=True), (None, 4)),
    "transformer of two blocks": of(lambda x: block(block(x, causal=True), heads=1), SERIES),
    "language model": language_model,
    "language model both ways": lambda: language_model(causal=False),
    "language model any length": lambda: language_model(length=None),
    "language model masked": lambda: language_model(mask_zero=True),
    "ReversibleEmbedding": tied,
    "ReversibleEmbedding soft cap": lambda: tied(soft_cap=2.0),
    "ReversibleEmbedding with a Dense between": lambda: tied(twice=True),
    "ReversibleEmbedding untied": chain((6,), layer("ReversibleEmbedding", 10, 4, tie_weights=False), dtype="int32"),
    "tied embedding by hand": tied_by_hand,
    "embedding": chain((6,), layer("Embedding", 10, 4), layer("Flatten"), layer("Dense", 2), dtype="int32"),
    "embedding of floats": chain((6,), layer("Embedding", 10, 4), layer("Flatten")),
    "embedding of any length": chain((None,), layer("Embedding", 10, 4), layer("LSTM", 3), dtype="int64"),
    "embedding of one number": chain((), layer("Embedding", 10, 4), dtype="int32"),
    "embedding of bytes": chain((6,), layer("Embedding", 10, 4), dtype="uint8"),
    "embedding of short numbers": chain((6,), layer("Embedding", 10, 4), dtype="int16"),
    "embedding of a table": chain((2, 3), layer("Embedding", 10, 4), dtype="int32"),
}
VALUES = {"embedding of floats": (0, 9.99)}
