"""Layers that move, repeat, cut and resize."""

from models.building import FIRST, IMAGE, RANKS, VECTOR, Build, chain, first, layer

MODELS: dict[str, Build] = {
    "flatten": chain(IMAGE, layer("Flatten"), layer("Dense", 2)),
    "flatten channels first": chain(IMAGE, layer("Flatten", **FIRST), layer("Dense", 2)),
    "flatten of a vector": chain(VECTOR, layer("Flatten")),
    "flatten of a number": chain((), layer("Flatten"), layer("Dense", 2)),
    "flatten any length": chain((None, 4), layer("Flatten")),
    "reshape": chain(IMAGE, layer("Reshape", (9, -1, 6))),
    "reshape any length": chain((None, 4), layer("Reshape", (-1, 2))),
    "reshape to numbers": chain((1,), layer("Reshape", ())),
    "permute": chain(IMAGE, layer("Permute", (3, 1, 2))),
    "permute any size": chain((None, None, 3), layer("Permute", (2, 1, 3))),
    "repeat vector": chain(VECTOR, layer("RepeatVector", 3)),
    "identity": chain(VECTOR, layer("Identity"), layer("Dense", 3)),
    "identity by itself": chain(VECTOR, layer("Identity")),
    "zero padding 1D any length": chain((None, 4), layer("ZeroPadding1D", (2, 1))),
    "zero padding 2D any size": chain((None, None, 3), layer("ZeroPadding2D", ((1, 2), (0, 3)))),
    "zero padding 3D any size": chain((None, None, None, 2), layer("ZeroPadding3D", ((1, 2), (0, 3), (2, 0)))),
    "cropping 2D any size": chain((None, None, 3), layer("Cropping2D", ((1, 2), (0, 2)))),
    "cropping 3D any size": chain((None, None, None, 2), layer("Cropping3D", 1)),
    "cropping channels first": chain(first(IMAGE), layer("Cropping2D", ((1, 2), (0, 3)), **FIRST)),
    "up sampling 1D any length": chain((None, 4), layer("UpSampling1D", 2)),
    "up sampling 2D any size": chain((None, None, 3), layer("UpSampling2D", 2)),
    "up sampling 3D any size": chain((None, None, None, 2), layer("UpSampling3D", 2)),
    "up sampling of odd sizes": chain((13, 29, 1), layer("UpSampling2D", (7, 3))),
    "up sampling bilinear any size": chain((None, None, 3), layer("UpSampling2D", 2, interpolation="bilinear")),
    "up sampling bilinear first": chain(first(IMAGE), layer("UpSampling2D", 2, interpolation="bilinear", **FIRST)),
    "resizing nearest": chain(IMAGE, layer("Resizing", 5, 12, interpolation="nearest")),
    "resizing keeps aspect": chain(IMAGE, layer("Resizing", 5, 12, crop_to_aspect_ratio=True)),
    "resizing pads": chain(IMAGE, layer("Resizing", 5, 12, pad_to_aspect_ratio=True, fill_value=0.5)),
    "resizing any size": chain((None, None, 3), layer("Resizing", 5, 12)),
    "resizing any size nearest": chain((None, None, 3), layer("Resizing", 9, 4, interpolation="nearest")),
    "resizing channels first": chain(first(IMAGE), layer("Resizing", 5, 12, **FIRST)),
    "resizing antialias": chain((20, 31, 3), layer("Resizing", 5, 6, antialias=True)),
    "resizing bytes": chain(IMAGE, layer("Resizing", 5, 12), layer("Rescaling", 1 / 255), dtype="uint8"),
    "resizing to the same": chain(IMAGE, layer("Resizing", 8, 9)),
    "resizing to one": chain(IMAGE, layer("Resizing", 1, 1), layer("Flatten")),
    "center crop": chain(IMAGE, layer("CenterCrop", 5, 4)),
    "center crop larger": chain(IMAGE, layer("CenterCrop", 9, 4)),
    "center crop any size": chain((None, None, 3), layer("CenterCrop", 3, 4)),
    "center crop channels first": chain(first(IMAGE), layer("CenterCrop", 5, 4, **FIRST)),
}
ENDS = {1: (2, 1), 2: ((1, 2), (0, 3)), 3: ((1, 0), (0, 1), (2, 1))}
for rank, shape in RANKS.items():
    for name, option in (("ZeroPadding", ENDS[rank]), ("Cropping", ENDS[rank]), ("UpSampling", 3)):
        MODELS[f"{name}{rank}D"] = chain(shape, layer(f"{name}{rank}D", option))
        if rank > 1:
            MODELS[f"{name}{rank}D first"] = chain(first(shape), layer(f"{name}{rank}D", option, **FIRST))
for interpolation in ("bilinear", "bicubic", "lanczos3", "lanczos5"):
    MODELS |= {
        f"up sampling {interpolation}": chain(IMAGE, layer("UpSampling2D", (2, 3), interpolation=interpolation)),
        f"resizing {interpolation}": chain(IMAGE, layer("Resizing", 5, 12, interpolation=interpolation)),
        f"resizing {interpolation} smaller": chain((12, 13, 1), layer("Resizing", 4, 5, interpolation=interpolation)),
    }
