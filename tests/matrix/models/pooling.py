"""Pooling: windows, strides, paddings, whole axes, adaptive sizes."""

from models.building import FIRST, IMAGE, RANKS, SERIES, VOLUME, Build, chain, first, layer

MODELS: dict[str, Build] = {
    "pool of any size": chain((None, None, 3), layer("AveragePooling2D", 3, strides=2, padding="same")),
    "max pool of any size": chain((None, None, 3), layer("MaxPooling2D", 3, strides=2, padding="same")),
    "max pool of any length": chain((None, 4), layer("MaxPooling1D", 2, padding="same")),
    "average pool of any length": chain((None, 4), layer("AveragePooling1D", 2)),
    "pools of any volume": chain((None, None, None, 2), layer("MaxPooling3D", 2), layer("GlobalAveragePooling3D")),
    "average pool of any volume": chain((None, None, None, 2), layer("AveragePooling3D", 2, padding="same")),
    "global pool of any size": chain((None, None, 3), layer("GlobalAveragePooling2D"), layer("Dense", 2)),
    "global pool of any length": chain((None, 4), layer("GlobalMaxPooling1D")),
    "pool uneven": chain(IMAGE, layer("AveragePooling2D", (2, 3), strides=(1, 2), padding="same")),
    "max pool uneven": chain(IMAGE, layer("MaxPooling2D", (3, 1), strides=(2, 2), padding="same")),
    "pool uneven in volume": chain(VOLUME, layer("AveragePooling3D", (1, 2, 3), strides=(1, 2, 1), padding="same")),
    "pool of a whole image": chain(IMAGE, layer("MaxPooling2D", (8, 9))),
    "pool of overlaps": chain(IMAGE, layer("MaxPooling2D", 3, strides=1), layer("AveragePooling2D", 3, strides=1)),
    "adaptive average of a volume of any size": chain(
        (None, None, None, 2), layer("AdaptiveAveragePooling3D", (2, 3, 1))
    ),
    "adaptive max of any length, first": chain(
        (4, None), layer("AdaptiveMaxPooling1D", 3, data_format="channels_first")
    ),
    "adaptive of one side known": chain((8, None, 3), layer("AdaptiveAveragePooling2D", (5, 2)), layer("Conv2D", 2, 2)),
    "adaptive of any size": chain((None, None, 3), layer("AdaptiveAveragePooling2D", 3)),
    "adaptive of any length": chain((None, 4), layer("AdaptiveAveragePooling1D", 3)),
    "adaptive max of any size": chain((None, None, 3), layer("AdaptiveMaxPooling2D", 3)),
    "adaptive uneven": chain(IMAGE, layer("AdaptiveAveragePooling2D", (3, 5))),
    "adaptive to one": chain((8, 8, 3), layer("AdaptiveAveragePooling2D", 1), layer("Flatten")),
    "adaptive max uneven": chain(IMAGE, layer("AdaptiveMaxPooling2D", (5, 2))),
    "adaptive channels first": chain(first(IMAGE), layer("AdaptiveAveragePooling2D", 4, **FIRST)),
    "global pool with a mask": chain(SERIES, layer("Masking"), layer("GlobalAveragePooling1D")),
}
for rank, shape in RANKS.items():
    turned = first(shape)
    for kind in ("Average", "Max"):
        pool, whole = f"{kind}Pooling{rank}D", f"Global{kind}Pooling{rank}D"
        MODELS |= {
            pool: chain(shape, layer(pool, 2)),
            f"{pool} same": chain(shape, layer(pool, 3, strides=2, padding="same")),
            f"{pool} window below stride": chain(shape, layer(pool, 2, strides=3, padding="same")),
            f"{pool} one of two same": chain(shape, layer(pool, 1, strides=2, padding="same")),
            f"{pool} window below stride valid": chain(shape, layer(pool, 1, strides=2)),
            f"{pool} channels first": chain(turned, layer(pool, 2, strides=1, **FIRST)),
            whole: chain(shape, layer(whole)),
            f"{whole} keepdims": chain(shape, layer(whole, keepdims=True)),
            f"{whole} channels first": chain(turned, layer(whole, keepdims=True, **FIRST)),
            f"Adaptive{kind}Pooling{rank}D": chain(shape, layer(f"Adaptive{kind}Pooling{rank}D", 3)),
        }
