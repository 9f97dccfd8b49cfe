"""Small models for the matrix: a table a room, the name of each model and the function that builds it.

A model must answer in each target as in Keras, or be refused by name. ``REFUSED`` holds those that must be refused
everywhere, with a word that the refusal must hold; ``VALUES`` the range of inputs where the usual one says nothing.
``PREDICTED`` names models that Keras on TensorFlow answers otherwise when called than in ``predict``, which is the answer
that counts, as it is that of the graph.
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
    mobile,
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
        attention, augmentation, convolutions, custom, dense_and_activations, drawn, dtypes, graphs, merges, mobile,
        normalization, operations, pooling, recurrent, shapes, sizes_and_masks, text_and_preprocessing,
    )
}  # fmt: skip
REFUSED = {name: words for room in ROOMS.values() for name, (_, words) in getattr(room, "REFUSED", {}).items()}
VALUES = {name: values for room in ROOMS.values() for name, values in getattr(room, "VALUES", {}).items()}
MODELS = {name: build for room in ROOMS.values() for name, build in room.MODELS.items()}
MODELS |= {name: build for room in ROOMS.values() for name, (build, _) in getattr(room, "REFUSED", {}).items()}
PREDICTED = {"resizing bytes"}  # called, it rounds to bytes before it rescales


def names(room: str) -> list[str]:
    """The names of all models in a room."""
    return [*ROOMS[room].MODELS, *getattr(ROOMS[room], "REFUSED", {})]


if len(MODELS) != sum(len(names(room)) for room in ROOMS):
    raise ValueError("two models share a name")
