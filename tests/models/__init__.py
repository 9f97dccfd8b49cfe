"""Small models for the matrix: a table a room, the name of each model and the function that builds it.

A model must answer in each target as in Keras, or be refused by name. ``REFUSED`` holds those that must be refused
everywhere, with a word that the refusal must hold; ``VALUES`` the range of inputs where the usual one says nothing.
"""

from models import (
    attention,
    augmentation,
    convolutions,
    custom,
    dense_and_activations,
    drawn,
    dtypes,
    graphs,
    merges,
    normalization,
    operations,
    pooling,
    recurrent,
    shapes,
    sizes_and_masks,
    text_and_preprocessing,
)

ROOMS = {
    module.__name__.removeprefix("models."): module
    for module in (
        attention, augmentation, convolutions, custom, dense_and_activations, drawn, dtypes, graphs, merges, normalization,
        operations, pooling, recurrent, shapes, sizes_and_masks, text_and_preprocessing,
    )
}  # fmt: skip
MODELS = {
    name: build
    for module in ROOMS.values()
    for name, build in (module.MODELS | {name: build for name, (build, _) in getattr(module, "REFUSED", {}).items()}).items()
}
REFUSED = {name: words for module in ROOMS.values() for name, (_, words) in getattr(module, "REFUSED", {}).items()}
VALUES = {name: values for module in ROOMS.values() for name, values in getattr(module, "VALUES", {}).items()}
if len(MODELS) != sum(len(module.MODELS) + len(getattr(module, "REFUSED", {})) for module in ROOMS.values()):
    raise ValueError("two models share a name")
